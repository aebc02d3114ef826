package report

import (
	"math/bits"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/result"
)

// with is a summary with some of the runs of another one.
func with(s *result.Summary, runs []result.Run) *result.Summary {
	of := *s
	of.Runs = runs
	return &of
}

// Ensure that the rule of compare keeps its word on what was measured: of twelve real runs of one program, as the arms kappa
// and kappa-again of the reference run are, it says of at least 95 of 100 figures that there is no difference, however the
// twelve are dealt to two runs; and that six of the twelve against those slowed down by a fifth are named, however chosen.
func TestDifferencesOfOneProgram(t *testing.T) {
	one, slowed := armAs(t, "kappa"), armAs(t, "kappa-slowed")
	all := slices.Concat(one.Runs, armAs(t, "kappa-again").Runs)
	require.Len(t, all, 12)
	splits, figures, differ, undecided, named := 0, 0, 0, 0, 0
	for dealt := range uint16(1 << 12) {
		if bits.OnesCount16(dealt) != 6 {
			continue
		}
		var first, second []result.Run
		for i, r := range all {
			if dealt&(1<<i) != 0 {
				first = append(first, r)
			} else {
				second = append(second, r)
			}
		}
		splits++
		for _, c := range changesOf(with(one, first), with(one, second)) {
			figures++
			if c.Outcome.differs() {
				differ++
			}
			if c.Outcome == uncertain {
				undecided++
			}
		}
		for _, c := range changesOf(with(one, first), slowed) {
			if c.Figure == "CPU per million events" && c.Outcome == higher {
				named++
			}
		}
	}
	t.Logf("%d splits: of %d figures %d differ, %d undecided; the slowdown is named in %d", splits, figures, differ, undecided, named)
	require.Equal(t, 924, splits)
	require.Zero(t, undecided)
	require.LessOrEqual(t, 20*differ, figures)
	require.GreaterOrEqual(t, 20*named, 19*splits)
}
