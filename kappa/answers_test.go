package kappa

import (
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// visibleOf is what an answer has to name of readings, in the plainest way.
func visibleOf(readings []int64, afterSeq int64) []int64 {
	var seqs []int64
	for _, seq := range readings {
		if afterSeq >= 0 && seq > max(afterSeq, slices.Max(readings)-httpapi.MaxVisible) {
			seqs = append(seqs, seq)
		}
	}
	slices.Sort(seqs)
	return slices.Compact(seqs)
}

// someSeqs draws seqs that repeat, leave holes, and leap.
func someSeqs() *rapid.Generator[[]int64] {
	return rapid.SliceOf(rapid.OneOf(
		rapid.Int64Range(0, 20), rapid.Int64Range(1000, 1050), rapid.Int64Range(0, 5000),
		rapid.Int64Min(0)))
}

// Ensure that an answer names the readings above a seq that are near the greatest, and no others,
// in whatever order they came.
func TestVisible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := carRows{lastSeq: -1}
		readings := someSeqs().Draw(t, "readings")
		for _, seq := range readings {
			c.name(seq)
		}
		afterSeq := rapid.OneOf(rapid.Just(int64(-1)), rapid.Int64Range(0, 5000)).Draw(t, "after")
		require.Equal(t, visibleOf(readings, afterSeq), c.visible(afterSeq))
	})
}

// Ensure that the follower of the changelog gets its turn in the middle of a long answer, and that
// the answer is complete nevertheless.
func TestLongAnswersTakeTurns(t *testing.T) {
	p := newPart()
	for i := range 3 * rowsPerLock {
		_, _, err := p.take(rowsOf(carName(i), 10_000, 1))
		require.NoError(t, err)
	}
	var written bool // guarded by the lock
	follower := func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		written = true
	}
	seen := map[string]bool{}
	rows := copyRows(p, nil, "", func(rows []view.Window, c *carRows) []view.Window {
		if len(seen) == 0 {
			go follower()
			for p.mu.TryRLock() { // until the follower waits for the lock
				p.mu.RUnlock()
				runtime.Gosched()
			}
		}
		seen[c.id] = true
		if len(seen) == 3*rowsPerLock {
			require.True(t, written, "the follower has waited for the whole answer")
		}
		return append(rows, view.Window{})
	})
	require.Len(t, rows, 3*rowsPerLock)
	require.Len(t, seen, 3*rowsPerLock)
	require.Len(t, p.readWindows(nil, everything), 3*rowsPerLock)
}
