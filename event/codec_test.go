package event_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/avro"
	"pgregory.net/rapid"

	"lambdakappa/event"
)

// registry is a SchemaSource with a fixed content; it counts what it was asked.
type registry struct {
	schemas map[uint32]string
	err     error
	asked   int
}

func (r *registry) SchemaByID(id uint32) (string, error) {
	r.asked++
	if r.err != nil {
		return "", r.err
	}
	text, ok := r.schemas[id]
	if !ok {
		return "", event.ErrNoSchema
	}
	return text, nil
}

const schemaID = 7

func cars() *registry { return &registry{schemas: map[uint32]string{schemaID: event.Schema}} }

// sample is a reading with every field set, all different.
func sample() event.CarSensor {
	return event.CarSensor{
		CarID: "car-00042", Seq: 17, EventTime: 1567606196123,
		CoolantTemp: 39.5, IntakeAirTemp: 34.25, IntakeAirFlowSpeed: 123.5,
		BatteryPercentage: 82.75, BatteryVoltage: 246.125, CurrentDraw: -0.5,
		Speed: 24.75, EngineVibrationAmplitude: 2493.5, ThrottlePos: 0.25,
		TirePressure11: 32, TirePressure12: 31, TirePressure21: 34, TirePressure22: 33,
		Accelerometer11: 0.5, Accelerometer12: -0.75, Accelerometer21: 0.875, Accelerometer22: 1.5,
		ControlUnitFirmware: 2000,
	}
}

func encode(t testing.TB, e event.CarSensor) []byte {
	t.Helper()
	value, err := event.NewEncoder(schemaID).Append(nil, &e)
	require.NoError(t, err)
	return value
}

// anyEvent draws an event that every reader has to take.
func anyEvent(t *rapid.T) event.CarSensor {
	value := func(name string) float32 {
		const most = event.MaxMagnitude - 1
		return rapid.Float32Range(-most, most).Draw(t, name)
	}
	return event.CarSensor{
		CarID:     rapid.StringN(1, 30, -1).Draw(t, "car_id"),
		Seq:       rapid.Int64Range(0, math.MaxInt64).Draw(t, "seq"),
		EventTime: rapid.Int64Range(0, 253_402_300_799_999).Draw(t, "event_time"),

		CoolantTemp: value("coolant_temp"), IntakeAirTemp: value("intake_air_temp"),
		IntakeAirFlowSpeed: value("intake_air_flow_speed"),
		BatteryPercentage:  value("battery_percentage"), BatteryVoltage: value("battery_voltage"),
		CurrentDraw: value("current_draw"), Speed: value("speed"),
		EngineVibrationAmplitude: value("vibration"), ThrottlePos: value("throttle_pos"),
		TirePressure11:  rapid.Int32().Draw(t, "1_1"),
		TirePressure12:  rapid.Int32().Draw(t, "1_2"),
		TirePressure21:  rapid.Int32().Draw(t, "2_1"),
		TirePressure22:  rapid.Int32().Draw(t, "2_2"),
		Accelerometer11: value("1_1"), Accelerometer12: value("1_2"),
		Accelerometer21: value("2_1"), Accelerometer22: value("2_2"),
		ControlUnitFirmware: rapid.Int32().Draw(t, "firmware"),
	}
}

func TestCodecRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyEvent(t)
		prefix := []byte("kept")
		value, err := event.NewEncoder(schemaID).Append(prefix, &want)
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(value, prefix))
		value = value[len(prefix):]
		require.Equal(t, byte(0), value[0])
		require.EqualValues(t, schemaID, binary.BigEndian.Uint32(value[1:]))

		got := sample() // what an event held before must not shine through
		require.NoError(t, event.NewDecoder(cars()).Decode([]byte(want.CarID), value, &got))
		require.Equal(t, want, got)
	})
}

// Ensure that the fields and the schema name each other in the same order.
func TestSchemaFitsTheStruct(t *testing.T) {
	e := sample()
	var generic any
	_, err := avro.MustParse(event.Schema).Decode(encode(t, e)[5:], &generic)
	require.NoError(t, err)
	fields := generic.(map[string]any)
	require.Len(t, fields, 21)
	require.Equal(t, e.CarID, fields["car_id"])
	require.Equal(t, e.CurrentDraw, fields["current_draw"])
	require.Equal(t, e.TirePressure21, fields["tire_pressure_2_1"])
	require.Equal(t, e.Accelerometer12, fields["accelerometer_1_2_value"])
}

// Ensure that every reason is given for what it is for, and in the order in which they are tested.
func TestDecodeRejects(t *testing.T) {
	f := func(reason event.Reason, detail, key string, value []byte) {
		t.Helper()
		var e event.CarSensor
		err := event.NewDecoder(cars()).Decode([]byte(key), value, &e)
		var reject *event.Reject
		require.True(t, errors.As(err, &reject), "%v", err)
		require.Equal(t, reason, reject.Reason, reject.Detail)
		require.ErrorContains(t, err, string(reason)+": ")
		require.ErrorContains(t, err, detail)
	}
	good := sample()
	value := encode(t, good)
	other := func(id uint32) []byte {
		v := bytes.Clone(value)
		binary.BigEndian.PutUint32(v[1:], id)
		return v
	}
	f(event.ReasonMalformed, "wire format", good.CarID, nil)
	f(event.ReasonMalformed, "wire format", good.CarID, value[:4])
	f(event.ReasonMalformed, "wire format", good.CarID, append([]byte{1}, value[1:]...))
	for n := 5; n < len(value); n++ {
		f(event.ReasonMalformed, "", good.CarID, value[:n])
	}
	f(event.ReasonMalformed, "2 bytes after the event", good.CarID, append(bytes.Clone(value), 1, 2))
	f(event.ReasonUnknownSchema, "schema id 8", good.CarID, other(8))
	f(event.ReasonKeyMismatch, `key "car-1", car_id "car-00042"`, "car-1", value)
	f(event.ReasonKeyMismatch, `key ""`, "", value)

	change := func(change func(*event.CarSensor)) []byte {
		e := sample()
		change(&e)
		return encode(t, e)
	}
	f(event.ReasonKeyMismatch, `car_id ""`, "", change(func(e *event.CarSensor) { e.CarID = "" }))
	f(event.ReasonMalformed, "not UTF-8", "car\xff",
		change(func(e *event.CarSensor) { e.CarID = "car\xff" }))
	reject := func(detail string, c func(*event.CarSensor)) {
		t.Helper()
		f(event.ReasonOutOfRange, detail, good.CarID, change(c))
	}
	reject("seq -1", func(e *event.CarSensor) { e.Seq = -1 })
	reject("event_time -1", func(e *event.CarSensor) { e.EventTime = -1 })
	reject("event_time 253402300800000", func(e *event.CarSensor) { e.EventTime = 253_402_300_800_000 })
	for _, x := range []float32{
		float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1 << 20, -(1 << 20),
	} {
		for name, field := range floats {
			t.Run(name, func(t *testing.T) {
				reject("sensor value", func(e *event.CarSensor) { *field(e) = x })
			})
		}
	}
	// Two flaws: the one that is tested first names the reject.
	f(event.ReasonKeyMismatch, "", "car-1", change(func(e *event.CarSensor) { e.Seq = -1 }))
}

// floats are all float fields: each could overflow a sum.
var floats = map[string]func(*event.CarSensor) *float32{
	"coolant_temp":          func(e *event.CarSensor) *float32 { return &e.CoolantTemp },
	"intake_air_temp":       func(e *event.CarSensor) *float32 { return &e.IntakeAirTemp },
	"intake_air_flow_speed": func(e *event.CarSensor) *float32 { return &e.IntakeAirFlowSpeed },
	"battery_percentage":    func(e *event.CarSensor) *float32 { return &e.BatteryPercentage },
	"battery_voltage":       func(e *event.CarSensor) *float32 { return &e.BatteryVoltage },
	"current_draw":          func(e *event.CarSensor) *float32 { return &e.CurrentDraw },
	"speed":                 func(e *event.CarSensor) *float32 { return &e.Speed },
	"vibration":             func(e *event.CarSensor) *float32 { return &e.EngineVibrationAmplitude },
	"throttle_pos":          func(e *event.CarSensor) *float32 { return &e.ThrottlePos },
	"accelerometer_1_1":     func(e *event.CarSensor) *float32 { return &e.Accelerometer11 },
	"accelerometer_1_2":     func(e *event.CarSensor) *float32 { return &e.Accelerometer12 },
	"accelerometer_2_1":     func(e *event.CarSensor) *float32 { return &e.Accelerometer21 },
	"accelerometer_2_2":     func(e *event.CarSensor) *float32 { return &e.Accelerometer22 },
}

// Ensure that a car_id outlives the buffer that it was decoded from: readers reuse their buffers,
// and every map of open windows keeps car_ids.
func TestCarIDDoesNotPointIntoTheBuffer(t *testing.T) {
	value := encode(t, sample())
	key := []byte("car-00042")
	var e event.CarSensor
	require.NoError(t, event.NewDecoder(cars()).Decode(key, value, &e))
	clear(value)
	clear(key)
	require.Equal(t, "car-00042", e.CarID)
}

// Ensure that a writer's schema with a field more, and one that lacks a field which has a default,
// are read: schemas change while the log stays.
func TestDecodeResolvesWriterSchemas(t *testing.T) {
	added := strings.Replace(event.Schema, `{"name": "speed", "type": "float"},`,
		`{"name": "speed", "type": "float"},
		 {"name": "tow_bar", "type": ["null", "string"], "default": null},`, 1)
	promoted := strings.Replace(event.Schema, `{"name": "speed", "type": "float"}`,
		`{"name": "speed", "type": "int"}`, 1)
	lacking := strings.Replace(event.Schema, `{"name": "speed", "type": "float"},`, "", 1)
	require.NotContains(t, []string{added, promoted, lacking}, event.Schema)
	r := &registry{schemas: map[uint32]string{
		1: added, 2: promoted, 3: lacking, 4: `"string"`, 5: "no schema at all", schemaID: event.Schema,
	}}
	d := event.NewDecoder(r)
	want := sample()
	want.Speed = 24
	write := func(id uint32, more map[string]any) []byte {
		fields := map[string]any{}
		_, err := avro.MustParse(event.Schema).Decode(encode(t, want)[5:], &fields)
		require.NoError(t, err)
		for name, v := range more {
			fields[name] = v
		}
		value := binary.BigEndian.AppendUint32([]byte{0}, id)
		value, err = avro.MustParse(r.schemas[id]).AppendEncode(value, fields)
		require.NoError(t, err)
		return value
	}
	read := func(value []byte) (e event.CarSensor, err error) {
		err = d.Decode([]byte(want.CarID), value, &e)
		return e, err
	}
	for _, value := range [][]byte{
		write(1, map[string]any{"tow_bar": "long"}),
		write(1, map[string]any{"tow_bar": nil}),
		write(2, map[string]any{"speed": int32(24)}),
		encode(t, want),
	} {
		got, err := read(value)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for id := uint32(3); id <= 5; id++ { // without a default, another type, no schema
		_, err := read(binary.BigEndian.AppendUint32([]byte{0}, id))
		require.ErrorContains(t, err, "unknown_schema")
	}
}

// newerID is what the second version of the schema is registered under in these tests.
const newerID = 9

// Ensure that both versions of the schema are read side by side, each by its id, that an event is
// written in the oldest version that can say it, and that what an event held before does not shine
// through where the writer had nothing to say.
func TestVersionsOfTheSchema(t *testing.T) {
	d := event.NewDecoder(&registry{schemas: map[uint32]string{
		schemaID: event.Schema, newerID: event.Schema2,
	}})
	enc := event.NewEncoder(schemaID, newerID)
	old, newer := sample(), sample()
	newer.AmbientTemp = 293.5
	var got event.CarSensor
	for range 2 {
		for _, want := range []event.CarSensor{newer, old} {
			value, err := enc.Append(nil, &want)
			require.NoError(t, err)
			id := uint32(schemaID)
			if want.AmbientTemp != 0 {
				id = newerID
			}
			require.Equal(t, id, binary.BigEndian.Uint32(value[1:]))
			key := []byte(want.CarID)
			require.NoError(t, d.Decode(key, value, &got))
			require.Equal(t, want, got)
			require.Zero(t, testing.AllocsPerRun(1000, func() { _ = d.Decode(key, value, &got) }))
		}
	}
	newer.AmbientTemp = float32(math.NaN())
	value, err := enc.Append(nil, &newer)
	require.NoError(t, err)
	require.ErrorContains(t, d.Decode([]byte(newer.CarID), value, &got), "out_of_range")

	_, err = event.NewEncoder(schemaID).Append(nil, &newer)
	require.EqualError(t, err,
		"encode car-00042/17: needs version 2 of the schema, and only 1 have an id")
}

// Ensure that a field which was renamed is read under its old name, and that fields which nobody knows
// any more are passed over: what a log holds stays readable.
func TestRenamedField(t *testing.T) {
	renamed := strings.Replace(event.Schema2, `"ambient_temp"`, `"outside_temp"`, 1)
	renamed = strings.Replace(renamed, `, "aliases": ["outside_temp"]`, "", 1)
	require.NotContains(t, renamed, "ambient")
	r := &registry{schemas: map[uint32]string{schemaID: renamed}}
	want := sample()
	fields := map[string]any{}
	_, err := avro.MustParse(event.Schema).Decode(encode(t, want)[5:], &fields)
	require.NoError(t, err)
	fields["outside_temp"] = float32(280.25)
	value, err := avro.MustParse(renamed).AppendEncode(encode(t, want)[:5], fields)
	require.NoError(t, err)

	want.AmbientTemp = 280.25
	var got event.CarSensor
	require.NoError(t, event.NewDecoder(r).Decode([]byte(want.CarID), value, &got))
	require.Equal(t, want, got)
}

// Ensure that whoever knows only the first version can read what the second one wrote, as long as it
// asks a registry: deployments need no order.
func TestOlderReadersReadNewerEvents(t *testing.T) {
	e := sample()
	e.AmbientTemp = 293.5
	value, err := event.NewEncoder(1, 2).Append(nil, &e)
	require.NoError(t, err)
	older, err := avro.Resolve(avro.MustParse(event.Schema2), avro.MustParse(event.Schema))
	require.NoError(t, err)
	var got event.CarSensor
	_, err = older.Decode(value[5:], &got)
	require.NoError(t, err)
	require.Equal(t, sample(), got)
}

// Ensure that a registry which cannot be reached judges nothing: the reader fails and tries again,
// the event is no dead letter. What is there is asked for once, and what is not may be there a moment later.
func TestARegistryThatIsDownIsNoReject(t *testing.T) {
	r := cars()
	r.err = errors.New("connection refused")
	d := event.NewDecoder(r)
	e := sample()
	value := encode(t, e)
	err := d.Decode([]byte(e.CarID), value, &e)
	require.ErrorIs(t, err, r.err)
	require.EqualError(t, err, "look up schema 7: connection refused")
	var reject *event.Reject
	require.False(t, errors.As(err, &reject))

	r.err = nil
	unknown := append([]byte{0, 0, 0, 0, 9}, value[5:]...)
	r.asked = 0
	for range 3 {
		require.NoError(t, d.Decode([]byte(e.CarID), value, &e))
		require.ErrorContains(t, d.Decode([]byte(e.CarID), unknown, &e), "unknown_schema")
	}
	require.Equal(t, 4, r.asked)
	require.NoError(t, d.Clone().Decode([]byte(e.CarID), value, &e))
	require.Equal(t, 4, r.asked, "a clone knows what it knows")

	r.schemas[9] = r.schemas[schemaID] // registered after the first event
	require.NoError(t, d.Decode([]byte(e.CarID), unknown, &e))
}

func TestFingerprintTellsConflictsFromDuplicates(t *testing.T) {
	require.Equal(t, event.Fingerprint(encode(t, sample())), event.Fingerprint(encode(t, sample())))
	other := sample()
	other.Speed += 1.0 / 256
	require.NotEqual(t, event.Fingerprint(encode(t, sample())), event.Fingerprint(encode(t, other)))
	// CRC-32C, pinned: it is stored in the master dataset.
	require.EqualValues(t, 0xe3069283, event.Fingerprint([]byte("123456789")))
}

// Ensure that no bytes make the decoder panic, and that what it takes is an event that can be
// written and read again.
func FuzzDecode(f *testing.F) {
	e := sample()
	f.Add([]byte(e.CarID), encode(f, e))
	f.Add([]byte(e.CarID), encode(f, e)[:40])
	f.Add([]byte{}, []byte{0, 0, 0, 0, schemaID})
	f.Add([]byte("x"), []byte{0, 0, 0, 0, schemaID, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	d := event.NewDecoder(cars())
	enc := event.NewEncoder(schemaID)
	f.Fuzz(func(t *testing.T, key, value []byte) {
		var got, again event.CarSensor
		if err := d.Decode(key, value, &got); err != nil {
			var reject *event.Reject
			require.True(t, errors.As(err, &reject), "%v", err)
			return
		}
		encoded, err := enc.Append(nil, &got)
		require.NoError(t, err)
		require.NoError(t, d.Decode(key, encoded, &again))
		require.Equal(t, got, again)
	})
}

// BenchmarkEncode and BenchmarkDecode are the codec's share of every budget: one core, one event.
func BenchmarkEncode(b *testing.B) {
	e, enc := sample(), event.NewEncoder(schemaID)
	var value []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if value, err = enc.Append(value[:0], &e); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(value)))
}

func BenchmarkDecode(b *testing.B) {
	e := sample()
	key, value, d := []byte(e.CarID), encode(b, e), event.NewDecoder(cars())
	b.SetBytes(int64(len(value)))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode(key, value, &e); err != nil {
			b.Fatal(err)
		}
	}
}
