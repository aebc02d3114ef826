package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
)

// swept has runs of both arms at intervals of 1, 2 and 4 s, three of each.
func swept(lambda, kappa func(interval, noise float64) float64) *result.Summary {
	s := &result.Summary{}
	for _, interval := range []float64{1, 2, 4} {
		for i, noise := range []float64{-0.1, 0, 0.1} {
			for arm, f := range map[string]func(interval, noise float64) float64{"lambda": lambda, "kappa": kappa} {
				s.Runs = append(s.Runs, result.Run{
					Scenario: "mine", Arm: arm, Repetition: i + 1, OK: true,
					Workload:  &result.Workload{Rate: 1000, DurationSeconds: 16, BatchIntervalSeconds: interval},
					Parameter: &result.Parameter{Name: "batch interval", Value: interval},
					Figures:   []result.Figure{{Name: "cost", Unit: "s", Value: f(interval, noise)}},
				})
			}
		}
	}
	return s
}

func crossed(t *testing.T, to string, s *result.Summary) result.Crossover {
	t.Helper()
	q, err := scenarios.Parse("mine.yaml", []byte("name: mine\nquestion: q\nsentence: s\nclaim: c\n"+
		"procedure: steady\narms: [lambda, kappa]\ncrossovers:\n  - {figure: cost, of: lambda, "+to+
		", over: batch interval, says: more above}\n"))
	require.NoError(t, err)
	return Judge(q, s).Crossovers[0]
}

// Ensure that lines cross where they do, with an interval around it, and that what lies beyond the
// measured is called so.
func TestCrossover(t *testing.T) {
	flat := func(at float64) func(interval, noise float64) float64 {
		return func(_, noise float64) float64 { return at + noise }
	}
	rising := func(interval, noise float64) float64 { return 2*interval + noise }

	c := crossed(t, "to: kappa", swept(rising, flat(6)))
	require.InDelta(t, 3, *c.At, 0.01)
	require.False(t, c.Extrapolated)
	require.Less(t, *c.Low, 3.0)
	require.Greater(t, *c.High, 3.0)
	require.Less(t, *c.High-*c.Low, 0.5)
	require.Len(t, c.Lines[0].Points, 9)
	require.Equal(t, "s", c.OverIn)

	c = crossed(t, "to: kappa", swept(rising, flat(20)))
	require.InDelta(t, 10, *c.At, 0.1)
	require.True(t, c.Extrapolated)

	c = crossed(t, "to: kappa", swept(rising, flat(2000)))
	require.Nil(t, c.At)
	require.Contains(t, c.Why, "do not cross")

	c = crossed(t, "than: 5", swept(rising, flat(0)))
	require.InDelta(t, 2.5, *c.At, 0.01)

	s := swept(rising, flat(6))
	s.Runs = s.Runs[:6] // one place
	c = crossed(t, "to: kappa", s)
	require.Contains(t, c.Why, "three places")

	s = swept(rising, flat(6))
	for i := range s.Runs {
		s.Runs[i].OK = false
	}
	require.Nil(t, crossed(t, "to: kappa", s).At)
}

// Ensure that a sentence about what holds above a place is not told of lines that cross the other way
// round, and that a place with one run has its noise.
func TestCrossoverOtherWayRound(t *testing.T) {
	falling := func(interval, noise float64) float64 { return 8 - 2*interval + noise }
	flat := func(_, noise float64) float64 { return 3 + noise }
	c := crossed(t, "to: kappa", swept(falling, flat))
	require.Nil(t, c.At)
	require.Contains(t, c.Why, "the other way round at 2.5")

	rising := func(interval, noise float64) float64 { return 2*interval + 10*noise }
	s := swept(rising, flat)
	all := crossed(t, "to: kappa", s)
	var once []result.Run
	for _, r := range s.Runs {
		if r.Parameter.Value == 1 || r.Repetition == 1+int(r.Parameter.Value)%3 {
			once = append(once, r)
		}
	}
	s.Runs = once
	few := crossed(t, "to: kappa", s)
	require.Greater(t, *few.High-*few.Low, 0.1)
	require.NotEqual(t, *all.Low, *few.Low)
}
