package view_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/view"
)

func window(car string, start int64, readings int64) view.Window {
	return view.Window{
		WindowKey: view.WindowKey{CarID: car, Start: start}, Tally: view.Tally{Readings: readings},
	}
}

func windows(t testing.TB, rows ...view.Window) view.Table[view.WindowKey, view.Window] {
	t.Helper()
	table, err := view.NewTable(rows)
	require.NoError(t, err)
	return table
}

func TestNewTableSortsByKey(t *testing.T) {
	table := windows(t, window("b", 0, 1), window("a", 20, 2), window("a", -10, 3))
	require.Equal(t, []view.WindowKey{{CarID: "a", Start: -10}, {CarID: "a", Start: 20}, {CarID: "b"}},
		[]view.WindowKey{table[0].Key(), table[1].Key(), table[2].Key()})

	alert := func(car string, seq int64) view.Alert {
		return view.Alert{AlertKey: view.AlertKey{CarID: car, Seq: seq}}
	}
	alerts, err := view.NewTable([]view.Alert{alert("b", 1), alert("a", 10), alert("a", 9)})
	require.NoError(t, err)
	require.Equal(t, view.Table[view.AlertKey, view.Alert]{alert("a", 9), alert("a", 10), alert("b", 1)}, alerts)
}

// Ensure that a key which is there twice is an error, even if both rows say the same.
func TestNewTableNamesADoubledKey(t *testing.T) {
	for _, readings := range []int64{1, 2} {
		_, err := view.NewTable([]view.Window{
			window("b", 10, 1), window("a", 10, 1), window("b", 10, readings),
		})
		require.EqualError(t, err, "two rows for key {CarID:b Start:10}")
	}
}

func TestCompareTellsTheFourClasses(t *testing.T) {
	truth := windows(t, window("a", 0, 1), window("a", 10, 2), window("b", 0, 3), window("d", 0, 4))
	answer := windows(t, window("a", 0, 1), window("a", 10, 9), window("c", 0, 5), window("d", 0, 4))
	d := view.Compare(truth, answer)
	require.Equal(t, view.Diff{
		Expected: 4, Exact: 2, Missing: 1, Unexpected: 1, Different: 1, Examples: d.Examples,
	}, d)
	require.False(t, d.OK())
	require.Len(t, d.Examples, 3)
	require.Contains(t, d.Examples[0], "different: expected {WindowKey:{CarID:a Start:10}")
	require.Contains(t, d.Examples[0], "Readings:2")
	require.Contains(t, d.Examples[0], "Readings:9")
	require.Contains(t, d.Examples[1], "missing {WindowKey:{CarID:b Start:0}")
	require.Contains(t, d.Examples[2], "unexpected {WindowKey:{CarID:c Start:0}")
}

func TestCompareOfEmptyTables(t *testing.T) {
	some := windows(t, window("a", 0, 1))
	require.True(t, view.Compare[view.WindowKey, view.Window](nil, nil).OK())
	require.Equal(t, 1, view.Compare(some, nil).Missing)
	require.Equal(t, 1, view.Compare(nil, some).Unexpected)
}

// Ensure that every field counts, not only those that somebody thought of.
func TestCompareSeesEveryField(t *testing.T) {
	row := window("a", 0, 5)
	for name, change := range map[string]func(*view.Tally){
		"readings":    func(t *view.Tally) { t.Readings++ },
		"speed sum":   func(t *view.Tally) { t.SpeedSum++ },
		"speed max":   func(t *view.Tally) { t.SpeedMax++ },
		"coolant":     func(t *view.Tally) { t.CoolantTempMax++ },
		"vibration":   func(t *view.Tally) { t.EngineVibrationMax++ },
		"pressure":    func(t *view.Tally) { t.TirePressureMin++ },
		"voltage":     func(t *view.Tally) { t.BatteryVoltageMin++ },
		"current":     func(t *view.Tally) { t.CurrentDrawSum++ },
		"anomalies":   func(t *view.Tally) { t.Anomalies++ },
		"last seq":    func(t *view.Tally) { t.LastSeq++ },
		"air flow":    func(t *view.Tally) { t.IntakeAirFlowMax++ },
		"outside":     func(t *view.Tally) { t.AmbientTempMax++ },
		"not a value": func(t *view.Tally) { t.SpeedMax = float32(math.NaN()) },
	} {
		other := row
		change(&other.Tally)
		require.Equal(t, 1, view.Compare(windows(t, row), windows(t, other)).Different, name)
	}
	nan := row
	nan.SpeedMax = float32(math.NaN())
	require.Equal(t, 1, view.Compare(windows(t, nan), windows(t, nan)).Different, "NaN is never exact")
}

func TestExamplesAreBoundedAndCountsAreNot(t *testing.T) {
	var rows []view.Window
	for i := range int64(1000) {
		rows = append(rows, window("a", i, 1))
	}
	d := view.Compare(windows(t, rows...), nil)
	require.Equal(t, 1000, d.Missing)
	require.Len(t, d.Examples, 20)
}

// Ensure that Compare counts what a naive comparison counts, and that its invariant holds.
func TestCompareAgreesWithTheNaiveComparison(t *testing.T) {
	draw := func(t *rapid.T, name string) []view.Window {
		keys := rapid.SliceOfDistinct(rapid.Int64Range(0, 12), rapid.ID).Draw(t, name)
		var rows []view.Window
		for _, k := range keys {
			rows = append(rows, window(string(rune('a'+k%3)), k, rapid.Int64Range(1, 2).Draw(t, "n")))
		}
		return rows
	}
	rapid.Check(t, func(t *rapid.T) {
		expected, served := draw(t, "truth"), draw(t, "answer")
		truth, err := view.NewTable(slices.Clone(expected))
		require.NoError(t, err)
		answer, err := view.NewTable(slices.Clone(served))
		require.NoError(t, err)
		d := view.Compare(truth, answer)
		exact, different := 0, 0
		for _, a := range expected {
			for _, b := range served {
				if a == b {
					exact++
				} else if a.Key() == b.Key() {
					different++
				}
			}
		}
		require.Equal(t, exact, d.Exact)
		require.Equal(t, different, d.Different)
		require.Equal(t, len(expected), d.Expected)
		require.Equal(t, d.Expected, d.Exact+d.Different+d.Missing)
		require.Equal(t, len(served), d.Exact+d.Different+d.Unexpected)
		require.Equal(t, exact == len(expected) && exact == len(served), d.OK())
	})
}

func ExampleCompare() {
	truth, _ := view.NewTable([]view.Window{window("a", 0, 10), window("a", 10_000, 10)})
	answer, _ := view.NewTable([]view.Window{window("a", 0, 11)})
	d := view.Compare(truth, answer)
	fmt.Println(d.Expected, "expected:", d.Exact, "exact,", d.Missing, "missing,", d.Different, "different")
	fmt.Println(d.OK())
	// Output:
	// 2 expected: 0 exact, 1 missing, 1 different
	// false
}
