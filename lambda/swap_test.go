package lambda

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
)

// ask starts a point query that waits for a reading above afterSeq.
func ask(
	t testing.TB, s *Serving, car string, afterSeq int64, layer httpapi.Layer,
) <-chan httpapi.Latest {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	answers := make(chan httpapi.Latest, 1)
	go func() {
		answer, _ := s.Latest(ctx, car, afterSeq, layer)
		answers <- answer
	}()
	return answers
}

// awaitWaiting waits until so many queries wait for a car, all of them on the live pair.
func awaitWaiting(t testing.TB, s *Serving, car string, queries int) {
	t.Helper()
	require.Eventually(t, func() bool {
		part := s.live.Load().partsOf(car)[0]
		part.mu.RLock()
		defer part.mu.RUnlock()
		w := part.waiters[car]
		return w != nil && w.queries == queries
	}, patience, time.Millisecond)
}

// Ensure that a query that waits through a swap of the pair is answered by the new one: with the
// next reading, or, if it asks for the batch view, by the swap itself. (Invariant 7.)
func TestLatestWaitsThroughSwap(t *testing.T) {
	log := startLog(t, 2)
	cfg := logConfig(t, log)
	start(t, cfg, Ingest)
	start(t, cfg, Speed)
	s := serve(t, cfg)
	send(t, log, []eventlog.Record{
		recordOf(t, measured("car-1", 0, 1000)), recordOf(t, measured("car-1", 1, 2000)),
	})
	settle(t, s, 0)

	merged := ask(t, s, "car-1", 1, httpapi.Merged)
	speed := ask(t, s, "car-1", 1, httpapi.Speed)
	batched := ask(t, s, "car-1", 0, httpapi.Batch)
	awaitWaiting(t, s, "car-1", 3)
	m := batch(t, cfg)
	settle(t, s, m.Generation)
	answer := <-batched
	require.Equal(t, m.Generation, answer.Generation)
	require.Equal(t, []int64{1}, answer.Visible)
	awaitWaiting(t, s, "car-1", 2)
	require.Empty(t, merged, "the swap brings no reading that was not there")
	require.Empty(t, speed)

	send(t, log, []eventlog.Record{recordOf(t, measured("car-1", 2, 3000))})
	for _, answers := range []<-chan httpapi.Latest{merged, speed} {
		answer := <-answers
		require.Equal(t, m.Generation, answer.Generation)
		require.EqualValues(t, 2, answer.LastSeq)
		require.Equal(t, []int64{2}, answer.Visible)
	}
	require.Empty(t, s.live.Load().partsOf("car-1")[0].waiters, "a query leaves no trace")
}

// Ensure that rows are not lost when their pair goes live between two looks at it. (Invariant 4.)
func TestAPairGoesLiveWhileItsRowsArrive(t *testing.T) {
	cfg := testConfig(t)
	s := &Serving{cfg: cfg, partitions: 1, next: map[int64]*pair{}}
	s.live.Store(DefaultConfig().newPair(&Manifest{}, 1))
	next := DefaultConfig().newPair(&Manifest{Generation: 1}, 1)
	s.next[1] = next

	s.mu.Lock()
	found := make(chan *pair)
	go func() {
		p, err := s.pair(1)
		require.NoError(t, err)
		found <- p
	}()
	time.Sleep(10 * time.Millisecond) // for a look that does not wait for the lock
	s.goLive(next)
	s.mu.Unlock()
	require.Same(t, next, <-found)
}
