package lambda

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"lambdakappa/event"
)

// eventsOf is a fleet of 1000 cars at 1 Hz, some events of which are late, and some know the
// temperature outside.
func eventsOf(rows int) []event.CarSensor {
	events := make([]event.CarSensor, rows)
	for i := range events {
		events[i] = testEvent(i%1000, int64(i/1000))
		if i%13 == 0 {
			events[i].EventTime -= 20_000
		}
		if i%7 < 3 && i > rows/3 {
			events[i].AmbientTemp = 280 + float32(i%20)
		}
	}
	return events
}

// eventsIn are those from a time, Unix ms.
func eventsIn(events []event.CarSensor, from, to int64) (wanted []event.CarSensor) {
	for _, e := range events {
		if e.EventTime >= from && e.EventTime < to {
			wanted = append(wanted, e)
		}
	}
	return wanted
}

func writeEvents(t testing.TB, cfg Config, first int, events []event.CarSensor) {
	t.Helper()
	rows := make([]masterRow, len(events))
	for i := range events {
		rows[i] = newMasterRow(&events[i], int64(first+i), events[i].EventTime, 0)
	}
	writeSegment(t, cfg, 0, int64(first), int64(first+len(events)), rows)
}

// Ensure that every field of the events of a time comes back, wherever it begins and ends in the pages
// of a file.
func TestEventsByColumns(t *testing.T) {
	const rows = 150_000 // pages of columns end at different rows
	cfg := testConfig(t)
	written := eventsOf(rows)
	const half = 100_500 // the files meet the cars in another order
	writeEvents(t, cfg, 0, written[:half])
	writeEvents(t, cfg, half, written[half:])
	f := func(from, to int64) {
		t.Helper()
		var got []event.CarSensor
		want := eventsIn(written, from, to)
		_, err := Events(context.Background(), cfg, time.UnixMilli(from), time.UnixMilli(to),
			func(e *event.CarSensor) error {
				got = append(got, *e)
				return nil
			})
		require.NoError(t, err)
		require.Equal(t, len(want), len(got), "[%d, %d)", from, to)
		for i := range got {
			if want[i] != got[i] {
				require.Equal(t, want[i], got[i], "[%d, %d), event %d", from, to, i)
			}
		}
	}
	f(0, 1<<50)
	random := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		from := testStart + random.Int64N(150_000)
		f(from, from+random.Int64N(40_000))
	}
}

// Ensure that a file from before a field is read from any row on.
func TestEventsFromBeforeAField(t *testing.T) {
	cfg := testConfig(t)
	written := eventsOf(5000)
	writeEvents(t, cfg, 0, written)
	path := cfg.segmentPath(0, 0, 5000, testStart)
	rows, err := parquet.ReadFile[masterRow](path)
	require.NoError(t, err)
	nodes := parquet.Group{}
	for _, f := range parquet.SchemaOf(masterRow{}).Fields() {
		if f.Name() != "ambient_temp" {
			nodes[f.Name()] = f
		}
	}
	older := filepath.Join(t.TempDir(), "older.parquet")
	file, err := os.Create(older)
	require.NoError(t, err)
	w := parquet.NewGenericWriter[masterRow](file, parquet.NewSchema("older", nodes))
	_, err = w.Write(rows)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, file.Close())
	require.NoError(t, os.Rename(older, path))

	var got []event.CarSensor
	const from, to = testStart + 3000, testStart + 4000
	_, err = Events(context.Background(), cfg, time.UnixMilli(from), time.UnixMilli(to),
		func(e *event.CarSensor) error {
			got = append(got, *e)
			return nil
		})
	require.NoError(t, err)
	want := eventsIn(written, from, to)
	for i := range want {
		want[i].AmbientTemp = 0
	}
	require.Equal(t, want, got)
}

// BenchmarkEvents finds all events of a master file.
func BenchmarkEvents(b *testing.B) {
	const rows = 500_000
	cfg := testConfig(b)
	writeEvents(b, cfg, 0, eventsOf(rows))
	b.ReportAllocs()
	start := time.Now()
	for b.Loop() {
		found := 0
		read, err := Events(context.Background(), cfg, time.UnixMilli(0), time.UnixMilli(1<<50),
			func(*event.CarSensor) error {
				found++
				return nil
			})
		require.NoError(b, err)
		require.Equal(b, rows, found)
		b.ReportMetric(float64(read.Bytes)/rows, "B/row")
	}
	reportRows(b, rows, start)
}

// Ensure that an answer which may be incomplete is an error: when the master dataset begins later than
// the log did, and when a file is missing in it. And that every end is that of its partition.
func TestEventsThatAreGone(t *testing.T) {
	written := eventsOf(6000) // 6 s
	at := func(i int) time.Time { return time.UnixMilli(written[i].EventTime) }
	f := func(cfg Config, from time.Time) (EventsRead, error) {
		return Events(context.Background(), cfg, from, at(5999), func(*event.CarSensor) error { return nil })
	}
	cut := testConfig(t)
	cut.Rules.MaxFutureSkew = 1000
	writeEvents(t, cut, 2000, written[2000:4000])
	writeEvents(t, cut, 4000, written[4000:])
	_, err := f(cut, at(2999))
	require.ErrorContains(t, err,
		"offsets below 2000 of partition 0 are gone, and may hold events of that time")
	read, err := f(cut, at(3001).Add(time.Second))
	require.NoError(t, err)
	require.Equal(t, []int64{6000}, read.Ends)

	gap := testConfig(t)
	writeEvents(t, gap, 0, written[:2000])
	writeEvents(t, gap, 4000, written[4000:])
	_, err = f(gap, at(2000))
	require.ErrorContains(t, err, "offsets from 2000 of partition 0 are missing")

	second := testConfig(t)
	rows := []masterRow{newMasterRow(&written[0], 0, written[0].EventTime, 0)}
	writeSegment(t, second, 1, 0, 1, rows)
	read, err = f(second, at(0))
	require.NoError(t, err)
	require.Equal(t, []int64{0, 1}, read.Ends)
}
