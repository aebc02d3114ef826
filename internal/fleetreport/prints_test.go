package fleetreport

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Ensure that whatever the order and the gaps, the first print of a seq is kept.
func TestPrintsAreAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p prints
		want := map[int64]uint32{}
		seqs := rapid.OneOf(rapid.Int64Range(0, 20), rapid.Int64Range(0, 5_000), rapid.Int64Range(0, 1<<60))
		for range rapid.IntRange(1, 200).Draw(t, "notes") {
			seq, print := seqs.Draw(t, "seq"), rapid.Uint32Min(1).Draw(t, "print")
			require.Equal(t, want[seq], p.note(seq, print))
			if want[seq] == 0 {
				want[seq] = print
			}
		}
	})
}
