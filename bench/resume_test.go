package bench

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/report"
	"lambdakappa/bench/result"
)

// Ensure that an invocation that was interrupted goes on in its folder with what is missing, and runs
// nothing twice.
func TestResume(t *testing.T) {
	wholeScenario(t)
	t.Parallel()
	o := small(t, "settled")
	o.Cars, o.Rate, o.Window, o.Repetitions = 20, 20, time.Minute, 2
	first := &firstRun{dir: o.Out}
	ctx, interrupt := context.WithCancel(t.Context())
	go first.await(ctx, interrupt)
	_, err := Run(ctx, o)
	require.ErrorContains(t, err, "interrupted")

	o.Resume, o.Command = filepath.Join(o.Out, "latest"), "another command"
	before, err := report.Load(o.Resume)
	require.NoError(t, err)
	require.Len(t, before.Runs, 2, "one repetition of both arms")

	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.Len(t, s.Runs, 4)
	require.Equal(t, before.Runs, s.Runs[:2])
	require.False(t, s.Interrupted)
	require.Greater(t, s.Seconds, before.Seconds)
	require.Equal(t, before.Command, s.Command, "the command of the whole, which a second run has to repeat")
	requireRight(t, s)
	require.NotEqual(t, s.Runs[0].Dir, s.Runs[2].Dir, "the views of the first repetition stay")

	_, err = Run(t.Context(), o)
	require.ErrorContains(t, err, "nothing is left to do")
	o.Seed = 2
	_, err = Run(t.Context(), o)
	require.ErrorContains(t, err, `its seed is "1", this one's "2"`)
	o.Resume = t.TempDir()
	_, err = Run(t.Context(), o)
	require.ErrorContains(t, err, "resume: read run")
}

// Ensure that names of folders go on where they were, also those of several arms on one log, of phases, and of runs that have
// left no views.
func TestNumbersGoOn(t *testing.T) {
	d := &driver{numbers: map[string]int{}}
	d.restore(&result.Summary{Runs: []result.Run{
		{Scenario: "settled", Arm: "lambda", Dir: "views/settled-both-3"},
		{Scenario: "settled", Arm: "kappa", Dir: "views/settled-both-3"},
		{Scenario: "outage", Arm: "kappa", Dir: "views/outage-both-log_forgets-1"},
		{Scenario: "spike", Arm: "control"},
		{Scenario: "spike", Arm: "control"},
	}})
	require.Equal(t, map[string]int{"settled-both": 3, "outage-both-log_forgets": 1, "spike-control": 2}, d.numbers)
	require.Equal(t, "settled-both-4", d.runName(result.Run{Scenario: "settled", Arm: armBoth}))
}

// firstRun interrupts as soon as one run is in the summary.
type firstRun struct{ dir string }

func (f *firstRun) await(ctx context.Context, interrupt func()) {
	for ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
		found, _ := filepath.Glob(filepath.Join(f.dir, "*", "summary.json"))
		for _, path := range found {
			if s, err := report.Load(filepath.Dir(path)); err == nil && len(s.Runs) >= 2 {
				interrupt()
				return
			}
		}
	}
}

// Ensure that what has been run is known by its phase, where a scenario has a run more in another one: a
// resumed full profile once left those out.
func TestResumeKnowsPhases(t *testing.T) {
	o := small(t)
	o.Resume = "somewhere"
	d := &driver{opt: o, summary: &result.Summary{Runs: []result.Run{
		{Scenario: "outage", Arm: armKappa, Repetition: 1},
		{Scenario: "replay", Arm: armKappa, Repetition: 1, Phase: "replay"},
	}}}
	f := func(scenario, phase string, want bool) {
		t.Helper()
		require.Equal(t, want, d.has(result.Run{Scenario: scenario, Phase: phase, Repetition: 1}, armKappa))
	}
	f("outage", "", true)
	f("outage", phaseForgets, false)
	f("replay", "", true)
	f("late", "", false)
}
