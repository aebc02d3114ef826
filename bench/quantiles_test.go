package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Ensure that a percentile is given with ten samples beyond it, and not with nine.
func TestEnough(t *testing.T) {
	f := func(count int64, p float64, want bool) {
		t.Helper()
		require.Equal(t, want, enough(count, p))
	}
	f(19, .5, false)
	f(20, .5, true)
	f(99, .9, false)
	f(100, .9, true)
	f(999, .99, false)
	f(1000, .99, true)
	f(9_999, .999, false)
	f(10_000, .999, true)
}

// Ensure that what was not measured is nil, that milliseconds are milliseconds, and that the
// greatest sample is always there.
func TestQuantiles(t *testing.T) {
	h := newHistogram()
	require.Nil(t, quantilesOf(h).Max)

	for i := range 150 {
		record(h, int64(i+1)*int64(time.Millisecond))
	}
	q := quantilesOf(h)
	require.EqualValues(t, 150, q.Count)
	require.InDelta(t, 75, *q.P50, 0.1)
	require.InDelta(t, 135, *q.P90, 0.2)
	require.Nil(t, q.P99)
	require.Nil(t, q.P999)
	require.InDelta(t, 150, *q.Max, 0.2)
	last := q.Spectrum[len(q.Spectrum)-1]
	require.Equal(t, 92.5, last[0], "the spectrum ends where the samples do")
}

// Ensure that no sample is dropped, however odd.
func TestRecordClamps(t *testing.T) {
	h := newHistogram()
	record(h, -5)
	record(h, int64(time.Hour))
	require.EqualValues(t, 2, h.TotalCount())
}
