package bench

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/parquet-go/parquet-go"

	"lambdakappa/bench/result"
	"lambdakappa/view"
)

// A windowRow is a row of the windows view as it is left in Parquet, for other people's tools.
type windowRow struct {
	CarID              string  `parquet:"car_id,dict"`
	WindowStart        int64   `parquet:"window_start"` // epoch ms
	Readings           int64   `parquet:"readings"`
	SpeedMean          float64 `parquet:"speed_mean"`
	SpeedMax           float32 `parquet:"speed_max"`
	CoolantTempMax     float32 `parquet:"coolant_temp_max"`
	EngineVibrationMax float32 `parquet:"engine_vibration_max"`
	TirePressureMin    int32   `parquet:"tire_pressure_min"`
	BatteryVoltageMin  float32 `parquet:"battery_voltage_min"`
	CurrentDrawMean    float64 `parquet:"current_draw_mean"`
	Anomalies          int64   `parquet:"anomalies"`
	LastSeq            int64   `parquet:"last_seq"`
	IntakeAirFlowMax   float32 `parquet:"intake_air_flow_max,optional"` //bench:change metric leave
	AmbientTempMax     float32 `parquet:"ambient_temp_max,optional"`    //bench:change field leave
}

func windowRowOf(w *view.Window) windowRow {
	return windowRow{
		CarID: w.CarID, WindowStart: w.Start, Readings: w.Readings,
		SpeedMean: w.SpeedMean(), SpeedMax: w.SpeedMax, CoolantTempMax: w.CoolantTempMax,
		EngineVibrationMax: w.EngineVibrationMax, TirePressureMin: w.TirePressureMin,
		BatteryVoltageMin: w.BatteryVoltageMin, CurrentDrawMean: w.CurrentDrawMean(),
		Anomalies: w.Anomalies, LastSeq: w.LastSeq,
		IntakeAirFlowMax: w.IntakeAirFlowMax, //bench:change metric leave
		AmbientTempMax:   w.AmbientTempMax,   //bench:change field leave
	}
}

// A tripRow is a row of the trips view in Parquet.
type tripRow struct {
	CarID       string  `parquet:"car_id,dict"`
	TripStart   int64   `parquet:"trip_start"` // epoch ms
	TripEnd     int64   `parquet:"trip_end"`   // epoch ms
	Readings    int64   `parquet:"readings"`
	Distance    float64 `parquet:"distance"` // m
	HarshBrakes int64   `parquet:"harsh_brakes"`
}

// encodeTrips writes the trips view as Parquet, in the order of its keys.
func encodeTrips(trips []view.Trip) ([]byte, error) {
	sorted := slices.Clone(trips)
	slices.SortFunc(sorted, func(a, b view.Trip) int { return a.Key().Compare(b.Key()) })
	rows := make([]tripRow, len(sorted))
	for i, t := range sorted {
		rows[i] = tripRow{t.CarID, t.Start, t.End, t.Readings, t.Distance, t.HarshBrakes}
	}
	return encodeRows("trips", rows)
}

// encodeWindows writes the windows view as Parquet, in the order of its keys.
func encodeWindows(windows []view.Window) ([]byte, error) {
	sorted := slices.Clone(windows)
	slices.SortFunc(sorted, func(a, b view.Window) int { return a.Compare(b.WindowKey) })
	rows := make([]windowRow, len(sorted))
	for i := range sorted {
		rows[i] = windowRowOf(&sorted[i])
	}
	return encodeRows("windows", rows)
}

func encodeRows[R any](name string, rows []R) ([]byte, error) {
	var out bytes.Buffer
	w := parquet.NewGenericWriter[R](&out, parquet.Compression(&parquet.Snappy))
	if _, err := w.Write(rows); err != nil {
		return nil, fmt.Errorf("encode %s: %w", name, err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("encode %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// leaveViews leaves the views that were judged: beside each other under the folder of the run,
// and of the last settled run at the top, where the examples of the documentation look for them.
// The truth beside them is that of a batch that covers the log up to end.
func (x *execution) leaveViews(end []int64) error {
	folders := []string{"views/" + x.run.Dir}
	if x.run.Scenario == settled {
		folders = append(folders, "views")
	}
	truth := x.truth.at(end)
	views := maps.Clone(x.served)
	views["truth"] = answer{windows: truth.Windows, trips: truth.Trips}
	for name, a := range views {
		raw, err := encodeWindows(a.windows)
		if err != nil {
			return err
		}
		trips, err := encodeTrips(a.trips)
		if err != nil {
			return err
		}
		for _, folder := range folders {
			if err := x.folder.write(folder+"/"+name+".parquet", raw); err != nil {
				return err
			}
			if !x.sut.views.Has(view.Trips) {
				continue
			}
			if err := x.folder.write(folder+"/"+name+"-trips.parquet", trips); err != nil {
				return err
			}
		}
	}
	for _, r := range x.runs() {
		r.Dir = folders[0]
	}
	return nil
}

// leaveHistogram leaves a histogram in the log format that HdrHistogram's tools read.
func (x *execution) leaveHistogram(name string, h *hdrhistogram.Histogram) error {
	var out bytes.Buffer
	w := hdrhistogram.NewHistogramLogWriter(&out)
	if err := w.OutputLogFormatVersion(); err != nil {
		return fmt.Errorf("write histogram: %w", err)
	}
	if err := w.OutputComment("[values are nanoseconds]"); err != nil {
		return fmt.Errorf("write histogram: %w", err)
	}
	if err := w.OutputLegend(); err != nil {
		return fmt.Errorf("write histogram: %w", err)
	}
	if err := w.OutputIntervalHistogram(h); err != nil {
		return fmt.Errorf("write histogram: %w", err)
	}
	return x.folder.write("hdr/"+x.run.Dir+"-"+name+".hlog", out.Bytes())
}

// writeSamples leaves the figures of all right runs in the Go benchmark format, one line a run, so
// that `benchstat -col /arch samples.txt` compares the arms.
func (f *folder) writeSamples(s *result.Summary) error {
	var b strings.Builder
	fmt.Fprintf(&b, "goos: %s\ngoarch: %s\npkg: lambdakappa\ncpu: %s\n", s.Machine.OS, s.Machine.Arch, s.Machine.CPU)
	for i := range s.Runs {
		r := &s.Runs[i]
		if figures := sampleFigures(r); r.OK && r.Void == "" && len(figures) > 0 {
			fmt.Fprintf(&b, "Benchmark%s/arch=%s-%d 1 %s\n", sampleName(r), r.Arm, s.Machine.Cores, strings.Join(figures, " "))
		}
	}
	return f.write("samples.txt", []byte(b.String()))
}

// sampleName is the same for what is compared: Kappa's replay stands beside Lambda's way from the
// log to the served answer.
func sampleName(r *result.Run) string {
	var name string
	for word := range strings.SplitSeq(r.Scenario, "-") {
		name += strings.ToUpper(word[:1]) + word[1:]
	}
	switch r.Phase {
	case "batch":
		name += "/phase=batch"
	case "replay", "log_to_served":
		name += "/phase=reprocess"
	}
	return name
}

// sampleFigures are value and unit of everything that the run measured.
func sampleFigures(r *result.Run) []string {
	var all []string
	add := func(unit string, x *float64) {
		if x != nil {
			all = append(all, fmt.Sprintf("%.6g %s", *x, unit))
		}
	}
	positive := func(unit string, x float64) {
		if x > 0 {
			add(unit, &x)
		}
	}
	quantiles := func(name string, q *result.Quantiles) {
		if q != nil {
			add(name+"-p50-ms", q.P50)
			add(name+"-p99-ms", q.P99)
		}
	}
	if l := r.LatencyMs; l != nil {
		quantiles("visible", &l.Visible)
		quantiles("query", &l.Query)
		quantiles("alert", l.Alert)
	}
	quantiles("fresh", r.FreshnessMs)
	positive("events/s", r.EventsPerSecond)
	if c := r.Cost; c != nil {
		positive("cpu-s/Mevent", c.CPUSecondsPerMillionEvents)
		positive("peak-B", float64(c.PeakRSSBytes))
		positive("log-B/event", c.BytesPerEvent.Log)
		positive("master-B/event", c.BytesPerEvent.Master)
		positive("views-B/event", c.BytesPerEvent.Views)
	}
	add("restore-ms", r.RestoreMs)
	return all
}
