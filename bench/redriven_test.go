package bench

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/oracle"
	"lambdakappa/event"
)

// Ensure that a letter that was left, and could have been repaired, is found: by its reason where a
// repair makes all of that reason good, by number where it makes some good, and otherwise none.
func TestUnrepaired(t *testing.T) {
	dead := map[oracle.Position]event.Reason{}
	for i, reason := range []event.Reason{
		event.ReasonFuture, event.ReasonFuture, event.ReasonUnknownSchema, event.ReasonMalformed, event.ReasonMalformed,
	} {
		dead[oracle.Position{Offset: int64(i)}] = reason
	}
	f := func(want string, done redriven, names ...string) {
		t.Helper()
		require.Equal(t, want, unrepaired(done, dead, names))
	}
	left := func(malformed, schema, future int64) redriven {
		all := malformed + schema + future
		return redriven{Letters: 5, Redriven: 5 - all, Left: map[event.Reason]int64{
			event.ReasonMalformed: malformed, event.ReasonUnknownSchema: schema, event.ReasonFuture: future,
		}}
	}
	f("", left(1, 0, 0), "clock", "magic", "schema")
	f("", left(2, 1, 0), "clock")
	f("1 future were left, of 2", left(1, 0, 1), "clock", "magic", "schema")
	f("2 malformed were left, of 2", left(2, 0, 0), "clock", "magic", "schema")
	f("0 unknown_schema were left, of 1 that nothing repairs", left(1, 0, 0), "clock", "magic")
	done := left(1, 0, 0)
	done.Redriven--
	f("5 letters, 3 re-driven, 1 left", done, "clock", "magic", "schema")
	done.Already++
	f("", done, "clock", "magic", "schema")

	require.NoError(t, checkRepairs([]string{"clock", "schema"}))
	require.EqualError(t, checkRepairs([]string{"clock", "luck"}), `redrive[1]: "luck" is none of clock, magic, schema`)
}

// Ensure that bad payloads are dead letters on both sides and hurt nothing else, and that what is
// repaired is counted once by whoever still takes it.
func TestPoison(t *testing.T) {
	wholeScenario(t)
	t.Parallel()
	o := small(t, "poison")
	o.Cars, o.Rate = 100, 100
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	requireRight(t, s)
	require.Len(t, s.Runs, 2)
	for i := range s.Runs {
		r := &s.Runs[i]
		letters := figureNamed(t, r.Figures, "dead letters")
		again := figureNamed(t, r.Figures, "dead letters re-driven")
		require.InEpsilon(t, 0.015*18_000, letters, 0.3)
		require.Greater(t, again, letters/3)
		require.Less(t, again, letters)
		require.InDelta(t, 18_000+0.01*18_000+again, float64(r.Events), 60, "%s: readings, broken copies, letters", r.Arm)
	}
	alerts := func(arm string) int { return runOf(t, s, arm).Correctness.Alerts.Expected }
	require.GreaterOrEqual(t, alerts(armLambda), alerts(armKappa), "what came back is late for the stream alone")
}

// Ensure that an outage is drained and loses nothing while the log keeps everything, and that every
// reader says what is lost when it does not.
func TestOutage(t *testing.T) {
	wholeScenario(t)
	t.Parallel()
	o := small(t, "outage")
	o.Cars, o.Rate = 50, 50
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	requireOK(t, s)
	require.Len(t, s.Runs, 4)
	for i := range s.Runs {
		r := &s.Runs[i]
		if r.Phase == phaseForgets {
			require.Greater(t, figureNamed(t, r.Figures, "events lost, share of the log"), 20.0)
			continue
		}
		require.NotZero(t, r.Correctness.Windows.Exact)
		require.InDelta(t, 6, figureNamed(t, r.Figures, "down for"), 3)
		require.Positive(t, figureNamed(t, r.Figures, "served wrong, windows by time"), "nothing new was served meanwhile")
		require.GreaterOrEqual(t, figureNamed(t, r.Figures, "right again after a kill, longest"), 5.0)
		require.Less(t, figureNamed(t, r.Figures, "drained after"), 10.0)
	}
}
