package view_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/view"
)

// Ensure that rule names read back, and that they are the served ones: they are part of the answer.
func TestRuleNames(t *testing.T) {
	want := map[view.Rule]string{
		view.Overheating: "overheating", view.TireLeak: "tire_leak",
		view.ShockAbsorber: "shock_absorber", view.DriveShaft: "drive_shaft",
		view.BatteryCell: "battery_cell",
	}
	for rule, name := range want {
		require.Equal(t, name, rule.String())
		parsed, ok := view.ParseRule(name)
		require.True(t, ok)
		require.Equal(t, rule, parsed)
	}
	require.Empty(t, view.NoRule.String())
	require.Equal(t, "unknown", view.Rule(99).String())
	for _, name := range []string{"", "unknown", "Overheating"} {
		_, ok := view.ParseRule(name)
		require.False(t, ok, name)
	}
}
