package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Ensure that a stall is seen in the slot of the events that it hit, that a slot has no percentile that too few samples stand
// behind, and that none begins before the run.
func TestLatencyOverTime(t *testing.T) {
	began := time.Unix(1_000, 0)
	sample := func(at, took time.Duration) timed { return timed{began.Add(at).UnixNano(), took.Nanoseconds()} }
	samples := []timed{sample(-time.Second, time.Hour)} // of history
	for i := range 200 {                                // the first slot: all alike
		samples = append(samples, sample(time.Duration(i)*time.Millisecond, 8*time.Millisecond))
	}
	for i := range 30 { // the third: few, and a stall
		samples = append(samples, sample(time.Second+time.Duration(i)*time.Millisecond, time.Duration(i+1)*10*time.Millisecond))
	}
	lines := latencySeries(samples, began)
	require.Len(t, lines, 3)
	require.Len(t, lines[0].Points, 2, "nothing was asked in the second slot")
	require.InDelta(t, 0.25, lines[0].Points[0][0], 1e-9)
	require.InDelta(t, 8, lines[0].Points[0][1], 0.1)
	require.InDelta(t, 1.25, lines[0].Points[1][0], 1e-9)
	require.InDelta(t, 150, lines[0].Points[1][1], 1)
	require.Len(t, lines[1].Points, 1, "30 samples have no p90")
	require.Len(t, lines[2].Points, 2)
	require.InDelta(t, 300, lines[2].Points[1][1], 1)
	for _, line := range latencySeries(nil, began) {
		require.Empty(t, line.Points)
	}
}
