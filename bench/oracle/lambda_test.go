package oracle

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/view"
)

// Ensure that the batch view repairs what was late below the boundary, and only that.
func TestBoundaryRepairsLateEvents(t *testing.T) {
	o := oracleOf(t, small(1), logOf(
		reading("a", 0, 30),
		reading("a", 1, 5), // late
		reading("a", 2, 40),
		reading("a", 3, 6), // late
	))
	f := func(boundary int64, want map[int64]counts, late ...Position) {
		t.Helper()
		got := o.Lambda([]int64{boundary})
		require.Equal(t, want, inShort(t, got))
		require.Len(t, got.Late, len(late))
		for _, position := range late {
			require.True(t, got.Late[position])
		}
		require.EqualValues(t, len(late), got.Counters.DroppedLate)
		require.EqualValues(t, 4, got.Counters.Events)
	}
	f(0, map[int64]counts{30: {1, 0}, 40: {1, 2}}, Position{0, 1}, Position{0, 3})
	f(1, map[int64]counts{30: {1, 0}, 40: {1, 2}}, Position{0, 1}, Position{0, 3})
	f(2, map[int64]counts{0: {1, 1}, 30: {1, 0}, 40: {1, 2}}, Position{0, 3})
	f(4, map[int64]counts{0: {2, 3}, 30: {1, 0}, 40: {1, 2}})
}

// Ensure that a duplicate on the far side of the boundary is known by the hand-over.
func TestHandOverKnowsOpenReadings(t *testing.T) {
	twice := reading("a", 0, 5)
	o := oracleOf(t, small(1), logOf(twice, twice))
	require.Equal(t, view.Counters{Events: 2, Duplicates: 1}, o.Lambda([]int64{1}).Counters)
	require.Equal(t, map[int64]counts{0: {1, 0}}, inShort(t, o.Lambda([]int64{1})))
}

// Ensure that the hand-over holds what the batch admitted, even if it was late when it came: but
// only while its window is open, which a late reading's never is.
func TestHandOverHoldsNoClosedWindow(t *testing.T) {
	late := reading("a", 0, 5)
	conflict := reading("a", 0, 31)
	log := logOf(reading("a", 1, 30), late, conflict)
	log[2].Fingerprint = 1
	o := oracleOf(t, small(1), log)
	// Below the boundary (a, 0) is the late reading and the conflict is one. From boundary 2 on
	// the late reading's window is closed, so nothing is known of (a, 0).
	require.Equal(t, map[int64]counts{0: {1, 0}, 30: {1, 1}}, inShort(t, o.Lambda([]int64{3})))
	require.Equal(t, map[int64]counts{0: {1, 0}, 30: {2, 1}}, inShort(t, o.Lambda([]int64{2})))
	require.Equal(t, map[int64]counts{30: {2, 1}}, inShort(t, o.Lambda([]int64{0})))
}

// Ensure that the watermark of [0, boundary) is handed over: what was late stays late.
func TestHandOverHoldsTheWatermark(t *testing.T) {
	o := oracleOf(t, small(1), logOf(reading("a", 0, 100), reading("a", 1, 5)))
	require.EqualValues(t, 1, o.Lambda([]int64{1}).Counters.DroppedLate)
}

// Ensure that each partition has a boundary of its own.
func TestBoundaryPerPartition(t *testing.T) {
	log := logOf(reading("a", 0, 100), reading("a", 1, 5), reading("b", 0, 100), reading("b", 1, 5))
	for i := range log[2:] {
		log[2+i].Partition, log[2+i].Offset = 1, int64(i)
	}
	got := oracleOf(t, small(2), log).Lambda([]int64{2, 0})
	require.Equal(t, map[Position]bool{{1, 1}: true}, got.Late)
}

// Ensure that the truth about a log as it was is that about a log which ended there.
func TestUntil(t *testing.T) {
	log := logOf(reading("a", 0, 30), reading("a", 1, 5), reading("a", 2, 40), reading("a", 3, 6))
	o := oracleOf(t, small(1), log)
	for end := range int64(len(log) + 1) {
		before, cut := o.Until([]int64{end}), oracleOf(t, small(1), log[:end])
		for boundary := range end + 1 {
			require.Equal(t, cut.Lambda([]int64{boundary}), before.Lambda([]int64{boundary}))
		}
	}
	require.Equal(t, len(log), o.Len(), "it keeps what it had")
	require.Panics(t, func() { o.Until([]int64{1, 2}) })
}
