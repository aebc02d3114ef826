package report

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/ledger"
	"lambdakappa/bench/result"
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
}

// Ensure that a run that was held against a reference run shows what that says, and one that was not has no column for it: the
// reference run itself is held against none.
func TestLedgerBesideTheReference(t *testing.T) {
	s := fixture(t, "repeated")
	require.NotContains(t, ledgerTable(s).Head, "reference run")
	s.Scenarios[0].Reference = &result.Reference{Verdict: ledger.Supports, Agreement: "agrees"}
	held := ledgerTable(s)
	require.Equal(t, "reference run", held.Head[len(held.Head)-1])
	last := func(i int) string { return held.Rows[i][len(held.Head)-1].Text }
	require.Equal(t, "supports; this run agrees", last(0))
	require.Equal(t, "none", last(1))
	require.NotContains(t, ledgerTable(alone(s)).Head, "reference run")
	require.NotNil(t, s.Scenarios[0].Reference)
}

// Ensure that what says otherwise is told with what was measured of it, and alone where nothing was.
func TestObjectionCell(t *testing.T) {
	lost := 24022.0
	q := result.Scenario{
		Against: "short retention loses data", Objection: ledger.Supports,
		Objections: []result.Ruling{{Figure: "events lost", Arms: []result.ArmFigure{{Arm: "kappa", Median: &lost}}}},
	}
	require.Equal(t, "short retention loses data (holds here, events lost: kappa 24,022)", objection(&q))
	q.Objection = ledger.Contradicts
	require.Contains(t, objection(&q), "(does not hold here, ")
	q.Objection, q.Objections = "", nil
	require.Equal(t, "short retention loses data", objection(&q))
	q.Against = ""
	require.Equal(t, "nothing", objection(&q))
}
