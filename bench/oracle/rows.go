package oracle

import (
	"maps"
	"math"

	"lambdakappa/event"
	"lambdakappa/view"
)

// first returns a tally without readings whose extremes are those of e.
func first(e *event.CarSensor) *view.Tally {
	return &view.Tally{
		SpeedMax:           e.Speed,
		CoolantTempMax:     e.CoolantTemp,
		EngineVibrationMax: e.EngineVibrationAmplitude,
		TirePressureMin:    e.TirePressure11,
		BatteryVoltageMin:  e.BatteryVoltage,
		LastSeq:            e.Seq,
	}
}

// add adds one reading to a tally; its anomaly is counted by the caller.
func add(t *view.Tally, e *event.CarSensor) {
	t.Readings++
	t.SpeedSum += units(e.Speed)
	t.SpeedMax = max(t.SpeedMax, e.Speed)
	t.CoolantTempMax = max(t.CoolantTempMax, e.CoolantTemp)
	t.EngineVibrationMax = max(t.EngineVibrationMax, e.EngineVibrationAmplitude)
	t.TirePressureMin = min(t.TirePressureMin,
		e.TirePressure11, e.TirePressure12, e.TirePressure21, e.TirePressure22)
	t.BatteryVoltageMin = min(t.BatteryVoltageMin, e.BatteryVoltage)
	t.CurrentDrawSum += units(e.CurrentDraw)
	t.LastSeq = max(t.LastSeq, e.Seq)
}

// addV3 also looks at how much air the engine took.
//
//bench:change metric fold
func addV3(t *view.Tally, e *event.CarSensor) {
	add(t, e)
	if e.IntakeAirFlowSpeed > t.IntakeAirFlowMax {
		t.IntakeAirFlowMax = e.IntakeAirFlowSpeed
	}
}

// addV4 also looks at how warm it was outside.
//
//bench:change field fold
func addV4(t *view.Tally, e *event.CarSensor) {
	addV3(t, e)
	if e.AmbientTemp > t.AmbientTempMax {
		t.AmbientTempMax = e.AmbientTemp
	}
}

// units returns x in units of 2^-24, rounded half to even: integers sum to the same in any order.
func units(x float32) int64 { return int64(math.RoundToEven(math.Ldexp(float64(x), 24))) }

// Answer returns the truth about the log so far. The fold can go on afterwards.
func (f *Fold) Answer() Answer {
	a := Answer{
		Counters:    f.counters.Clone(),
		DeadLetters: maps.Clone(f.dead),
		Late:        maps.Clone(f.late),
		LateTrips:   maps.Clone(f.lateTrips),
	}
	windows, trips := []view.Window{}, []view.Trip{}
	for id, c := range f.cars {
		for start, t := range c.windows {
			key := view.WindowKey{CarID: id, Start: start}
			windows = append(windows, view.Window{WindowKey: key, Tally: *t})
		}
		trips = c.tripRows(trips, id, f.cfg.IntervalMs)
	}
	alerts := make([]view.Alert, 0, len(f.alerts))
	for _, alert := range f.alerts {
		alerts = append(alerts, alert)
	}
	a.Windows, a.Alerts, a.Trips = table(windows), table(alerts), table(trips)
	for _, p := range f.partitions {
		a.Watermarks = append(a.Watermarks, p.watermark)
	}
	return a
}

func table[K view.Key[K], R view.Row[K]](rows []R) view.Table[K, R] {
	t, err := view.NewTable(rows)
	if err != nil {
		panic(err) // the rows come from a map: no key occurs twice
	}
	return t
}
