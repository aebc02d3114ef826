package httpapi

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"lambdakappa/view"
)

// rfc3339ms is RFC 3339 with exactly three digits, for times in UTC.
const rfc3339ms = "2006-01-02T15:04:05.000Z"

// appendWindow appends a row of the windows view as a JSON object. It is written by hand because
// it is the hot path of point queries, and so allocates nothing.
func appendWindow(dst []byte, w *view.Window) []byte {
	dst = appendString(append(dst, `{"car_id":`...), w.CarID)
	dst = appendTime(append(dst, `,"window_start":`...), w.Start)
	dst = appendInt(append(dst, `,"readings":`...), w.Readings)
	dst = appendFloat(append(dst, `,"speed_mean":`...), w.SpeedMean(), 64)
	dst = appendFloat(append(dst, `,"speed_max":`...), float64(w.SpeedMax), 32)
	dst = appendFloat(append(dst, `,"coolant_temp_max":`...), float64(w.CoolantTempMax), 32)
	dst = appendFloat(append(dst, `,"engine_vibration_max":`...), float64(w.EngineVibrationMax), 32)
	dst = appendInt(append(dst, `,"tire_pressure_min":`...), int64(w.TirePressureMin))
	dst = appendFloat(append(dst, `,"battery_voltage_min":`...), float64(w.BatteryVoltageMin), 32)
	dst = appendFloat(append(dst, `,"current_draw_mean":`...), w.CurrentDrawMean(), 64)
	dst = appendInt(append(dst, `,"anomalies":`...), w.Anomalies)
	dst = appendInt(append(dst, `,"last_seq":`...), w.LastSeq)
	dst = appendInt(append(dst, `,"speed_sum":`...), w.SpeedSum)
	dst = appendInt(append(dst, `,"current_draw_sum":`...), w.CurrentDrawSum)
	dst = appendKnown(dst, `,"intake_air_flow_max":`, w.IntakeAirFlowMax) //bench:change metric json
	dst = appendKnown(dst, `,"ambient_temp_max":`, w.AmbientTempMax)      //bench:change field json
	return append(dst, '}')
}

// appendAlert appends a row of the alerts view as a JSON object.
func appendAlert(dst []byte, a *view.Alert) []byte {
	dst = appendString(append(dst, `{"car_id":`...), a.CarID)
	dst = appendInt(append(dst, `,"seq":`...), a.Seq)
	dst = appendTime(append(dst, `,"event_time":`...), a.EventTime)
	dst = appendString(append(dst, `,"rule":`...), a.Rule.String())
	dst = appendFloat(append(dst, `,"score":`...), a.Score, 64)
	return append(dst, '}')
}

// appendTrip appends a row of the trips view as a JSON object.
//
//bench:change view
func appendTrip(dst []byte, t *view.Trip) []byte {
	dst = appendString(append(dst, `{"car_id":`...), t.CarID)
	dst = appendTime(append(dst, `,"trip_start":`...), t.Start)
	dst = appendTime(append(dst, `,"trip_end":`...), t.End)
	dst = appendInt(append(dst, `,"readings":`...), t.Readings)
	dst = appendFloat(append(dst, `,"distance":`...), t.Distance, 64)
	dst = appendInt(append(dst, `,"harsh_brakes":`...), t.HarshBrakes)
	dst = appendInt(append(dst, `,"speed_sum":`...), t.SpeedSum)
	return append(dst, '}')
}

// appendLatest appends the answer to a point query as a JSON object.
func appendLatest(dst []byte, l *Latest) []byte {
	dst = appendString(append(dst, `{"version":`...), l.Version)
	dst = appendInt(append(dst, `,"generation":`...), l.Generation)
	if l.Mistake != "" {
		dst = appendString(append(dst, `,"mistake":`...), l.Mistake)
	}
	dst = appendString(append(dst, `,"car":`...), l.Car)
	dst = appendInt(append(dst, `,"last_seq":`...), l.LastSeq)
	dst = append(dst, `,"visible":[`...)
	for i, seq := range l.Visible {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendInt(dst, seq)
	}
	dst = appendWindow(append(dst, `],"window":`...), &l.Window)
	return append(dst, '}')
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

// appendKnown appends a metric that not every version has, unless nothing is known: then it is left
// out, key and all.
//
//bench:change metric json-absent
func appendKnown(dst []byte, key string, x float32) []byte {
	if x == 0 {
		return dst
	}
	return appendFloat(append(dst, key...), float64(x), 32)
}

func appendTime(dst []byte, ms int64) []byte {
	dst = time.UnixMilli(ms).UTC().AppendFormat(append(dst, '"'), rfc3339ms)
	return append(dst, '"')
}

// appendFloat appends the shortest text that reads back as x. What JSON cannot say is null.
func appendFloat(dst []byte, x float64, bits int) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return append(dst, "null"...)
	}
	format := byte('f')
	if abs := math.Abs(x); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e' // as encoding/json: no rows of zeros
	}
	return strconv.AppendFloat(dst, x, format, -1, bits)
}

func appendString(dst []byte, s string) []byte {
	if !isPlain(s) {
		quoted, _ := json.Marshal(s) // a string cannot fail
		return append(dst, quoted...)
	}
	dst = append(append(dst, '"'), s...)
	return append(dst, '"')
}

// isPlain reports whether s stands in JSON as it is.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
