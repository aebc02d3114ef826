//bench:only lambda-shared
package lambda

import (
	"lambdakappa/event"
	"lambdakappa/view"
)

// An eventFold says f over events: it makes an event of every row and hands it to the speed
// layer's fold and detector, in the order of the log. No row is late here, and no reading is ever
// forgotten. What a window and an anomaly are is then written once.
//
// It reads the same columns as the columnFold, and makes them events without allocating: what it
// is slower by is the price of looking at one reading at a time.
type eventFold struct {
	*batchFold
	logic
	event event.CarSensor // memory for the row that is being folded
}

func newEventFold(f *batchFold, version string) batchLogic {
	logic, _ := logicOf(version)
	return &eventFold{batchFold: f, logic: logic}
}

// eventColumns says how many of foldColumns a version's fold looks at.
var eventColumns = map[string]int{
	"v1": colFingerprint + 1,
	"v2": colFingerprint + 1,   //bench:change bugfix version
	"v3": colIntakeAirFlow + 1, //bench:change metric version
	"v4": colAmbientTemp + 1,   //bench:change field version
}

// names are the columns that the version's fold looks at.
func (f *eventFold) names() []string { return foldColumns[:eventColumns[f.version]] }

// add makes events of a batch of the version's columns and folds them.
func (f *eventFold) add(b *columnBatch) error {
	if err := f.meet(b); err != nil {
		return err
	}
	n := b.rows // every column is cut to it, so that no access in the loop is checked again
	cars, seqs, times := b.int32s(colCar)[:n], b.int64s(colSeq)[:n], b.int64s(colEventTime)[:n]
	speed, coolant := b.floats(colSpeed)[:n], b.floats(colCoolantTemp)[:n]
	vibration, current := b.floats(colVibration)[:n], b.floats(colCurrentDraw)[:n]
	charge, voltage := b.floats(colBatteryPercentage)[:n], b.floats(colBatteryVoltage)[:n]
	t11, t12, t21, t22 := b.int32s(colTire)[:n], b.int32s(colTire + 1)[:n],
		b.int32s(colTire + 2)[:n], b.int32s(colTire + 3)[:n]
	a11, a12, a21, a22 := b.floats(colAccelerometer)[:n], b.floats(colAccelerometer + 1)[:n],
		b.floats(colAccelerometer + 2)[:n], b.floats(colAccelerometer + 3)[:n]
	fingerprints := b.int32s(colFingerprint)[:n]
	airFlow := b.laterFloats(colIntakeAirFlow) //bench:change metric event
	ambient := b.laterFloats(colAmbientTemp)   //bench:change field event
	e := &f.event
	for i := range n {
		id := f.codes[cars[i]]
		e.CarID, e.Seq, e.EventTime = f.cars[id].id, seqs[i], times[i]
		e.Speed, e.CoolantTemp, e.EngineVibrationAmplitude = speed[i], coolant[i], vibration[i]
		e.BatteryPercentage, e.BatteryVoltage, e.CurrentDraw = charge[i], voltage[i], current[i]
		e.TirePressure11, e.TirePressure12 = t11[i], t12[i]
		e.TirePressure21, e.TirePressure22 = t21[i], t22[i]
		e.Accelerometer11, e.Accelerometer12 = a11[i], a12[i]
		e.Accelerometer21, e.Accelerometer22 = a21[i], a22[i]
		if i < len(airFlow) { //bench:change metric event
			e.IntakeAirFlowSpeed = airFlow[i]
		}
		if i < len(ambient) { //bench:change field event
			e.AmbientTemp = ambient[i]
		}
		f.admit(id, uint32(fingerprints[i]))
	}
	return nil
}

// admit folds the event into its window unless its reading was there before. It is what
// generation.admit is to the speed layer, with a memory that reaches back to the first reading.
func (f *eventFold) admit(id int32, fingerprint uint32) {
	e, car := &f.event, &f.cars[id]
	if !car.seen.add(e.Seq) && !f.countRepeats {
		f.repeats = append(f.repeats, repeat{id, e.Seq, fingerprint})
		return
	}
	if start := e.EventTime - car.start; start < 0 || start >= f.rules.Window {
		f.turn(car, e.EventTime)
	}
	f.fold(car.tally, e)
	if rule, score := f.detect(e); rule != view.NoRule {
		car.tally.Anomalies++
		f.alerts = append(f.alerts, batchAlert{id, e.Seq, e.EventTime, rule, score})
	}
	if f.trips != nil && e.Speed > 0 { //bench:change view reading
		f.trips.add(id, driven(e))
	}
	if f.isOpen != nil && f.isOpen(e.EventTime) {
		f.handed = append(f.handed, handedReading{id, fingerprint, e.Seq, car.start})
	}
}
