package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/result"
)

// Ensure that the arithmetic of the source comes out as the source has it, and goes with its inputs.
func TestKept(t *testing.T) {
	require.Equal(t, "777.6 TB", decimal(sourceKeeping.bytes()))
	require.Equal(t, "864 GB", decimal(keeping{1e7, 24 * time.Hour, 1}.bytes()))
	require.Equal(t, "12 B", decimal(12))

	of := func(arm string, bytes float64, ok bool) *group {
		return &group{Scenario: retention, Arm: arm, Label: arm, Runs: []*result.Run{{
			Arm: arm, OK: ok, Figures: []result.Figure{{Name: "kept per event", Unit: "B", Value: bytes}},
		}}}
	}
	rows := keptTable([]*group{of("lambda", 30, true), of("kappa", 130, true), of("broken", 1, false)}).Rows
	require.Len(t, rows, 3, "a wrong run keeps nothing")
	require.Equal(t, "777.6 TB", rows[0][4].Text)
	require.Equal(t, "2.333 TB", rows[1][4].Text)
	require.Equal(t, "1.3 MB/s", rows[2][1].Text)
	require.Equal(t, "10.11 TB", rows[2][4].Text)
}
