package oracle

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
)

// Ensure that a fold remembers open windows only: what it knows of a long clean log does not grow.
func TestFoldForgets(t *testing.T) {
	f, err := NewFold(small(1), []int64{0})
	require.NoError(t, err)
	for seq := range int64(10_000) {
		e := reading("a", seq, seq)
		f.Add(Entry{Offset: seq, AppendTime: e.EventTime, Event: e})
	}
	// 33 s lie between the start of a window and the moment that closes it.
	require.LessOrEqual(t, len(f.cars["a"].seen.fingerprints), 40)
	require.LessOrEqual(t, len(f.cars["a"].seen.windows), 4)
	require.Len(t, f.Answer().Windows, 1_000)
}

// Ensure that an answer is a copy: the fold goes on without touching it.
func TestAnswerIsTheCallers(t *testing.T) {
	f, err := NewFold(small(1), []int64{0})
	require.NoError(t, err)
	f.Add(Entry{Offset: 0, Event: reading("a", 0, 0)})
	before := f.Answer()
	f.Add(Entry{Offset: 1, Reject: event.ReasonMalformed})
	f.Add(Entry{Offset: 2, Event: reading("a", 1, 1)})
	require.EqualValues(t, 1, before.Windows[0].Readings)
	require.EqualValues(t, 1, before.Counters.Events)
	require.Empty(t, before.DeadLetters)
}

// The COST line: 10,000 cars at 1 Hz, 10 s windows, on one core, without reading or decoding.
func BenchmarkFold(b *testing.B) {
	const cars = 10_000
	ids := make([]string, cars)
	for i := range ids {
		ids[i] = fmt.Sprintf("car-%05d", i)
	}
	cfg := Config{
		WindowMs: 10_000, DisorderMs: 2_000, LatenessMs: 30_000, SkewMs: 5_000,
		Version: "v1", Partitions: 1,
	}
	f, err := NewFold(cfg, []int64{0})
	require.NoError(b, err)
	e := reading("", 0, 0)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		e.CarID, e.Seq, e.EventTime = ids[i%cars], int64(i/cars), int64(i/cars)*1000
		f.Add(Entry{Offset: int64(i), AppendTime: e.EventTime, Event: e})
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
