package kappa

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// Process processes the input into the view of cfg.Version until ctx ends, one task for every
// partition that the group assigns to this process. It returns nil when ctx ends, and when the
// version is retired: another one is live and this one is not its candidate.
func Process(ctx context.Context, cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	return unlessEnded(ctx, newProcessor(cfg).run(ctx))
}

// judge takes one event of the log into the state, in the order of tests that every side follows:
// decode, skew guard, and then those of accept. An error is a failure of ours, never of the event: then
// the state is what it was before, and the event is still to come.
func (t *task) judge(r *eventlog.Record) error {
	e := &t.event
	err := t.decoder.Decode(r.Key, r.Value, e)
	if err == nil {
		err = t.rules.CheckSkew(e.EventTime, r.AppendTime)
	}
	reject, rejected := errors.AsType[*event.Reject](err)
	if err != nil && !rejected {
		return fmt.Errorf("read offset %d: %w", r.Offset, err)
	}
	t.meet(r)
	if rejected {
		t.reject(r, reject)
		return nil
	}
	t.accept(e, r, event.Fingerprint(r.Value))
	return nil
}

// meet notes that the state is now that of the log up to and with r.
func (t *task) meet(r *eventlog.Record) {
	t.Position = r.Offset + 1
	t.Newest = max(t.Newest, r.AppendTime)
	t.Counters.Events++
}

// accept takes an event that is not at fault into the state: late, duplicate, apply. It may be late
// for the one view and count in the other. Of r it needs no more than where and when it stood on the
// log, and its bytes if it is late.
func (t *task) accept(e *event.CarSensor, r *eventlog.Record, fingerprint uint32) {
	var late view.Set
	if t.rules.Late(e.EventTime, t.Watermark) {
		t.Counters.DroppedLate++
		late = view.Windows | view.Alerts
	} else {
		t.admit(e, r.Offset, fingerprint)
	}
	if t.trips != nil { //bench:change view
		late |= t.acceptForTrips(e, r.Offset, fingerprint)
	}
	if late != 0 {
		t.sides.late(r, e.EventTime, t.Watermark, late)
	}
	t.advance(e.EventTime)
}

// reject puts an event that is itself at fault among the dead letters. It moves no watermark: one
// broken clock must not close everybody's windows.
func (t *task) reject(r *eventlog.Record, reject *event.Reject) {
	t.Counters.Reject(reject.Reason, 1)
	t.sides.reject(r, reject)
}

// admit applies an event to its window unless its reading is already there. The lowest offset of
// a reading wins, whatever the others say.
func (t *task) admit(e *event.CarSensor, offset int64, fingerprint uint32) {
	c := t.car(e.CarID)
	switch prior := c.seen(e.Seq, offset); {
	case prior == nil || t.cfg.Mistakes.CountRepeats:
		t.apply(t.window(c, t.rules.WindowStart(e.EventTime)), e, offset, fingerprint)
	case prior.offset == offset:
		// This very event was applied before a crash and its row has survived. Its alert may not
		// have: the row was first, the alert after it. Raising it twice changes nothing.
		t.raise(c, e, offset)
	case prior.fingerprint == fingerprint:
		t.Counters.Duplicates++
	default:
		t.Counters.Conflicts++
	}
}

// apply folds an admitted event into its window, raises its alert and remembers the reading.
func (t *task) apply(w *window, e *event.CarSensor, offset int64, fingerprint uint32) {
	t.fold(&w.tally, e)
	if t.raise(w.car, e, offset) {
		w.tally.Anomalies++
	}
	t.remember(w, reading{e.Seq, offset, fingerprint})
}

// raise puts an alert among those to be written when the detector flags the event.
func (t *task) raise(c *car, e *event.CarSensor, offset int64) bool {
	rule, score := t.detect(e)
	if rule == view.NoRule {
		return false
	}
	t.alerts = append(t.alerts, alert{
		Alert: view.Alert{
			AlertKey:  view.AlertKey{CarID: c.id, Seq: e.Seq},
			EventTime: e.EventTime, Rule: rule, Score: score,
		},
		offset: offset,
	})
	return true
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

// A logic is one version of f: the detector that it goes by, and the fold, which says what a window
// tells. Versions that tell more are a fold around the fold before.
type logic struct {
	version string
	detect  detector
	fold    func(t *view.Tally, e *event.CarSensor)
}

// logics are the known versions, the oldest first.
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
