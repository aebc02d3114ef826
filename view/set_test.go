package view_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/view"
)

func TestSetsReadBack(t *testing.T) {
	for text, set := range map[string]view.Set{
		"windows,alerts":       view.Windows | view.Alerts,
		"windows,alerts,trips": view.All,
		"trips":                view.Trips,
	} {
		require.Equal(t, text, set.String())
		parsed, err := view.ParseSet(text)
		require.NoError(t, err)
		require.Equal(t, set, parsed)
		asJSON, err := json.Marshal(set)
		require.NoError(t, err)
		require.JSONEq(t, `"`+text+`"`, string(asJSON))
		var read view.Set
		require.NoError(t, json.Unmarshal(asJSON, &read))
		require.Equal(t, set, read)
	}
	inAnyOrder, err := view.ParseSet("trips,alerts,windows")
	require.NoError(t, err)
	require.Equal(t, view.All, inAnyOrder)
	require.True(t, view.All.Has(view.Trips))
	require.False(t, (view.Windows | view.Alerts).Has(view.Trips))
}

// Ensure that what no system keeps is refused, and that the error says what is taken.
func TestSetErrors(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		set, err := view.ParseSet(text)
		if err == nil {
			err = set.Validate()
		}
		require.EqualError(t, err, want)
	}
	f("", `view "": takes windows,alerts,trips`)
	f("windows,alerts,", `view "": takes windows,alerts,trips`)
	f("windows, alerts", `view " alerts": takes windows,alerts,trips`)
	f("tripps", `view "tripps": takes windows,alerts,trips`)
	f("trips", `views "trips": windows and alerts are always kept: give windows,alerts or windows,alerts,trips`)
	f("windows,trips",
		`views "windows,trips": windows and alerts are always kept: give windows,alerts or windows,alerts,trips`)
	require.Error(t, view.Set(0).Validate())
}

// FuzzSet ensures that nothing that is given breaks the parser, and that what it takes reads back.
func FuzzSet(f *testing.F) {
	for _, text := range []string{"", ",", "windows,alerts", "trips,trips,alerts,windows", "\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set, err := view.ParseSet(text)
		if err != nil {
			return
		}
		again, err := view.ParseSet(set.String())
		require.NoError(t, err)
		require.Equal(t, set, again)
	})
}
