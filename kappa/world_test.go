package kappa

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/eventlog/logtest"
)

// schemas is a registry with all versions of the schema, from id 1 on.
type schemas struct{}

func (schemas) SchemaByID(id uint32) (string, error) {
	if id < 1 || int(id) > len(event.Schemas) {
		return "", event.ErrNoSchema
	}
	return event.Schemas[id-1], nil
}

// measured is an ordinary reading: no rule fires. Times are Unix ms.
func measured(car string, seq, at int64) event.CarSensor {
	return event.CarSensor{
		CarID: car, Seq: seq, EventTime: at,
		CoolantTemp: 90, Speed: float32(seq%32) + 0.25, EngineVibrationAmplitude: 20,
		IntakeAirFlowSpeed: float32(seq%11) + 0.5, AmbientTemp: float32(seq % 3 / 2 * (280 + seq%7)),
		BatteryPercentage: 80, BatteryVoltage: 240, CurrentDraw: float32(seq%7) - 0.5,
		TirePressure11: 32, TirePressure12: 32, TirePressure21: 33, TirePressure22: 33,
		Accelerometer11: 1, Accelerometer12: 1, Accelerometer21: 1, Accelerometer22: 1,
	}
}

// hot is a reading that overheats: every version raises an alert.
func hot(car string, seq, at int64) event.CarSensor {
	e := measured(car, seq, at)
	e.CoolantTemp = 121
	return e
}

// encoder is shared: making one parses the schema.
var encoder = event.NewEncoder(1, 2)

// recordOf is an event as it stands on the log, sent when it was measured.
func recordOf(t testing.TB, e event.CarSensor) eventlog.Record {
	t.Helper()
	value, err := encoder.Append(nil, &e)
	require.NoError(t, err)
	return eventlog.Record{AppendTime: e.EventTime, Key: []byte(e.CarID), Value: value}
}

// numbered gives records the offsets 0, 1, ….
func numbered(records ...eventlog.Record) []eventlog.Record {
	for i := range records {
		records[i].Offset = int64(i)
	}
	return records
}

// carName names the cars of tests.
func carName(i int) string { return fmt.Sprintf("car-%05d", i) }

// disturbed is a log in which everything goes wrong: disorder, latecomers, duplicates, conflicts
// that claim another window, garbage, clocks in the future.
func disturbed(t testing.TB, seed uint64, cars, events int) []eventlog.Record {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 7))
	var records []eventlog.Record
	for i := range events {
		car, seq := carName(i%cars), int64(i/cars)
		at := 1_000_000 + seq*1000
		e := measured(car, seq, at)
		if random.IntN(20) == 0 {
			e.CoolantTemp = 121
		}
		switch random.IntN(12) {
		case 0: // out of order, within the lateness
			e.EventTime -= random.Int64N(20_000)
		case 1: // late, sometimes beyond it
			e.EventTime -= random.Int64N(90_000)
		}
		r := recordOf(t, e)
		r.AppendTime = at
		records = append(records, r)
		switch random.IntN(20) {
		case 0: // a duplicate of something recent
			records = append(records, records[max(0, len(records)-1-random.IntN(60*cars))])
		case 1: // a conflict: the same identity, another time
			e.EventTime -= 15_000
			e.Speed++
			conflict := recordOf(t, e)
			conflict.AppendTime = at
			records = append(records, conflict)
		case 2:
			bad := r
			bad.Value = bad.Value[:len(bad.Value)-3]
			records = append(records, bad)
		case 3:
			e.EventTime = at + 60_000
			e.Seq += 1_000_000
			future := recordOf(t, e)
			future.AppendTime = at
			records = append(records, future)
		}
	}
	return numbered(records...)
}

// startLog starts an embedded broker with an input of the given number of partitions.
func startLog(t testing.TB, partitions int) *eventlog.Log {
	t.Helper()
	ctx, log := context.Background(), logtest.Open(t, logtest.Config(t))
	require.NoError(t, log.CreateTopics(ctx,
		eventlog.TopicSpec{Name: eventlog.CarsTopic, Partitions: partitions}))
	ids, err := log.RegisterSchemas(ctx, event.Subject, event.Schemas[:]...)
	require.NoError(t, err)
	require.Equal(t, []uint32{1, 2}, ids, "the tests encode with these")
	return log
}

// send appends records to the input, each to the partition of its key.
func send(t testing.TB, log *eventlog.Log, records []eventlog.Record) {
	t.Helper()
	ctx := context.Background()
	n, err := log.Partitions(ctx, eventlog.CarsTopic)
	require.NoError(t, err)
	byPartition := make([][]eventlog.Record, n)
	for _, r := range records {
		p := eventlog.PartitionOf(r.Key, n)
		byPartition[p] = append(byPartition[p], r)
	}
	for p, records := range byPartition {
		if len(records) > 0 {
			_, err := log.Append(ctx, eventlog.CarsTopic, p, records)
			require.NoError(t, err)
		}
	}
}

// A flickeringRegistry cannot tell every second time, the first to begin with.
type flickeringRegistry struct{ asked int }

func (r *flickeringRegistry) SchemaByID(id uint32) (string, error) {
	if r.asked++; r.asked%2 == 1 {
		return "", io.ErrUnexpectedEOF
	}
	return schemas{}.SchemaByID(id)
}
