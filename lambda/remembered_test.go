package lambda

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/view"
)

// Ensure that what de-duplication holds grows by every reading, by runs for the trips, that what was handed
// over counts once, and that it is nothing when no window can take a copy any more.
func TestRemembered(t *testing.T) {
	f := func(views view.Set, want int64) {
		t.Helper()
		cfg := testConfig(t)
		cfg.Views = views
		rules := cfg.Rules
		h := emptyHandover(cfg, 0)
		h.cars = map[string]handedCar{"car-1": {
			seqs: []int64{0, 1}, windowStarts: []int64{0, 0}, fingerprints: []uint32{1, 2},
		}}
		h.oldest, h.newest = 0, 0
		s := newSpeedState(h)
		for seq := range int64(5) {
			s.remember(s.window(s.car("car-1"), 0), reading{seq: 2 + seq})
			if s.trips != nil {
				s.trips.remember(s.trips.car("car-1"), 0, 2+seq)
			}
		}
		require.Equal(t, want, s.remembered())
		s.advance(rules.Window + rules.AllowedLateness + rules.TripGap + rules.DisorderBound + rules.Window)
		require.Zero(t, s.remembered())
	}
	f(view.Windows, 2*20+5*16)
	f(view.All, 2*20+5*16+16)
}

// Ensure that the batch layer holds a run for a source without holes, and one more for every hole.
func TestRememberedByBatch(t *testing.T) {
	f := newBatchFold(event.DefaultRules(), view.Windows)
	f.cars = []batchCar{{seen: seqSet{{0, 100}}}, {seen: seqSet{{0, 3}, {5, 5}}}}
	run := batchRun{partitions: []*batchPartition{{fold: f}}}
	require.EqualValues(t, 3*16, run.remembered())
}
