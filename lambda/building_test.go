package lambda

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Ensure that generations which catch up take turns, and leave the cores to others for twice as
// long as they have worked, but not for longer than the limit.
func TestNextGenerationsTakeTurns(t *testing.T) {
	f := func(work, want time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			catchUp := make(chan struct{}, 1)
			var at []time.Duration // when each began to work
			began := time.Now()
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() {
					b := &building{catchUp: catchUp}
					require.NoError(t, b.takeTurn(t.Context(), func() error {
						at = append(at, time.Since(began)) // they take turns
						time.Sleep(work)
						return nil
					}))
				})
			}
			both.Wait()
			require.Equal(t, []time.Duration{0, want}, at)
		})
	}
	f(time.Millisecond, 3*time.Millisecond)
	f(10*time.Millisecond, 10*time.Millisecond+restLimit)
	f(time.Second, time.Second+restLimit)
}
