package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/decide"
	"lambdakappa/bench/result"
)

// Ensure that whoever measures for an hour what the help names gets an answer from it, and that nothing of it is for nothing.
func TestWhatToMeasureForADecision(t *testing.T) {
	named := regexp.MustCompile(`--profile full --scenario (\S+)`).FindStringSubmatch(new(app).decide().Example)
	require.NotNil(t, named)
	scenarios := strings.Split(named[1], ",")
	measured := func(scenarios []string) error {
		s, err := referenceRun()
		require.NoError(t, err)
		s.Runs = slices.DeleteFunc(s.Runs, func(r result.Run) bool { return !slices.Contains(scenarios, r.Scenario) })
		_, err = decide.Measure(s)
		return err
	}
	require.NoError(t, measured(scenarios))
	for i, left := range scenarios {
		if left == "ceiling" { // it says how far the rest reaches
			continue
		}
		require.ErrorContains(t, measured(slices.Delete(slices.Clone(scenarios), i, i+1)), left)
	}
}
