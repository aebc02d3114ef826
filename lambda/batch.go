package lambda

import (
	"math"
	"slices"

	"lambdakappa/event"
	"lambdakappa/view"
)

// foldColumns are the columns of the master dataset that f needs; no other is read. The order is
// that of the constants below; those at the end are for later versions, see columnLogics.
var foldColumns = []string{
	"car_id", "seq", "event_time",
	"speed", "coolant_temp", "engine_vibration_amplitude",
	"battery_percentage", "battery_voltage", "current_draw",
	"tire_pressure_1_1", "tire_pressure_1_2", "tire_pressure_2_1", "tire_pressure_2_2",
	"accelerometer_1_1_value", "accelerometer_1_2_value",
	"accelerometer_2_1_value", "accelerometer_2_2_value",
	"fingerprint",
	"intake_air_flow_speed", //bench:change metric column
	"ambient_temp",          //bench:change field column
}

const (
	colCar = iota
	colSeq
	colEventTime
	colSpeed
	colCoolantTemp
	colVibration
	colBatteryPercentage
	colBatteryVoltage
	colCurrentDraw
	colTire // and the three after it: 1_1, 1_2, 2_1, 2_2
	_
	_
	_
	colAccelerometer // and the three after it, in the same order
	_
	_
	_
	colFingerprint
	colIntakeAirFlow //bench:change metric column
	colAmbientTemp   //bench:change field column
)

// A batchFold is what the batch layer knows of one partition while it folds it in log order; a
// batchLogic says how a row changes it.
//
// It knows no lateness: whatever has arrived counts. It knows every reading that it ever saw, so
// a reading counts once however far apart its copies are.
type batchFold struct {
	rules event.Rules

	index   map[string]int32 // of a car in cars
	cars    []batchCar
	windows foldedWindows
	alerts  []batchAlert
	//bench:change view keep
	trips *foldedTrips // nil when they are not kept

	keptFrom int64 // the view has rows from this event time on; 0 is all

	isOpen  func(eventTime int64) bool // at the boundary; nil: no row of this file is in an open window
	handed  []handedReading            // that count and whose window is open, or not forgotten by the trips
	repeats []repeat                   // readings that were seen before: duplicates or conflicts

	countRepeats bool // see Mistakes

	codes []int32 // scratch: dictionary index -> index in cars, for one row group
}

// A columnFold says f over columns: the batch layer's own logic. It is written once more, per
// event, in speed.go; the two must say the same.
//
//bench:only lambda
type columnFold struct {
	*batchFold
	columnLogic
	fired []view.Rule // scratch: per row of a batch
	again []int       // scratch: the rows of a batch whose reading was seen before
}

//bench:only lambda
func newColumnFold(f *batchFold, version string) batchLogic {
	return &columnFold{batchFold: f, columnLogic: columnLogicOf(version)}
}

// A batchCar is what the fold knows of one car.
type batchCar struct {
	id     string
	seen   seqSet
	start  int64       // of the current window: readings mostly come in order, so the next is in it too
	tally  *view.Tally // of the current window
	newest int32       // index of the window with the greatest start; noIndex when there is none
}

// A batchWindow is one row of the batch view.
type batchWindow struct {
	start int64
	tally view.Tally
}

// A batchAlert is one row of the batch view.
type batchAlert struct {
	car       int32
	seq       int64
	eventTime int64
	rule      view.Rule
	score     float64
}

func newBatchFold(rules event.Rules, views view.Set) *batchFold {
	f := &batchFold{rules: rules, index: map[string]int32{}}
	if views.Has(view.Trips) { //bench:change view keep
		f.trips = &foldedTrips{gap: rules.TripGap}
	}
	return f
}

// car returns the index of a car, which becomes known by it.
func (f *batchFold) car(id []byte) int32 {
	if i, ok := f.index[string(id)]; ok {
		return i
	}
	i := int32(len(f.cars))
	f.cars = append(f.cars, batchCar{id: string(id), start: math.MinInt64, newest: noIndex})
	f.index[f.cars[i].id] = i
	return i
}

// meet makes the cars of a new row group known.
func (f *batchFold) meet(b *columnBatch) error {
	if !b.newGroup {
		return nil
	}
	f.codes = f.codes[:0]
	return b.dictionary(colCar, func(id []byte) { f.codes = append(f.codes, f.car(id)) })
}

// add folds a batch of the version's columns.
//
//bench:logic
//bench:only lambda
func (f *columnFold) add(b *columnBatch) error {
	if err := f.meet(b); err != nil {
		return err
	}
	f.fired = slices.Grow(f.fired[:0], b.rows)[:b.rows]
	f.detector.mark(b, f.fired)
	f.again = f.again[:0]

	cars, seqs, times := b.int32s(colCar), b.int64s(colSeq), b.int64s(colEventTime)
	speed, coolant := b.floats(colSpeed), b.floats(colCoolantTemp)
	vibration, voltage := b.floats(colVibration), b.floats(colBatteryVoltage)
	current, fingerprints := b.floats(colCurrentDraw), b.int32s(colFingerprint)
	t11, t12, t21, t22 := tires(b)
	airFlow := b.laterFloats(colIntakeAirFlow) //bench:change metric fold
	ambient := b.laterFloats(colAmbientTemp)   //bench:change field fold
	for i, code := range cars {
		id := f.codes[code]
		car := &f.cars[id]
		if !car.seen.add(seqs[i]) && !f.countRepeats {
			f.repeats = append(f.repeats, repeat{id, seqs[i], uint32(fingerprints[i])})
			f.again = append(f.again, i)
			continue
		}
		if start := times[i] - car.start; start < 0 || start >= f.rules.Window {
			f.turn(car, times[i])
		}
		t := car.tally
		t.Readings++
		t.SpeedSum += view.Fixed(speed[i])
		t.SpeedMax = max(t.SpeedMax, speed[i])
		t.CoolantTempMax = max(t.CoolantTempMax, coolant[i])
		t.EngineVibrationMax = max(t.EngineVibrationMax, vibration[i])
		t.TirePressureMin = min(t.TirePressureMin, t11[i], t12[i], t21[i], t22[i])
		t.BatteryVoltageMin = min(t.BatteryVoltageMin, voltage[i])
		t.CurrentDrawSum += view.Fixed(current[i])
		t.LastSeq = max(t.LastSeq, seqs[i])
		if i < len(airFlow) { //bench:change metric fold
			t.IntakeAirFlowMax = max(t.IntakeAirFlowMax, airFlow[i])
		}
		if i < len(ambient) { //bench:change field fold
			t.AmbientTempMax = max(t.AmbientTempMax, ambient[i])
		}
		if rule := f.fired[i]; rule != view.NoRule {
			t.Anomalies++
			f.alerts = append(f.alerts,
				batchAlert{id, seqs[i], times[i], rule, f.detector.score(b, i, rule)})
		}
		if f.isOpen != nil && f.isOpen(times[i]) {
			f.handed = append(f.handed,
				handedReading{id, uint32(fingerprints[i]), seqs[i], car.start})
		}
	}
	if f.trips != nil { //bench:change view
		f.drive(b)
	}
	return nil
}

// turn makes the window that holds event time t the car's current one.
func (f *batchFold) turn(car *batchCar, t int64) {
	car.start = f.rules.WindowStart(t)
	link := &car.newest
	for *link != noIndex && f.windows.at(*link).start > car.start {
		link = &f.windows.at(*link).older
	}
	if *link == noIndex || f.windows.at(*link).start != car.start {
		*link = f.windows.add(batchWindow{car.start, view.EmptyTally()}, *link)
	}
	car.tally = &f.windows.at(*link).tally
}

// load takes over what an earlier run has published.
func (f *batchFold) load(p *batchPart) {
	for i, id := range p.cars {
		car := &f.cars[f.car([]byte(id))]
		car.seen = slices.Clone(p.seenOf(int32(i)))
		for _, w := range p.windowsOf(int32(i)) {
			car.newest = f.windows.add(w, car.newest)
		}
		if f.trips != nil { //bench:change view
			for _, trip := range p.tripsOf(id, math.MinInt64) {
				f.trips.add(f.index[id], trip)
			}
		}
	}
	for _, a := range p.alerts {
		f.alerts = append(f.alerts,
			batchAlert{f.index[a.CarID], a.Seq, a.EventTime, a.Rule, a.Score})
	}
}
