package report

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that the ledger shows every claim, the figures that decide it, and where to read on.
func TestLedgerTable(t *testing.T) {
	row := func(fixtureName, claim string) []cell {
		t.Helper()
		for _, row := range ledgerTable(fixture(t, fixtureName)).Rows {
			if len(row[0].Text) > len(claim) && row[0].Text[:len(claim)+1] == claim+":" {
				return row
			}
		}
		require.Fail(t, "no row", claim)
		return nil
	}
	freshness := row("repeated", "freshness")
	require.Equal(t, "#freshness", freshness[0].Link)
	require.Contains(t, freshness[0].Text, "(slides 7, 8, 10)")
	require.Regexp(t, `freshness, p50: lambda .* ms, kappa .* ms, ratio .* \(.* to .*\)`, freshness[3].Text)
	require.Equal(t, "contradicts", freshness[4].Text)

	require.Equal(t, "undecided: 1 of the 6 runs that an interval takes", row("right", "freshness")[4].Text)
	require.Equal(t, "not run yet", row("right", "model")[4].Text)
	require.Equal(t, "not in this run", row("repeated", "settled")[4].Text)
	require.Empty(t, row("repeated", "settled")[0].Link)
	require.Equal(t, "none", row("repeated", "settled")[5].Text)
}
