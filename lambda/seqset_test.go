package lambda

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Ensure that a set of runs is a set, for any seqs in any order.
func TestSeqSetIsASet(t *testing.T) {
	near := rapid.Int64Range(0, 20)
	far := rapid.SampledFrom([]int64{0, 1, math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, -1})
	rapid.Check(t, func(t *rapid.T) {
		var set seqSet
		plain := map[int64]bool{}
		for _, seq := range rapid.SliceOf(rapid.OneOf(near, near, far)).Draw(t, "seqs") {
			require.Equal(t, !plain[seq], set.add(seq))
			plain[seq] = true
		}
		for seq := int64(-2); seq < 22; seq++ {
			require.Equal(t, plain[seq], set.has(seq))
		}
		for i := 1; i < len(set); i++ {
			require.Less(t, set[i-1].last, set[i].first-1, "runs that touch are one run")
		}
		above := rapid.OneOf(near, far).Draw(t, "above")
		var want []int64
		for _, seq := range slices.Sorted(maps.Keys(plain)) {
			if seq > above {
				want = append(want, seq)
			}
		}
		require.Equal(t, want, set.above(nil, above))
	})
}

func TestSeqSetInOrderIsOneRun(t *testing.T) {
	var set seqSet
	for seq := range int64(1000) {
		require.True(t, set.add(seq))
		require.False(t, set.add(seq))
	}
	require.Equal(t, seqSet{{0, 999}}, set)
	require.EqualValues(t, 999, set.greatest())
	require.EqualValues(t, -1, seqSet{}.greatest())
}
