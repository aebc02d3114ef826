package lambda

import "lambdakappa/event"

// eventRows make events of columns, one by one: whole ones, where an eventFold makes what it folds.
// Nothing is allocated for a row.
type eventRows struct {
	names   []string // of the columns
	current *event.CarSensor

	cars     []string          // the dictionary of the row group
	known    map[string]string // cars that were met in any file
	car      []int32           // indices of cars
	times    []int64           // of the first of int64s
	int64s   []field[int64]
	int32s   []field[int32]
	float32s []field[float32]
}

// A field is where the values of a column go, one after the other.
type field[T any] struct {
	column int // of the batch
	to     *T
	values []T // of the batch
}

// eventFields are the columns that an event is made of, and where their values go. Cars have a
// dictionary: see eventRows.
func eventFields(e *event.CarSensor) []eventField {
	return []eventField{
		{"event_time", &e.EventTime}, // the first: see eventRows.times
		{"seq", &e.Seq},
		{"coolant_temp", &e.CoolantTemp},
		{"intake_air_temp", &e.IntakeAirTemp},
		{"intake_air_flow_speed", &e.IntakeAirFlowSpeed},
		{"battery_percentage", &e.BatteryPercentage},
		{"battery_voltage", &e.BatteryVoltage},
		{"current_draw", &e.CurrentDraw},
		{"speed", &e.Speed},
		{"engine_vibration_amplitude", &e.EngineVibrationAmplitude},
		{"throttle_pos", &e.ThrottlePos},
		{"tire_pressure_1_1", &e.TirePressure11},
		{"tire_pressure_1_2", &e.TirePressure12},
		{"tire_pressure_2_1", &e.TirePressure21},
		{"tire_pressure_2_2", &e.TirePressure22},
		{"accelerometer_1_1_value", &e.Accelerometer11},
		{"accelerometer_1_2_value", &e.Accelerometer12},
		{"accelerometer_2_1_value", &e.Accelerometer21},
		{"accelerometer_2_2_value", &e.Accelerometer22},
		{"control_unit_firmware", &e.ControlUnitFirmware},
		{"ambient_temp", &e.AmbientTemp}, //bench:change field decode
	}
}

type eventField struct {
	name string
	to   any // *int64, *int32 or *float32
}

func newEventRows() eventRows {
	r := eventRows{
		names: []string{"car_id"}, current: new(event.CarSensor), known: map[string]string{},
	}
	for _, f := range eventFields(r.current) {
		column := len(r.names)
		r.names = append(r.names, f.name)
		switch to := f.to.(type) {
		case *int64:
			r.int64s = append(r.int64s, field[int64]{column: column, to: to})
		case *int32:
			r.int32s = append(r.int32s, field[int32]{column: column, to: to})
		case *float32:
			r.float32s = append(r.float32s, field[float32]{column: column, to: to})
		}
	}
	return r
}

// bind takes the rows of a batch of the named columns.
func (r *eventRows) bind(b *columnBatch) error {
	if b.newGroup {
		r.cars = r.cars[:0]
		if err := b.dictionary(0, r.addCar); err != nil {
			return err
		}
	}
	r.car = b.int32s(0)
	bind(r.int64s, b.int64s)
	bind(r.int32s, b.int32s)
	bind(r.float32s, b.floats)
	r.times = r.int64s[0].values
	return nil
}

// addCar takes in a car of the dictionary. One that is known already is not allocated again: a car is
// in every file.
func (r *eventRows) addCar(text []byte) {
	car, ok := r.known[string(text)]
	if !ok {
		car = string(text)
		r.known[car] = car
	}
	r.cars = append(r.cars, car)
}

// event returns row i. It is valid until the next call.
func (r *eventRows) event(i int) *event.CarSensor {
	set(r.int64s, i)
	set(r.int32s, i)
	set(r.float32s, i)
	r.current.CarID = r.cars[r.car[i]]
	return r.current
}

// bind sets the values of fields to those of their columns.
func bind[T any](fields []field[T], ofColumn func(int) []T) {
	for i := range fields {
		fields[i].values = ofColumn(fields[i].column)
	}
}

// set sets fields to their values of row i.
func set[T any](fields []field[T], i int) {
	for j := range fields {
		f := &fields[j]
		*f.to = f.values[i]
	}
}
