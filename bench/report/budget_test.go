package report

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/result"
)

// Ensure that an invocation is held to the time that is promised of it, and a chosen part to none.
func TestWholeBudget(t *testing.T) {
	f := func(command, profile string, floor float64) {
		t.Helper()
		b, promised := wholeBudget(&result.Summary{Command: "bin/lambdakappa bench" + command, Profile: profile})
		require.Equal(t, floor > 0, promised)
		if promised {
			require.InDelta(t, floor, b.Floor, 0)
		}
	}
	f("", "quick", 300)
	f(" --seed 3", "quick", 300)
	f(" --all", "quick", 900)
	f(" --all --profile full", "full", 7200)
	f(" --scenario settled", "quick", 0)
	f(" --scenario=settled --profile full", "full", 0)
}
