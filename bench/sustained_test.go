package bench

import (
	"context"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Ensure that few trials say much: a rate that holds is found, and none that does not, and a machine that
// holds nothing is told soon.
func TestASustainedRateTakesFewTrials(t *testing.T) {
	f := func(ceiling float64, trials int, held, missed float64) {
		t.Helper()
		s := newSearch(4000, 400, 36_000, 0.5)
		s.step = sustainedStep
		for rate, more := s.next(); more && trials > 0; rate, more = s.next() {
			s.note(rate, rate <= ceiling)
			trials--
		}
		require.Zero(t, trials)
		require.Equal(t, held, math.Round(s.held))
		if missed > 0 {
			require.Equal(t, missed, math.Round(s.missed))
		}
	}
	f(1e9, 3, 36_000, 0)
	f(20_000, 3, 12_000, 36_000)
	f(20_000, 4, 12_000, 20_785)
	f(1000, 3, 444, 1333)
	f(100, 4, 0, 400)
}

// Ensure that a rate is found with real processes within the time that it may take, and that nothing is left.
func TestSustain(t *testing.T) {
	wholeScenario(t)
	o := small(t)
	const within = 20 * time.Second
	began := time.Now()
	found, err := Sustain(t.Context(), o, within)
	require.NoError(t, err)
	require.Less(t, time.Since(began), within+closeLimit)
	require.NotEmpty(t, found.Trials)
	require.Equal(t, found.Held > 0, strings.Contains(strings.Join(found.Trials, "\n"), ": in time"), found.Trials)
	requireNothingLeft(t, o)
}

// Ensure that who is interrupted leaves nothing either.
func TestSustainIsInterrupted(t *testing.T) {
	wholeScenario(t)
	o := small(t)
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		for len(processesWith(t, o.Out)) == 0 && ctx.Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	})
	_, err := Sustain(ctx, o, time.Minute)
	require.ErrorIs(t, err, context.Canceled)
	cancel()
	watching.Wait()
	requireNothingLeft(t, o)
}

func requireNothingLeft(t *testing.T, o Options) {
	t.Helper()
	requireNobodyLeft(t, o.Out)
	left, err := os.ReadDir(o.Out)
	require.NoError(t, err)
	require.Empty(t, left)
}

// Ensure that a component that dies is an error, and no rate.
func TestSustainOfWhatCannotRun(t *testing.T) {
	o := DefaultOptions()
	another, err := exec.LookPath("go")
	require.NoError(t, err)
	o.Binary, o.Out, o.Quiet, o.Stdout = another, t.TempDir(), true, nil
	found, err := Sustain(t.Context(), o, time.Minute)
	require.ErrorContains(t, err, "at 4000 events/s: ")
	require.ErrorContains(t, err, "go broker: unknown command")
	require.Zero(t, found.Held)
	requireNothingLeft(t, o)
}
