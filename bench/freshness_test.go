package bench

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/httpapi"
)

func statusOf(parts ...httpapi.PartitionStatus) httpapi.Status {
	return httpapi.Status{Partitions: parts}
}

// Ensure that freshness is the age of the worst partition, layer by layer, on the wall clock, and that
// a layer without an answer has no age.
func TestFreshness(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	w := freshnessWatch{layers: freshnessOf(armLambda), shift: -time.Second, began: now.Add(-5 * time.Second)}
	merged, batch, speed := w.layers[0], w.layers[1], w.layers[2]
	take := func(s httpapi.Status) {
		for _, f := range w.layers {
			f.take(s)
		}
		w.sample(now)
	}
	take(statusOf(
		httpapi.PartitionStatus{NewestAppend: 1_000_990, Position: 50},
		httpapi.PartitionStatus{NewestAppend: 1_000_970, Position: 50, BatchNewest: 991_000, BatchPosition: 20},
	))
	require.Equal(t, [][2]float64{{5, 30}}, merged.points)
	require.Equal(t, [][2]float64{{5, 30}}, speed.points)
	require.Empty(t, batch.points, "one partition has no batch view yet")

	take(statusOf(
		httpapi.PartitionStatus{NewestAppend: 1_000_990, Position: 50, BatchPosition: 50, BatchNewest: 999_000},
		httpapi.PartitionStatus{NewestAppend: 1_000_990, Position: 50, BatchPosition: 50, BatchNewest: 991_000},
	))
	require.Equal(t, [][2]float64{{5, 10_000}}, batch.points)
	require.Len(t, merged.points, 2)
	require.Len(t, speed.points, 1, "the batch view has everything: nothing came by way of the speed view")
	require.Len(t, freshnessOf(armKappa), 1)

	now = now.Add(250 * time.Microsecond)
	take(statusOf(httpapi.PartitionStatus{NewestAppend: 1_000_993}))
	require.InDelta(t, 7.25, merged.points[2][1], 1e-9, "an age is not rounded to milliseconds")
}

// Ensure that an arm which answers nobody for a while is sampled all the while, with what it had shown
// before, and that no moment counts twice.
func TestStallCountsForItsLength(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		second := func(s float64) time.Time { return began.Add(time.Duration(s * float64(time.Second))) }
		ask := func(ctx context.Context) (httpapi.Status, error) {
			if now := time.Now(); !now.Before(second(2)) && now.Before(second(3.99)) {
				_ = waitUntil(ctx, second(3.99)) // it stands still, and has everything when it goes on
			}
			return statusOf(httpapi.PartitionStatus{NewestAppend: time.Now().Add(-10 * time.Millisecond).UnixMilli()}), nil
		}
		layers := freshnessOf(armKappa)
		w := freshnessWatch{ask: ask, layers: layers, began: began, end: second(10)}
		require.NoError(t, w.run(t.Context()))
		points := layers[0].points
		require.Len(t, points, 212, "one every 47 ms")
		require.EqualValues(t, 212, layers[0].ages.TotalCount())
		var old int
		for i, p := range points {
			if i > 0 {
				require.Greater(t, p[0], points[i-1][0])
			}
			if p[1] > 10 {
				old++
			}
		}
		require.Equal(t, 41, old, "the two seconds")
		require.InDelta(t, 2010, float64(layers[0].ages.Max())/1e6, 51)
	})
}

// Ensure that what is missed at the end of a run ends with it.
func TestStallAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ask := func(ctx context.Context) (httpapi.Status, error) {
			shown := time.Now().UnixMilli()
			if time.Since(began) > 500*time.Millisecond {
				_ = waitUntil(ctx, began.Add(5*time.Second))
			}
			return statusOf(httpapi.PartitionStatus{NewestAppend: shown}), nil
		}
		layers := freshnessOf(armKappa)
		w := freshnessWatch{ask: ask, layers: layers, began: began, end: began.Add(time.Second)}
		require.NoError(t, w.run(t.Context()))
		require.EqualValues(t, 21, layers[0].ages.TotalCount())
	})
}
