package kappa

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/view"
)

// Ensure that a cut-over takes back what the new version does not say, and calls belated only what the
// old one has processed without saying it.
func TestCompareAlerts(t *testing.T) {
	of := func(version string, reach int64, alerts ...alert) *materialised {
		m := DefaultConfig().newMaterialised(version, 1)
		var rows changelogWriter
		for i := range alerts {
			rows.alert(&alerts[i], 0)
		}
		require.NoError(t, rows.progress(progress{Position: reach}))
		_, _, err := m.parts[0].take(rows.records)
		require.NoError(t, err)
		return m
	}
	at := func(car string, seq, offset int64) alert {
		return alert{Alert: view.Alert{AlertKey: view.AlertKey{CarID: car, Seq: seq}}, offset: offset}
	}
	f := func(retracted, belated int, old, new *materialised) {
		t.Helper()
		gone, added := compareAlerts(old, new)
		require.Equal(t, [2]int{retracted, belated}, [2]int{gone, added})
	}
	old := of("v1", 10, at("a", 1, 1), at("a", 3, 3), at("b", 0, 4))
	f(3, 0, old, of("v2", 10))
	f(0, 0, old, of("v2", 12, at("a", 1, 1), at("a", 3, 3), at("b", 0, 4), at("b", 9, 10)))
	f(1, 2, old, of("v2", 12, at("a", 1, 1), at("a", 2, 2), at("b", 0, 4), at("c", 0, 9), at("c", 1, 11)))
	f(0, 1, of("v1", 10), of("v2", 12, at("a", 1, 9), at("a", 2, 10)))

	var many []alert
	for i := range 3 * rowsPerLock {
		many = append(many, at(carName(i), 0, int64(i)))
	}
	fewer := many[:2*rowsPerLock] // of the rest, the new version has no car
	f(rowsPerLock, 0, of("v1", 1000, many...), of("v2", 1000, fewer...))
	f(0, rowsPerLock, of("v1", 1000, fewer...), of("v2", 1000, many...))
}
