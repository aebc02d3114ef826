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

	first, err := cfg.takeLease(3)
	require.NoError(t, err)
	second, err := cfg.takeLease(4)
	require.NoError(t, err)
	requireLoaded(3, true)
	requireLoaded(4, false)
	require.NoError(t, first.renew(12))
	requireLoaded(4, true)
	requireLoaded(5, false)
	require.NoError(t, second.release())
	requireLoaded(12, true)
	requireLoaded(13, false)

	dead := time.Now().Add(-2 * leaseAge)
	require.NoError(t, os.Chtimes(first.file.Name(), dead, dead))
	requireLoaded(13, true)
	third, err := cfg.takeLease(14)
	require.NoError(t, err)
	require.NoFileExists(t, first.file.Name())
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
