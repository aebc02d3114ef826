package report

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/result"
)

// armAs is the reference run with one arm of aa alone, under the name of kappa.
func armAs(t *testing.T, arm string) *result.Summary {
	t.Helper()
	s, err := Load("../../results/reference")
	require.NoError(t, err)
	s.CodeSize = nil
	s.Runs = slices.DeleteFunc(s.Runs, func(r result.Run) bool { return r.Scenario != "aa" || r.Arm != arm })
	for i := range s.Runs {
		s.Runs[i].Arm = "kappa"
	}
	return s
}

// Ensure that two runs of the same code, of which each stands beside the other as in aa, have no difference in 95 of 100
// figures, and that a slowdown of a fifth is named.
func TestDifferencesOfMeasuredRuns(t *testing.T) {
	one, again, slowed := armAs(t, "kappa"), armAs(t, "kappa-again"), armAs(t, "kappa-slowed")
	differ := func(changes []change) (n int) {
		for _, c := range changes {
			require.NotEqual(t, uncertain, c.Outcome, c.Figure)
			if c.Outcome.differs() {
				n++
			}
		}
		return n
	}
	same := changesOf(one, again)
	require.Greater(t, len(same), 5)
	require.LessOrEqual(t, differ(same), len(same)/20)

	named := changesOf(one, slowed)
	at := slices.IndexFunc(named, func(c change) bool { return c.Figure == "CPU per million events" })
	require.Equal(t, higher, named[at].Outcome)
	require.InDelta(t, 1.2, named[at].Shift.Value, 0.1)
	var out bytes.Buffer
	Differences(&out, one, slowed, false)
	require.Regexp(t, `aa +kappa +CPU per million events .* HIGHER x 1\.`, out.String())
}

// Ensure that what is no figure is compared as well: answers, verdicts, settings, and what one run has alone.
func TestDifferences(t *testing.T) {
	before, after := armAs(t, "kappa"), armAs(t, "kappa")
	var out bytes.Buffer
	Differences(&out, before, after, false)
	require.Contains(t, out.String(), "\n  0 differ\n")
	require.Regexp(t, `of the \d+ that can be told, 100 % show no difference`, out.String())
	require.NotContains(t, out.String(), "not alike")

	after.Machine.Cores = 64
	after.Runs[0].OK, after.Runs[0].Checks = false, []result.Check{{Name: "counters"}}
	at := slices.IndexFunc(after.Scenarios, func(q result.Scenario) bool { return q.Name == "aa" })
	before.Scenarios = slices.Clone(before.Scenarios)
	before.Scenarios[at].Verdict, after.Scenarios[at].Verdict = "supports", "contradicts"
	before.Runs = append(before.Runs, result.Run{Scenario: "spike", Arm: "lambda", OK: true})
	out.Reset()
	Differences(&out, before, after, false)
	said := out.String()
	require.Regexp(t, `machine .*2 cores.*64 cores`, said)
	require.Regexp(t, `aa +kappa +right: 6 runs +WRONG: 1 of 6 runs`, said)
	require.Regexp(t, `aa: Equal arms .* supports.* contradicts`, said)
	require.Contains(t, said, "only before: spike lambda")
	require.Contains(t, said, "0 figures in both runs", "wrong answers void what was measured")
}

// Ensure that every figure is counted once, and that one which nothing can be said of is neither a difference nor none.
func TestDifferencesAreCounted(t *testing.T) {
	changes := []change{{Outcome: equal}, {Outcome: small}, {Outcome: small}, {Outcome: unseen}, {Outcome: lower}, {Outcome: uncertain}}
	said := strings.Join(counted(changes, []string{"only before: x"}), "\n")
	for _, want := range []string{
		"6 figures in both runs", "\n  1 differ", "4 no difference: 1 have one value in every run, 2 are alike", "1 were not seen to differ",
		"1 undecided: less than 4 runs", "of the 5 that can be told, 80 % show no difference", "to decide more: bench --repetitions 6",
		"hold what one figure says against its neighbours", "only before: x",
	} {
		require.Contains(t, said, want)
	}
	said = strings.Join(counted([]change{{Outcome: uncertain}}, nil), "\n")
	require.NotContains(t, said, "can be told")
}

// Ensure that an outcome follows from where the whole interval lies.
func TestOutcomes(t *testing.T) {
	around := func(middle, spread float64) []float64 {
		return []float64{middle - spread, middle - spread/2, middle, middle + spread/2, middle + spread, middle}
	}
	f := func(before, after []float64, want outcome, says string) {
		t.Helper()
		c := change{Figure: "f", Unit: "ms", Before: before, After: after}
		c.judge()
		require.Equal(t, want, c.Outcome, c.said())
		require.True(t, strings.HasPrefix(c.said(), says), c.said())
	}
	f([]float64{7}, []float64{7}, equal, "no difference: the same")
	f([]float64{7}, []float64{8}, uncertain, "undecided: 1 and 1 run, an interval takes 4 of each")
	f(around(100, 1), around(103, 1), small, "no difference x 1.03")
	f(around(100, 1), around(120, 1), higher, "HIGHER x 1.20")
	f(around(100, 1), around(80, 1), lower, "LOWER x 0.80")
	f(around(100, 2), around(108, 8), small, "no difference x 1.08 (1.0")
	f(around(100, 60), around(110, 60), unseen, "no difference seen")
	f(around(0, 1), around(50, 1), higher, "HIGHER by 50 ms")
	f(around(0, 30), around(1, 30), unseen, "no difference seen by")
}
