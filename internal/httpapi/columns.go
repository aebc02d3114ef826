package httpapi

import (
	"lambdakappa/view"
)

// windowColumns are the fields of the windows view, in the order in which JSON has them.
func windowColumns() []column[view.Window] {
	return []column[view.Window]{
		text("car_id", func(w *view.Window) *string { return &w.CarID }),
		instant("window_start", func(w *view.Window) *int64 { return &w.Start }),
		int64s("readings", func(w *view.Window) *int64 { return &w.Readings }),
		derived("speed_mean", func(w *view.Window) float64 { return w.SpeedMean() }),
		float32s("speed_max", func(w *view.Window) *float32 { return &w.SpeedMax }),
		float32s("coolant_temp_max", func(w *view.Window) *float32 { return &w.CoolantTempMax }),
		float32s("engine_vibration_max", func(w *view.Window) *float32 { return &w.EngineVibrationMax }),
		int32s("tire_pressure_min", func(w *view.Window) *int32 { return &w.TirePressureMin }),
		float32s("battery_voltage_min", func(w *view.Window) *float32 { return &w.BatteryVoltageMin }),
		derived("current_draw_mean", func(w *view.Window) float64 { return w.CurrentDrawMean() }),
		int64s("anomalies", func(w *view.Window) *int64 { return &w.Anomalies }),
		int64s("last_seq", func(w *view.Window) *int64 { return &w.LastSeq }),
		int64s("speed_sum", func(w *view.Window) *int64 { return &w.SpeedSum }),
		int64s("current_draw_sum", func(w *view.Window) *int64 { return &w.CurrentDrawSum }),
		known("intake_air_flow_max", func(w *view.Window) *float32 { return &w.IntakeAirFlowMax }), //bench:change metric arrow
		known("ambient_temp_max", func(w *view.Window) *float32 { return &w.AmbientTempMax }),      //bench:change field arrow
	}
}

// tripColumns are the fields of the trips view, in the order in which JSON has them.
//
//bench:change view
func tripColumns() []column[view.Trip] {
	return []column[view.Trip]{
		text("car_id", func(t *view.Trip) *string { return &t.CarID }),
		instant("trip_start", func(t *view.Trip) *int64 { return &t.Start }),
		instant("trip_end", func(t *view.Trip) *int64 { return &t.End }),
		int64s("readings", func(t *view.Trip) *int64 { return &t.Readings }),
		float64s("distance", func(t *view.Trip) *float64 { return &t.Distance }),
		int64s("harsh_brakes", func(t *view.Trip) *int64 { return &t.HarshBrakes }),
		int64s("speed_sum", func(t *view.Trip) *int64 { return &t.SpeedSum }),
	}
}

// alertColumns are the fields of the alerts view, in the order in which JSON has them.
func alertColumns() []column[view.Alert] {
	return []column[view.Alert]{
		text("car_id", func(a *view.Alert) *string { return &a.CarID }),
		int64s("seq", func(a *view.Alert) *int64 { return &a.Seq }),
		instant("event_time", func(a *view.Alert) *int64 { return &a.EventTime }),
		rules("rule", func(a *view.Alert) *view.Rule { return &a.Rule }),
		float64s("score", func(a *view.Alert) *float64 { return &a.Score }),
	}
}
