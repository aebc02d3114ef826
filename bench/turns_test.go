package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
)

// Ensure that the arms take turns in beginning.
func TestInTurn(t *testing.T) {
	arms := []string{armLambda, armKappa}
	require.Equal(t, []string{armLambda, armKappa}, inTurn(arms, 0))
	require.Equal(t, []string{armKappa, armLambda}, inTurn(arms, 1))
	require.Equal(t, []string{armLambda, armKappa}, arms)
}

// Ensure that arms which run alone run in turn, all of a repetition on the same workload, and that what is
// there already is not run again.
func TestEachAlone(t *testing.T) {
	d := testExecution(t).driver
	d.scenario.size.repetitions = 3
	d.summary = &result.Summary{Runs: []result.Run{{Arm: armKappa, Repetition: 3}, {Arm: armLambda, Repetition: 3, Void: "slow"}}}
	order := func() (all string) {
		require.NoError(t, d.eachAlone(d.scenario, func(head result.Run) error {
			require.Equal(t, d.opt.Seed+uint64(head.Repetition)-1, head.Seed)
			all += strings.ToUpper(head.Arm[:1])
			return nil
		}))
		return all
	}
	require.Equal(t, "LKKLLK", order())
	d.opt.Resume = "results/earlier"
	require.Equal(t, "LKKLL", order())

	broken := errors.New("broken")
	require.ErrorIs(t, d.eachAlone(d.scenario, func(result.Run) error { return broken }), broken)
}

// Ensure that no procedure goes through its arms in the order of the file: the one that always begins
// meets another machine.
func TestNobodyAlwaysBegins(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	fixed := regexp.MustCompile(`range [a-z.]*\.arms\(`)
	require.True(t, fixed.MatchString("for _, arm := range s.arms(d.opt) {"))
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		if !strings.HasSuffix(file, "_test.go") && file != "correctness.go" { // no figure of its depends on the order
			require.False(t, fixed.Match(source), "%s: take the arms in turn", file)
		}
	}
}

// Ensure that controls come before the first of every few repetitions, however many arms there are, and
// that the time they take is planned.
func TestControlTurn(t *testing.T) {
	var c controlTurn
	var before []int
	for repetition := 1; repetition <= 7; repetition++ {
		for range 2 {
			if c.due(repetition) {
				before = append(before, repetition)
			}
		}
	}
	require.Equal(t, []int{1, 4, 7}, before)
	require.Equal(t, 3, controlRuns(7))
	require.Equal(t, 2, controlRuns(6))
	require.Equal(t, 0, controlRuns(0))

	c = controlTurn{taken: 1} // another scenario has taken one
	require.False(t, c.due(3))
	require.True(t, c.due(4))
}

// Ensure that a void run is tried once more and says so, whatever comes of it.
func TestAttemptsAreCounted(t *testing.T) {
	f := func(want result.Run, voids ...string) {
		t.Helper()
		x := testExecution(t)
		tried := 0
		got, err := x.untilNotVoid(t.Context(), func(context.Context) (*execution, error) {
			tried++
			return &execution{run: result.Run{Void: voids[tried-1]}}, nil
		})
		require.NoError(t, err)
		require.Equal(t, len(voids), tried)
		require.Equal(t, want, got.run)
	}
	note := []string{"the second attempt: the first was void, it was slow"}
	f(result.Run{}, "")
	f(result.Run{Attempts: 2, Notes: note}, "it was slow", "")
	f(result.Run{Attempts: 2, Notes: note, Void: "slow again"}, "it was slow", "slow again")
}

// Ensure that the handicap of an arm is found as large as it is: its broker has it too, so a control of
// that cost is taken off.
func TestHandicapIsWhatItSays(t *testing.T) {
	control, arm := cost{events: 1e6, cpu: 10}, cost{events: 1e6, cpu: 30}
	handicapped := arm.slowed(0.2)
	require.InDelta(t, 1.2, handicapped.less(control.slowed(0.2)).CPUSecondsPerMillionEvents/
		arm.less(control).CPUSecondsPerMillionEvents, 1e-9)
	require.False(t, arm.less(cost{}.slowed(0.2)).LessControl)

	x := testExecution(t)
	x.controls = map[string]cost{x.controlOf(size{}): control}
	x.scenario.Arms = append(x.scenario.Arms, scenarios.Arm{Name: "slow", Like: armKappa, Handicap: 0.5})
	x.spent = arm
	x.run.Arm = "slow"
	require.InDelta(t, 15, newSteady(x, size{}, false).resultCost().CPUSecondsPerMillionEvents, 1e-9)
	x.run.Arm = armKappa
	require.InDelta(t, 20, newSteady(x, size{}, false).resultCost().CPUSecondsPerMillionEvents, 1e-9)
	x.run.Arm = armControl
	require.Equal(t, arm.whole(), *newSteady(x, size{}, false).resultCost(), "nothing is taken off a control")
}
