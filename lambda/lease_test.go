package lambda

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
)

// Ensure that a generation is kept for every serving process that lives, and for none that is dead.
func TestLease(t *testing.T) {
	cfg := testConfig(t)
	requireLoaded := func(generation int64, want bool) {
		t.Helper()
		all, err := cfg.allLoaded(generation)
		require.NoError(t, err)
		require.Equal(t, want, all)
	}
	requireLoaded(9, true) // nobody serves

	take := func(loaded, live int64) *lease {
		t.Helper()
		l, err := cfg.takeLease()
		require.NoError(t, err)
		requireLoaded(1, false) // it has nothing yet
		require.NoError(t, l.renew(held{loaded, live}))
		return l
	}
	requireLive := func(want int64, served bool) {
		t.Helper()
		live, ok, err := cfg.oldestLive()
		require.NoError(t, err)
		require.Equal(t, served, ok)
		require.Equal(t, want, live)
	}
	requireLive(0, false)
	first, second := take(3, 3), take(4, 2)
	requireLoaded(3, true)
	requireLoaded(4, false)
	requireLive(2, true)
	require.NoError(t, first.renew(held{12, 11}))
	requireLoaded(4, true)
	requireLoaded(5, false)
	require.NoError(t, second.release())
	requireLoaded(12, true)
	requireLoaded(13, false)
	requireLive(11, true)

	dead := time.Now().Add(-2 * leaseAge)
	require.NoError(t, os.Chtimes(first.path, dead, dead))
	requireLoaded(13, true)
	requireLive(0, false)
	third := take(14, 14)
	require.NoFileExists(t, first.path)
	require.NoError(t, first.renew(held{12, 12})) // it only stood still
	requireLoaded(13, false)
	require.NoError(t, first.release())
	require.NoError(t, first.release())
	require.NoError(t, third.release())
}

// Ensure that answers stay fresh while serving loads the batch view of the next generation,
// however long that takes, and that the pair is swapped afterwards. (Invariant 7.)
func TestAnswersStayFreshWhileABatchViewIsLoaded(t *testing.T) {
	log := startLog(t, 2)
	cfg := logConfig(t, log)
	start(t, cfg, Ingest)
	start(t, cfg, Speed)
	slow := cfg
	loading, loaded := make(chan struct{}, 1), make(chan struct{})
	slow.fault = func(step string) error {
		if step == "load batch view" {
			loading <- struct{}{}
			<-loaded
		}
		return nil
	}
	s := serve(t, slow)
	finish := sync.OnceFunc(func() { close(loaded) })
	t.Cleanup(finish) // before that of serve, which waits for it

	const car = "car-1"
	send(t, log, []eventlog.Record{recordOf(t, measured(car, 0, 1000))})
	settle(t, s, 0)
	m := batch(t, cfg)
	<-loading
	// Long enough for the speed layer to have built the next generation and to drop the old one,
	// if it did not wait.
	for seq := range int64(20) {
		send(t, log, []eventlog.Record{recordOf(t, measured(car, seq+1, 1000+seq))})
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		answer, _ := s.Latest(ctx, car, seq, httpapi.Merged)
		cancel()
		require.Equal(t, seq+1, answer.LastSeq)
		require.Zero(t, answer.Generation)
		time.Sleep(pollInterval)
	}
	finish()
	requireTruth(t, s, settle(t, s, m.Generation))
}
