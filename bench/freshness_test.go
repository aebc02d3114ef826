package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/httpapi"
)

// Ensure that freshness is the age of the worst partition, layer by layer, and that a layer
// without an answer has no age.
func TestFreshness(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	began := now.Add(-5 * time.Second)
	status := func(parts ...httpapi.PartitionStatus) httpapi.Status { return httpapi.Status{Partitions: parts} }
	layers := freshnessOf(armLambda)
	merged, batch, speed := layers[0], layers[1], layers[2]
	for _, f := range layers {
		f.sample(status(
			httpapi.PartitionStatus{NewestAppend: 999_990, Position: 50},
			httpapi.PartitionStatus{NewestAppend: 999_970, Position: 50, BatchNewest: 990_000, BatchPosition: 20},
		), now, began)
	}
	require.Equal(t, [][2]float64{{5, 30}}, merged.points)
	require.Equal(t, [][2]float64{{5, 30}}, speed.points)
	require.Empty(t, batch.points, "one partition has no batch view yet")

	batch.sample(status(
		httpapi.PartitionStatus{BatchNewest: 998_000}, httpapi.PartitionStatus{BatchNewest: 990_000},
	), now, began)
	require.Equal(t, [][2]float64{{5, 10_000}}, batch.points)

	speed.sample(status(httpapi.PartitionStatus{NewestAppend: 999_000, Position: 50, BatchPosition: 50}), now, began)
	require.Len(t, speed.points, 1, "the batch view has everything: nothing came by way of the speed view")
	require.Len(t, freshnessOf(armKappa), 1)
}
