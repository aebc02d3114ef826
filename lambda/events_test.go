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

// eventsOf is a fleet of 1000 cars at 1 Hz, of which some know the temperature outside, now and then.
func eventsOf(rows int) []event.CarSensor {
	events := make([]event.CarSensor, rows)
	for i := range events {
		events[i] = testEvent(i%1000, int64(i/1000))
		if i%7 < 3 && i > rows/3 {
			events[i].AmbientTemp = 280 + float32(i%20)
		}
	}
	return events
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
	writeEvents(t, cfg, 0, written[:100_000])
	writeEvents(t, cfg, 100_000, written[100_000:])
	f := func(from, to int64) {
		t.Helper()
		var want, got []event.CarSensor
		for i := range written {
			if at := written[i].EventTime; at >= from && at < to {
				want = append(want, written[i])
			}
		}
		_, err := Events(context.Background(), cfg, time.UnixMilli(from), time.UnixMilli(to),
			func(e *event.CarSensor) error {
				got = append(got, *e)
				return nil
			})
		require.NoError(t, err)
		require.Len(t, got, len(want), "[%d, %d)", from, to)
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
	from := time.UnixMilli(testStart + 3000)
	_, err = Events(context.Background(), cfg, from, from.Add(time.Second),
		func(e *event.CarSensor) error {
			got = append(got, *e)
			return nil
		})
	require.NoError(t, err)
	want := written[3000:4000]
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
