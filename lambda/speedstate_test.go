package lambda

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
)

// Ensure that the speed layer remembers open windows and nothing else, however long the log is,
// and forgets cars that have gone. (Invariant 8.)
func TestMemoryIsBoundedByOpenWindows(t *testing.T) {
	cfg := testConfig(t)
	h := emptyHandover(cfg, 0)
	h.cars = map[string]handedCar{
		"car-gone": {seqs: []int64{5}, windowStarts: []int64{1_000_000}, fingerprints: []uint32{1}},
	}
	h.oldest, h.newest = 1_000_000, 1_000_000
	g := newGeneration(cfg, h, event.NewDecoder(schemas{}))
	// Open are the windows that reach into the lateness and the disorder behind the newest event,
	// and the one that the newest event is in.
	open := int((cfg.Rules.AllowedLateness+cfg.Rules.DisorderBound)/cfg.Rules.Window) + 2
	var offset int64
	for seq := range int64(500) {
		for car := range 3 {
			r := recordOf(t, measured(carName(car), seq, 1_000_000+seq*1000))
			r.Offset = offset
			offset++
			require.NoError(t, g.judge(&r))
		}
		g.flushed()
		for _, c := range g.cars {
			require.LessOrEqual(t, len(c.open), open)
		}
	}
	require.Len(t, g.cars, 3)
	require.Empty(t, g.changed)
	require.Nil(t, g.handed)
	require.LessOrEqual(t, len(g.spare), 3*open)
}

// Ensure that a reading that was handed over counts as seen while its window is open, and not a
// moment longer: forgetting is exact, as that of the windows which the speed layer has itself.
func TestHandedReadingsAreForgottenWithTheirWindow(t *testing.T) {
	cfg := testConfig(t)
	h := emptyHandover(cfg, 0)
	h.cars = map[string]handedCar{"car-1": {
		seqs: []int64{7, 8}, windowStarts: []int64{0, 10_000}, fingerprints: []uint32{1, 2},
	}}
	h.oldest, h.newest = 0, 10_000
	s := newSpeedState(h)
	requireSeen := func(first, second bool) {
		t.Helper()
		c := s.car("car-1")
		_, seen := s.seen(c, 7)
		require.Equal(t, first, seen)
		fingerprint, seen := s.seen(c, 8)
		require.Equal(t, second, seen)
		require.Equal(t, second, fingerprint == 2 && seen)
	}
	requireSeen(true, true)
	closes := func(start int64) int64 { // the event time that closes a window
		return start + cfg.Rules.Window + cfg.Rules.AllowedLateness + cfg.Rules.DisorderBound
	}
	s.advance(closes(0) - 1)
	requireSeen(true, true)
	s.advance(closes(0))
	requireSeen(false, true)
	s.advance(closes(10_000))
	requireSeen(false, false)
	require.Nil(t, s.handed)
}

// Ensure that a hand-over whose rows are not in order is refused: the speed layer would not find
// what is there.
func TestHandoverOutOfOrder(t *testing.T) {
	f := func(entries ...handoverEntry) {
		t.Helper()
		dir := t.TempDir()
		err := writeParquet(partFile(dir, "handover", 0), func(emit func(handoverEntry)) {
			for _, e := range entries {
				emit(e)
			}
		})
		require.NoError(t, err)
		h := emptyHandover(testConfig(t), 0)
		require.ErrorContains(t, h.load(dir), "rows of car-1 are not in order")
	}
	f(handoverEntry{"car-1", 5, 0, 0}, handoverEntry{"car-1", 4, 0, 0})
	f(handoverEntry{"car-1", 5, 0, 0}, handoverEntry{"car-2", 1, 0, 0}, handoverEntry{"car-1", 6, 0, 0})
}
