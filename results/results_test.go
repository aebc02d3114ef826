package results_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/report"
	"lambdakappa/results"
)

// Ensure that a reference run that is committed can be read, came to its end and is all right, and
// that what was measured by a source with changes in no revision is none.
func TestReference(t *testing.T) {
	raw := results.Reference()
	if raw == nil { // none is committed yet: then there is no half of one either
		left, err := os.ReadDir("reference")
		require.NoError(t, err)
		require.Len(t, left, 1, "the README alone")
		return
	}
	s, err := report.Parse("reference/summary.json", raw)
	require.NoError(t, err)
	require.True(t, s.OK())
	require.False(t, s.Interrupted)
	require.Equal(t, "full", s.Profile)
	require.NotContains(t, s.Revision, "dirty")

	// The tables of the README are those of this run.
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	before := string(readme)
	copied := t.TempDir() + "/README.md"
	require.NoError(t, os.WriteFile(copied, readme, 0o644))
	require.NoError(t, report.Splice(copied, s))
	after, err := os.ReadFile(copied)
	require.NoError(t, err)
	require.Equal(t, before, string(after), "splice it: bin/lambdakappa report results/reference --splice README.md")
}
