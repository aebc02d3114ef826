package report

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func verdictOn(t *testing.T, fixtureName, scenario string) string {
	t.Helper()
	at := slices.IndexFunc(claims, func(c claim) bool { return c.Scenario == scenario })
	require.GreaterOrEqual(t, at, 0)
	_, verdict := claims[at].judge(fixture(t, fixtureName))
	return verdict.Text
}

// Ensure that a claim is decided by what was measured, and only by enough of it.
func TestLedger(t *testing.T) {
	f := func(fixtureName, scenario, want string) {
		t.Helper()
		require.Contains(t, verdictOn(t, fixtureName, scenario), want)
	}
	f("right", "settled", "supports")
	f("right", "freshness", "undecided")
	f("right", "always-on", "undecided")
	f("right", "code", "supports the direction, not the size")
	f("right", "bugfix", "not run yet")
	f("right", "late", "not run yet")
	f("repeated", "freshness", "contradicts: Lambda is lower")
	f("repeated", "settled", "not in this run")
	f("wrong", "freshness", "not in this run")
}

// Ensure that a wrong answer in settled contradicts the claim of good data.
func TestLedgerCountsWrongAnswers(t *testing.T) {
	s := fixture(t, "right")
	s.Runs[1].OK = false
	_, verdict := bothRight(s)
	require.Equal(t, "contradicts", verdict)
}
