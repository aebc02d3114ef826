package workshop

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/result"
	"lambdakappa/view"
)

func expectationOf(t *testing.T, rule string) Expectation {
	t.Helper()
	all, err := expectations("- It\n  holds. <!-- expect: " + rule + " -->\n")
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, "It holds.", all[0].Says)
	return all[0]
}

func runOf(arm string, figures ...result.Figure) result.Run {
	r := result.Run{Scenario: "s", Arm: arm, Repetition: 1, OK: true, Figures: figures}
	r.Correctness.Windows = view.Diff{Expected: 3, Exact: 3}
	return r
}

// Ensure that a rule holds exactly when the run's medians are on the side that it says, and that the figures are named.
func TestHeld(t *testing.T) {
	half := runOf("kappa", result.Figure{Name: "x", Value: 5}, result.Figure{Name: "y", Unit: "s", Value: 0.25})
	s := &result.Summary{Runs: []result.Run{
		runOf("lambda", result.Figure{Name: "x", Value: 10}, result.Figure{Name: "none", Value: 0}),
		half,
		{Scenario: "s", Arm: "swept", Repetition: 1, Parameter: &result.Parameter{}, Figures: half.Figures},
		{Scenario: "s", Arm: "slow", Repetition: 1, OK: true, Void: "the generator was late", Figures: half.Figures},
		{Scenario: "s", Arm: "phased", Phase: "replay", Repetition: 1, OK: true, Figures: half.Figures},
	}}
	f := func(rule string, holds bool, seen string) {
		t.Helper()
		got := expectationOf(t, rule).held(s)
		require.Equal(t, holds, got.Holds, "%s: %s", rule, got.Seen)
		require.Contains(t, got.Seen, seen)
	}
	f("{figure: x, of: lambda, expect: above, than: 9}", true, "x: lambda 10")
	f("{figure: x, of: lambda, expect: above, than: 10}", false, "x: lambda 10")
	f("{figure: x, of: lambda, expect: below, than: 10}", false, "x: lambda 10")
	f("{figure: none, of: lambda, expect: below, than: 0}", true, "none: lambda 0")
	f("{figure: x, of: lambda, expect: below, than: 0}", false, "x: lambda 10")
	f("{figure: x, of: kappa, to: lambda, expect: below}", true, "x: kappa 5, lambda 10: x 0.5")
	f("{figure: x, of: kappa, to: lambda, expect: same, margin: 0.5}", false, "x 0.5")
	f("{figure: x, of: kappa, to: lambda, expect: same, margin: 1}", true, "x 0.5")
	f("{figure: x, of: kappa, to: kappa, to_figure: y, expect: above, than: 19}", true, "x: kappa 5; y: kappa 0.25 s: x 20")
	f("{figure: x, of: lambda, to: lambda, to_figure: none, expect: above}", false, "no ratio to 0")
	f("{figure: z, of: kappa, expect: above, than: 0}", false, "z: not measured of kappa in this run")
	f("{figure: x, of: swept, expect: above, than: 0}", false, "not measured of swept")
	f("{figure: x, of: slow, expect: above, than: 0}", false, "not measured of slow: the generator was late")
	f("{figure: x, of: phased, expect: above, than: 0}", false, "not measured of phased")
	f("{figure: x, of: phased, phase: replay, expect: above, than: 0}", true, "x: phased 5")
}

// Ensure that answers that are wrong on purpose are wrong, and that a run that broke off is not exact.
func TestAnswersHeld(t *testing.T) {
	mistaken := runOf("mistaken")
	mistaken.Checks = []result.Check{{Name: "windows at the end", OnPurpose: true, Detail: "2 of 3 rows exact"}}
	wrong := runOf("wrong")
	wrong.OK, wrong.Checks = false, []result.Check{{Name: "windows at the end", Detail: "2 of 3 rows exact"}}
	broken := runOf("broken")
	broken.OK, broken.Error = false, "the broker died"
	s := &result.Summary{Runs: []result.Run{runOf("right"), mistaken, wrong, broken}}
	f := func(arm, answers string, want bool, seen string) {
		t.Helper()
		got := expectationOf(t, "{answers: "+answers+", of: "+arm+"}").held(s)
		require.Equal(t, want, got.Holds, got.Seen)
		require.Contains(t, got.Seen, seen)
	}
	f("right", "exact", true, "3 of 3 rows exact")
	f("right", "wrong", false, "3 of 3 rows exact")
	f("mistaken", "wrong", true, "windows at the end: 2 of 3")
	f("mistaken", "exact", false, "windows at the end: 2 of 3")
	f("wrong", "exact", false, "windows at the end: 2 of 3")
	f("broken", "exact", false, "3 of 3 rows exact")
	f("absent", "exact", false, "not measured")
}

func TestRulesThatAreNone(t *testing.T) {
	f := func(rule, want string) {
		t.Helper()
		_, err := expectations("- It holds. <!-- expect: " + rule + " -->\n")
		require.ErrorContains(t, err, want)
	}
	f("{of: kappa}", "takes either figure or answers")
	f("{figure: x, expect: above, than: 1}", "of: must name an arm")
	f("{figure: x, of: kappa, expect: above}", "than: must be given")
	f("{figure: x, of: kappa, expect: above, than: 1, to_figure: y}", "to_figure: takes an arm in to")
	f("{answers: right, of: kappa}", "is neither exact nor wrong")
	f("{figure: x", "")
}

// Ensure that of two rows what differs is left, with the key, and that anything else stays.
func TestDiffering(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		require.Equal(t, want, differing(in))
	}
	f("1 of 2 rows exact; different: expected {WindowKey:{CarID:car-7 Start:20} Tally:{Readings:10 LastSeq:3}}, "+
		"served {WindowKey:{CarID:car-7 Start:20} Tally:{Readings:11 LastSeq:3}}",
		"1 of 2 rows exact; different: CarID car-7, Start 20: Readings is 11, not 10")
	f("windows: expected {K:{CarID:car-7} T:{A:1}}, served {K:{CarID:car-7} T:{A:2}}, windows: expected {K:{CarID:car-8}}",
		"windows: CarID car-7: A is 2, not 1")
	f("expected {Events:2 DeadLetters:map[] Late:1}, served {Events:3 DeadLetters:map[] Late:1}", "Events is 3, not 2")
	f("expected {A:1 B:2}, served {A:1}", "expected {A:1 B:2}, served {A:1}")
	f("2 of 2 rows exact", "2 of 2 rows exact")
	f("missing {CarID:car-7}", "missing {CarID:car-7}")
}
