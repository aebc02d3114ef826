package bench

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
)

// Ensure that wrong answers fail no run of an arm that is wrong on purpose, that everything else
// still does, and that it fails when its mistake cannot be seen.
func TestMistakes(t *testing.T) {
	d := &driver{scenario: &Scenario{Scenario: &scenarios.Scenario{Arms: []scenarios.Arm{
		{Name: "kappa", Like: "kappa"},
		{Name: "kappa-hasty", Like: "kappa", Mistake: "counts before it looks"},
	}}}}
	f := func(arm string, answers, handOvers bool, failure error) *result.Run {
		x := &execution{driver: d}
		x.report(arm, arm, "")
		x.checkAnswer(arm, "windows", answers, "9 of 10")
		x.check(arm, "hand-overs", handOvers, "2 of 3")
		x.conclude(failure)
		require.Equal(t, x.runs()[0].OK, !x.wrong() && failure == nil)
		return x.runs()[0]
	}
	require.True(t, f("kappa", true, true, nil).OK)
	require.False(t, f("kappa", false, true, nil).OK)
	require.Empty(t, f("kappa", false, true, nil).Mistake)

	r := f("kappa-hasty", false, true, nil)
	require.True(t, r.OK)
	require.Equal(t, "counts before it looks", r.Mistake)
	require.True(t, r.Checks[0].OnPurpose)
	require.Equal(t, result.Check{Name: "the mistake shows", OK: true, Detail: "counts before it looks: see windows"}, r.Checks[2])

	require.False(t, f("kappa-hasty", false, false, nil).OK, "that has nothing to do with the mistake")
	require.False(t, f("kappa-hasty", false, true, errors.New("it died")).OK)
	r = f("kappa-hasty", true, true, nil)
	require.False(t, r.OK)
	require.Equal(t, "wrong: the mistake shows: counts before it looks: every answer was right", r.Error)
}
