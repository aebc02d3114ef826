package httpapi

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"lambdakappa/view"
)

// A windowRow is a row of the windows view as JSON has it. The means are not read: they follow
// from the sums.
type windowRow struct {
	CarID              string    `json:"car_id"`
	WindowStart        time.Time `json:"window_start"`
	Readings           int64     `json:"readings"`
	SpeedMax           float32   `json:"speed_max"`
	CoolantTempMax     float32   `json:"coolant_temp_max"`
	EngineVibrationMax float32   `json:"engine_vibration_max"`
	TirePressureMin    int32     `json:"tire_pressure_min"`
	BatteryVoltageMin  float32   `json:"battery_voltage_min"`
	Anomalies          int64     `json:"anomalies"`
	LastSeq            int64     `json:"last_seq"`
	SpeedSum           int64     `json:"speed_sum"`
	CurrentDrawSum     int64     `json:"current_draw_sum"`
	IntakeAirFlowMax   float32   `json:"intake_air_flow_max"` //bench:change metric json-read
	AmbientTempMax     float32   `json:"ambient_temp_max"`    //bench:change field json-read
}

// newWindowRow starts from NaN: a number that is null or missing must never look exact. A metric of
// later versions may be missing: then nothing is known, which is 0.
func newWindowRow() windowRow {
	nan := float32(math.NaN())
	return windowRow{
		SpeedMax: nan, CoolantTempMax: nan, EngineVibrationMax: nan, BatteryVoltageMin: nan,
	}
}

func (r windowRow) window() (view.Window, error) {
	return view.Window{
		WindowKey: view.WindowKey{CarID: r.CarID, Start: r.WindowStart.UnixMilli()},
		Tally: view.Tally{
			Readings:           r.Readings,
			SpeedSum:           r.SpeedSum,
			SpeedMax:           r.SpeedMax,
			CoolantTempMax:     r.CoolantTempMax,
			EngineVibrationMax: r.EngineVibrationMax,
			TirePressureMin:    r.TirePressureMin,
			BatteryVoltageMin:  r.BatteryVoltageMin,
			CurrentDrawSum:     r.CurrentDrawSum,
			Anomalies:          r.Anomalies,
			LastSeq:            r.LastSeq,
			IntakeAirFlowMax:   r.IntakeAirFlowMax, //bench:change metric json-read
			AmbientTempMax:     r.AmbientTempMax,   //bench:change field json-read
		},
	}, nil
}

// An alertRow is a row of the alerts view as JSON has it.
type alertRow struct {
	CarID     string    `json:"car_id"`
	Seq       int64     `json:"seq"`
	EventTime time.Time `json:"event_time"`
	Rule      string    `json:"rule"`
	Score     float64   `json:"score"`
}

func newAlertRow() alertRow { return alertRow{Score: math.NaN()} }

func (r alertRow) alert() (view.Alert, error) {
	rule, known := view.ParseRule(r.Rule)
	if !known {
		return view.Alert{}, fmt.Errorf("unknown rule %q", r.Rule)
	}
	return view.Alert{
		AlertKey:  view.AlertKey{CarID: r.CarID, Seq: r.Seq},
		EventTime: r.EventTime.UnixMilli(),
		Rule:      rule,
		Score:     r.Score,
	}, nil
}

// A tripRow is a row of the trips view as JSON has it.
//
//bench:change view
type tripRow struct {
	CarID       string    `json:"car_id"`
	TripStart   time.Time `json:"trip_start"`
	TripEnd     time.Time `json:"trip_end"`
	Readings    int64     `json:"readings"`
	Distance    float64   `json:"distance"`
	HarshBrakes int64     `json:"harsh_brakes"`
	SpeedSum    int64     `json:"speed_sum"`
}

//bench:change view
func newTripRow() tripRow { return tripRow{Distance: math.NaN()} }

//bench:change view
func (r tripRow) trip() (view.Trip, error) {
	return view.Trip{
		CarID: r.CarID,
		Stretch: view.Stretch{
			Start: r.TripStart.UnixMilli(), End: r.TripEnd.UnixMilli(),
			Readings: r.Readings, SpeedSum: r.SpeedSum, HarshBrakes: r.HarshBrakes,
		},
		Distance: r.Distance,
	}, nil
}

// A latestRow is the answer to a point query as JSON has it.
type latestRow struct {
	Stamp
	Car     string    `json:"car"`
	LastSeq int64     `json:"last_seq"`
	Visible []int64   `json:"visible"`
	Window  windowRow `json:"window"`
}

func (r latestRow) latest() Latest {
	window, _ := r.Window.window()
	return Latest{Stamp: r.Stamp, Car: r.Car, LastSeq: r.LastSeq, Visible: r.Visible, Window: window}
}

// readLines reads newline-delimited JSON to its end.
func readLines[L, R any](body io.Reader, newLine func() L, row func(L) (R, error)) ([]R, error) {
	in := json.NewDecoder(bufio.NewReaderSize(body, chunkSize))
	var rows []R
	for {
		line := newLine()
		err := in.Decode(&line)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read row %d: %w", len(rows), err)
		}
		r, err := row(line)
		if err != nil {
			return nil, fmt.Errorf("read row %d: %w", len(rows), err)
		}
		rows = append(rows, r)
	}
}
