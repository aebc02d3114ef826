package bench

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/httpapi"
)

// statusAt is a status of two partitions.
func statusAt(positions, boundaries [2]int64) httpapi.Status {
	var s httpapi.Status
	for p := range 2 {
		// Out of order, as a side may list them.
		s.Partitions = append(s.Partitions, httpapi.PartitionStatus{
			Partition: 1 - p, Position: positions[1-p], Boundary: boundaries[1-p],
		})
	}
	return s
}

// Ensure that settled is when every partition has reached the end, and not before.
func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		ask := func(context.Context) (httpapi.Status, error) {
			asked++
			return statusAt([2]int64{10, int64(asked)}, [2]int64{}), nil
		}
		s, err := settle(t.Context(), ask, time.Minute, reached([]int64{10, 5}))
		require.NoError(t, err)
		require.Equal(t, 5, asked)
		require.Equal(t, []int64{10, 5}, positions(s))
	})
}

// Ensure that a run that does not settle fails, and says how far it got.
func TestSettleLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ask := func(context.Context) (httpapi.Status, error) {
			return statusAt([2]int64{10, 4}, [2]int64{}), nil
		}
		_, err := settle(t.Context(), ask, time.Minute, reached([]int64{10, 5}))
		require.ErrorContains(t, err, "not settled within 1m0s: positions [10 4]")
		require.Equal(t, time.Minute, time.Since(began))
	})
}

// Ensure that a component's death is the reason that is given, not the wait that it ended.
func TestSettleEnds(t *testing.T) {
	ctx, fail := context.WithCancelCause(t.Context())
	fail(errors.New("kappa serve died"))
	ask := func(context.Context) (httpapi.Status, error) { return httpapi.Status{}, errors.New("refused") }
	_, err := settle(ctx, ask, time.Minute, reached([]int64{1}))
	require.ErrorContains(t, err, "kappa serve died")
}

func TestCoveredAndInside(t *testing.T) {
	end := []int64{10, 5}
	require.True(t, covered(end)(statusAt([2]int64{10, 5}, [2]int64{10, 5})))
	require.False(t, covered(end)(statusAt([2]int64{10, 5}, [2]int64{10, 4})))
	require.False(t, covered(end)(statusAt([2]int64{9, 5}, [2]int64{10, 5})))

	require.True(t, inside([]int64{3, 0}, end))
	require.True(t, inside([]int64{10, 4}, end))
	require.False(t, inside([]int64{0, 0}, end), "nothing was handed over")
	require.False(t, inside([]int64{10, 5}, end), "everything was")
	require.False(t, atLeast([]int64{10}, end), "a partition is missing")
}
