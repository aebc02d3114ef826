package lambda

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// judge takes one event of the log into the speed view of a generation, in the order of tests
// that every side follows: decode, skew guard, late, duplicate, apply. It is the speed layer's
// logic, per event; the batch layer says the same over columns in batch.go, without lateness. An
// error is a failure of ours, never of the event: then the state is what it was before, and the event
// is still to come.
func (g *generation) judge(r *eventlog.Record) error {
	e := &g.event
	err := g.decoder.Decode(r.Key, r.Value, e)
	if err == nil {
		err = g.rules.CheckSkew(e.EventTime, r.AppendTime)
	}
	reject, rejected := errors.AsType[*event.Reject](err)
	if err != nil && !rejected {
		return fmt.Errorf("read offset %d: %w", r.Offset, err)
	}
	g.Position = r.Offset + 1
	g.Newest = max(g.Newest, r.AppendTime)
	g.Counters.Events++
	if rejected { // it is ingest that keeps it
		g.Counters.Reject(reject.Reason, 1)
		return nil // it moves no watermark: one broken clock must not close everybody's windows
	}
	var late view.Set // it may be late for the one view and count in the other
	if g.rules.Late(e.EventTime, g.Watermark) {
		g.Counters.DroppedLate++
		late = view.Windows | view.Alerts
	} else {
		g.admit(e, r)
	}
	if g.trips != nil { //bench:change view
		late |= g.acceptForTrips(e)
	}
	if late != 0 {
		g.sides.late(r, e.EventTime, g.Watermark, late)
	}
	g.advance(e.EventTime)
	return nil
}

// admit applies an event to its window unless its reading is already there, or in the batch view.
// The lowest offset of a reading wins, whatever the others say.
func (g *generation) admit(e *event.CarSensor, r *eventlog.Record) {
	c, fingerprint := g.car(e.CarID), event.Fingerprint(r.Value)
	switch prior, seen := g.seen(c, e.Seq); {
	case !seen || g.cfg.Mistakes.CountRepeats:
		g.apply(g.window(c, g.rules.WindowStart(e.EventTime)), e, r.Offset, fingerprint)
	case prior == fingerprint:
		g.Counters.Duplicates++
	default:
		g.Counters.Conflicts++
	}
}

// apply folds an admitted event into its window, raises its alert and remembers the reading.
func (g *generation) apply(w *speedWindow, e *event.CarSensor, offset int64, fingerprint uint32) {
	g.fold(&w.tally, e)
	if rule, score := g.detect(e); rule != view.NoRule {
		w.tally.Anomalies++
		g.alerts = append(g.alerts, speedAlert{
			Alert: view.Alert{
				AlertKey:  view.AlertKey{CarID: w.car.id, Seq: e.Seq},
				EventTime: e.EventTime, Rule: rule, Score: score,
			},
			offset: offset,
		})
	}
	g.remember(w, reading{e.Seq, fingerprint})
}

// fold adds one reading to a tally.
//
//bench:logic
func fold(t *view.Tally, e *event.CarSensor) {
	t.Readings++
	t.SpeedSum += view.Fixed(e.Speed)
	t.SpeedMax = max(t.SpeedMax, e.Speed)
	t.CoolantTempMax = max(t.CoolantTempMax, e.CoolantTemp)
	t.EngineVibrationMax = max(t.EngineVibrationMax, e.EngineVibrationAmplitude)
	t.TirePressureMin = min(t.TirePressureMin, lowestTire(e))
	t.BatteryVoltageMin = min(t.BatteryVoltageMin, e.BatteryVoltage)
	t.CurrentDrawSum += view.Fixed(e.CurrentDraw)
	t.LastSeq = max(t.LastSeq, e.Seq)
}

// foldV3 also looks at how much air the engine takes.
//
//bench:logic
//bench:change metric fold
func foldV3(t *view.Tally, e *event.CarSensor) {
	fold(t, e)
	t.IntakeAirFlowMax = max(t.IntakeAirFlowMax, e.IntakeAirFlowSpeed)
}

// foldV4 also looks at how warm it is outside, where the car knows.
//
//bench:logic
//bench:change field fold
func foldV4(t *view.Tally, e *event.CarSensor) {
	foldV3(t, e)
	t.AmbientTempMax = max(t.AmbientTempMax, e.AmbientTemp)
}

// A detector looks at one reading: it names the first rule that fires, with how far beyond the
// rule's limit the reading is, or answers view.NoRule.
type detector func(e *event.CarSensor) (view.Rule, float64)

// A logic is one version of f, per event: the detector that it goes by, and the fold, which says
// what a window tells. Versions that tell more are a fold around the fold before.
type logic struct {
	version string
	detect  detector
	fold    func(t *view.Tally, e *event.CarSensor)
}

// logics are the known versions, the oldest first. The batch layer has its own, see columnLogics.
var logics = []logic{
	{"v1", detectV1, fold},
	{"v2", detectV2, fold},   //bench:change bugfix version
	{"v3", detectV2, foldV3}, //bench:change metric version
	{"v4", detectV2, foldV4}, //bench:change field version
}

// logicOf returns the logic of a version, false when there is none.
func logicOf(version string) (logic, bool) {
	i := slices.IndexFunc(logics, func(l logic) bool { return l.version == version })
	if i < 0 {
		return logic{}, false
	}
	return logics[i], true
}

// detectV1 watches the front tyres alone, and takes the vibration of a car that barely rolls for
// a broken drive shaft.
//
//bench:logic
func detectV1(e *event.CarSensor) (view.Rule, float64) {
	return detect(e, min(e.TirePressure11, e.TirePressure12), 0)
}

// detectV2 repairs both mistakes of v1.
//
//bench:logic
//bench:change bugfix detector
func detectV2(e *event.CarSensor) (view.Rule, float64) {
	return detect(e, lowestTire(e), 5)
}

// detect is what the versions have in common: tire is the lowest pressure of the tyres that are
// watched (psi), the drive shaft is watched above fromSpeed (m/s).
//
// It compares and divides in float64 and never adds to a product, so that no machine's fused
// multiply-add can change an answer.
//
//bench:logic
func detect(e *event.CarSensor, tire int32, fromSpeed float64) (view.Rule, float64) {
	if coolant := float64(e.CoolantTemp); coolant > 110 {
		return view.Overheating, coolant / 110
	}
	if tire < 26 && int64(highestTire(e))-int64(tire) >= 4 {
		return view.TireLeak, 26 / float64(max(tire, 1))
	}
	if low, high := shocks(e); high > 6 && high > 3*low {
		return view.ShockAbsorber, high / 6
	}
	speed, vibration := float64(e.Speed), float64(e.EngineVibrationAmplitude)
	if speed > fromSpeed && vibration > 150*speed {
		return view.DriveShaft, vibration / (150 * speed)
	}
	voltage, charge := float64(e.BatteryVoltage), float64(e.BatteryPercentage)
	if voltage < 210 && charge > 20 {
		return view.BatteryCell, 210 / max(voltage, 1)
	}
	return view.NoRule, 0
}

//bench:logic
func lowestTire(e *event.CarSensor) int32 {
	return min(e.TirePressure11, e.TirePressure12, e.TirePressure21, e.TirePressure22)
}

//bench:logic
func highestTire(e *event.CarSensor) int32 {
	return max(e.TirePressure11, e.TirePressure12, e.TirePressure21, e.TirePressure22)
}

// shocks returns the weakest and the strongest acceleration of the four corners, without
// direction: one corner far above the others is a shock absorber, all of them are the road.
//
//bench:logic
func shocks(e *event.CarSensor) (low, high float64) {
	a, b := math.Abs(float64(e.Accelerometer11)), math.Abs(float64(e.Accelerometer12))
	c, d := math.Abs(float64(e.Accelerometer21)), math.Abs(float64(e.Accelerometer22))
	return min(a, b, c, d), max(a, b, c, d)
}
