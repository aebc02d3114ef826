package lambda

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sort"

	"lambdakappa/view"
)

// The batch view of a generation is four files per partition in the folder of the generation:
// windows, alerts, seen (all readings that count, as runs of seqs) and handover (see handover.go).
// A fifth, trips (see batchtrips.go), is there where they are kept.
// Rows are in the order of their keys.

// A windowEntry is a row of the file "windows": raw sums, so that the speed view can be merged in.
// Counts and times shrink by their encoding; sums and measurements would not shrink by much, and
// compressing them would take as long as everything else that writes the view.
type windowEntry struct {
	CarID              string  `parquet:"car_id,dict"`
	Start              int64   `parquet:"window_start,delta"`
	Readings           int64   `parquet:"readings,delta"`
	SpeedSum           int64   `parquet:"speed_sum"`
	SpeedMax           float32 `parquet:"speed_max"`
	CoolantTempMax     float32 `parquet:"coolant_temp_max"`
	EngineVibrationMax float32 `parquet:"engine_vibration_max"`
	TirePressureMin    int32   `parquet:"tire_pressure_min,delta"`
	BatteryVoltageMin  float32 `parquet:"battery_voltage_min"`
	CurrentDrawSum     int64   `parquet:"current_draw_sum"`
	Anomalies          int64   `parquet:"anomalies,delta"`
	LastSeq            int64   `parquet:"last_seq,delta"`

	// Metrics that came later: null where nothing is known.
	IntakeAirFlowMax float32 `parquet:"intake_air_flow_max,optional"` //bench:change metric encode
	AmbientTempMax   float32 `parquet:"ambient_temp_max,optional"`    //bench:change field encode
}

// windowColumns are the columns of windowEntry in their order.
var windowColumns = []string{
	"car_id", "window_start", "readings", "speed_sum", "speed_max", "coolant_temp_max",
	"engine_vibration_max", "tire_pressure_min", "battery_voltage_min", "current_draw_sum",
	"anomalies", "last_seq",
	"intake_air_flow_max", //bench:change metric decode
	"ambient_temp_max",    //bench:change field decode
}

// An alertEntry is a row of the file "alerts".
type alertEntry struct {
	CarID     string  `parquet:"car_id,dict"`
	Seq       int64   `parquet:"seq"`
	EventTime int64   `parquet:"event_time"`
	Rule      int32   `parquet:"rule"`
	Score     float64 `parquet:"score"`
}

// A seenEntry is a row of the file "seen": a run of seqs of a car, both ends included.
type seenEntry struct {
	CarID string `parquet:"car_id,dict"`
	First int64  `parquet:"first"`
	Last  int64  `parquet:"last"`
}

func partFile(dir, name string, partition int) string {
	return filepath.Join(dir, fmt.Sprintf("%s-p%03d.parquet", name, partition))
}

// writeView writes windows, alerts and seen of one partition into dir.
func (f *batchFold) writeView(dir string, partition int, order carOrder) error {
	err := writeParquet(partFile(dir, "windows", partition), func(emit func(windowEntry)) {
		var windows []int32
		for _, i := range order.cars {
			windows = f.keptWindows(windows[:0], i)
			for _, w := range windows {
				emit(newWindowEntry(f.cars[i].id, &f.windows.at(w).batchWindow))
			}
		}
	})
	return errors.Join(err,
		writeParquet(partFile(dir, "alerts", partition), func(emit func(alertEntry)) {
			for _, a := range inOrder(order, f.alerts) {
				if a.eventTime >= f.keptFrom {
					emit(alertEntry{f.cars[a.car].id, a.seq, a.eventTime, int32(a.rule), a.score})
				}
			}
		}),
		writeParquet(partFile(dir, "seen", partition), func(emit func(seenEntry)) {
			for _, i := range order.cars {
				if !f.isAnswered(i) {
					continue
				}
				for _, run := range f.cars[i].seen {
					emit(seenEntry{f.cars[i].id, run.first, run.last})
				}
			}
		}))
}

// isAnswered reports whether the view has a window of a car, and with it whatever it has of the car.
func (f *batchFold) isAnswered(car int32) bool {
	newest := f.cars[car].newest
	return newest != noIndex && f.windows.at(newest).start >= f.keptFrom
}

// keptWindows appends the indices of the windows of a car that the view has to dst, which is empty, by ascending
// start.
func (f *batchFold) keptWindows(dst []int32, car int32) []int32 {
	dst = f.windows.oldestFirst(dst, f.cars[car].newest)
	return dst[sort.Search(len(dst), func(i int) bool { return f.windows.at(dst[i]).start >= f.keptFrom }):]
}

// windowsKept is the number of windows that the view has.
func (f *batchFold) windowsKept() (n int64) {
	if f.keptFrom == 0 {
		return int64(f.windows.len)
	}
	for car := range f.cars {
		n += int64(len(f.keptWindows(nil, int32(car))))
	}
	return n
}

// alertsKept is the number of alerts that the view has.
func (f *batchFold) alertsKept() (n int64) {
	for i := range f.alerts {
		if f.alerts[i].eventTime >= f.keptFrom {
			n++
		}
	}
	return n
}

// writeHandover writes the readings that the speed layer has to know.
func (f *batchFold) writeHandover(dir string, partition int, order carOrder) error {
	return writeParquet(partFile(dir, "handover", partition), func(emit func(handoverEntry)) {
		for _, r := range inOrder(order, f.handed) {
			emit(handoverEntry{f.cars[r.car].id, r.seq, r.windowStart, r.fingerprint})
		}
	})
}

func newWindowEntry(car string, w *batchWindow) windowEntry {
	t := &w.tally
	return windowEntry{
		CarID: car, Start: w.start, Readings: t.Readings, SpeedSum: t.SpeedSum, SpeedMax: t.SpeedMax,
		CoolantTempMax: t.CoolantTempMax, EngineVibrationMax: t.EngineVibrationMax,
		TirePressureMin: t.TirePressureMin, BatteryVoltageMin: t.BatteryVoltageMin,
		CurrentDrawSum: t.CurrentDrawSum, Anomalies: t.Anomalies, LastSeq: t.LastSeq,
		IntakeAirFlowMax: t.IntakeAirFlowMax, //bench:change metric encode
		AmbientTempMax:   t.AmbientTempMax,   //bench:change field encode
	}
}

// A batchPart is the batch view of one partition as it is loaded from disk. It is immutable, and
// free of pointers but for the ids of cars: millions of rows cost the garbage collector nothing.
type batchPart struct {
	cars  []string         // ascending
	index map[string]int32 // of a car in cars

	windows    []batchWindow // by car, then start
	windowsEnd []int32       // per car: exclusive end of its rows in windows

	seen    []seqRun // by car, then seq
	seenEnd []int32  // per car: exclusive end of its runs in seen

	alerts []view.Alert // by car, then seq

	//bench:change view
	trips []view.Stretch // by car, then start
	//bench:change view
	tripsEnd []int32 // per car: exclusive end of its rows in trips
}

// windowsOf returns the rows of car i.
func (p *batchPart) windowsOf(i int32) []batchWindow { return rowsOf(p.windows, p.windowsEnd, i) }

// seenOf returns the seqs of car i.
func (p *batchPart) seenOf(i int32) seqSet { return rowsOf(p.seen, p.seenEnd, i) }

func rowsOf[T any](all []T, ends []int32, i int32) []T {
	var from int32
	if i > 0 {
		from = ends[i-1]
	}
	return all[from:ends[i]:ends[i]]
}

// windowAt returns the row of car i that starts at start, nil when there is none.
func (p *batchPart) windowAt(i int32, start int64) *batchWindow {
	rows := p.windowsOf(i)
	at := sort.Search(len(rows), func(n int) bool { return rows[n].start >= start })
	if at == len(rows) || rows[at].start != start {
		return nil
	}
	return &rows[at]
}

// hasWindow reports whether there is a row for that key. A part that is not loaded has none.
func (p *batchPart) hasWindow(car string, start int64) bool {
	if p == nil {
		return false
	}
	i, ok := p.index[car]
	return ok && p.windowAt(i, start) != nil
}

// hasAlert reports whether there is a row for that key, of an event time from a time on. A part that is not
// loaded has none.
func (p *batchPart) hasAlert(car string, seq, from int64) bool {
	if p == nil {
		return false
	}
	i, found := slices.BinarySearchFunc(p.alerts, view.AlertKey{CarID: car, Seq: seq},
		func(a view.Alert, key view.AlertKey) int { return a.AlertKey.Compare(key) })
	return found && p.alerts[i].EventTime >= from
}

// alertsOf returns the alerts of one car, or of all when car is "".
func (p *batchPart) alertsOf(car string) []view.Alert {
	if car == "" {
		return p.alerts
	}
	from := sort.Search(len(p.alerts), func(i int) bool { return p.alerts[i].CarID >= car })
	end := sort.Search(len(p.alerts), func(i int) bool { return p.alerts[i].CarID > car })
	return p.alerts[from:end]
}

// loadBatchPart loads what writeView wrote.
func loadBatchPart(dir string, partition int, views view.Set) (*batchPart, error) {
	p := &batchPart{index: map[string]int32{}}
	err := errors.Join(
		p.loadWindows(partFile(dir, "windows", partition)),
		p.loadSeen(partFile(dir, "seen", partition)),
		p.loadAlerts(partFile(dir, "alerts", partition)))
	if err == nil && views.Has(view.Trips) { //bench:change view
		err = p.loadTrips(partFile(dir, "trips", partition))
	}
	return p, err
}

func (p *batchPart) loadWindows(path string) error {
	var ids []string
	return scanFile(path, windowColumns, func(b *columnBatch) error {
		if b.newGroup {
			ids = ids[:0]
			if err := b.dictionary(0, func(id []byte) { ids = append(ids, string(id)) }); err != nil {
				return err
			}
			p.windows = slices.Grow(p.windows, b.groupRows)
		}
		for i, code := range b.int32s(0) {
			if n := len(p.cars); n == 0 || p.cars[n-1] != ids[code] {
				p.index[ids[code]] = int32(n)
				p.cars = append(p.cars, ids[code])
				p.windowsEnd = append(p.windowsEnd, int32(len(p.windows)))
			}
			p.windows = append(p.windows, batchWindow{b.int64s(1)[i], loadTally(b, i)})
			p.windowsEnd[len(p.cars)-1]++
		}
		return nil
	})
}

func loadTally(b *columnBatch, i int) view.Tally {
	return view.Tally{
		Readings: b.int64s(2)[i], SpeedSum: b.int64s(3)[i], SpeedMax: b.floats(4)[i],
		CoolantTempMax: b.floats(5)[i], EngineVibrationMax: b.floats(6)[i],
		TirePressureMin: b.int32s(7)[i], BatteryVoltageMin: b.floats(8)[i],
		CurrentDrawSum: b.int64s(9)[i], Anomalies: b.int64s(10)[i], LastSeq: b.int64s(11)[i],
		IntakeAirFlowMax: b.floats(12)[i], //bench:change metric decode
		AmbientTempMax:   b.floats(13)[i], //bench:change field decode
	}
}

// loadSeen comes after loadWindows: a car with a seen reading has a window.
func (p *batchPart) loadSeen(path string) error {
	p.seenEnd = make([]int32, len(p.cars))
	return readParquet(path, func(r *seenEntry) error {
		car, err := p.car(r.CarID)
		if err != nil {
			return err
		}
		p.seen = append(p.seen, seqRun{r.First, r.Last})
		p.seenEnd[car] = int32(len(p.seen))
		return nil
	})
}

func (p *batchPart) car(id string) (int32, error) {
	car, ok := p.index[id]
	if !ok {
		return 0, fmt.Errorf("car %s has no window", id)
	}
	return car, nil
}

func (p *batchPart) loadAlerts(path string) error {
	return readParquet(path, func(r *alertEntry) error {
		car, err := p.car(r.CarID)
		if err != nil {
			return err
		}
		p.alerts = append(p.alerts, view.Alert{
			AlertKey:  view.AlertKey{CarID: p.cars[car], Seq: r.Seq},
			EventTime: r.EventTime, Rule: view.Rule(r.Rule), Score: r.Score,
		})
		return nil
	})
}
