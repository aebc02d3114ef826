package report

import (
	"fmt"
	"maps"
	"slices"

	"lambdakappa/bench/ledger"
)

const margin = ledger.Margin

// compare says in words which of two samples is lower, and by how much: by repetition, since one that a
// side has not is no pair.
func compare(aName string, a map[int]float64, bName string, b map[int]float64) string {
	var ratios []float64
	for _, repetition := range slices.Sorted(maps.Keys(a)) {
		if y, ok := b[repetition]; ok && y != 0 {
			ratios = append(ratios, a[repetition]/y)
		}
	}
	switch n := len(ratios); {
	case n == 0:
		return "not comparable: a side has no figure"
	case n < ledger.MinRuns:
		return fmt.Sprintf("undecided with %d of the %d runs it takes", n, ledger.MinRuns)
	}
	low, high, _ := ledger.Interval(ratios)
	middle := ledger.Median(ratios)
	switch {
	case low >= 1-margin && high <= 1+margin:
		return fmt.Sprintf("no difference beyond %.0f %% (x %.2f to %.2f)", margin*100, low, high)
	case high < 1:
		return fmt.Sprintf("%s: x %.2f (%.2f to %.2f) of %s's", aName, middle, low, high, bName)
	case low > 1:
		return fmt.Sprintf("%s: x %.2f (%.2f to %.2f) of %s's", bName, 1/middle, 1/high, 1/low, aName)
	default:
		return fmt.Sprintf("undecided: x %.2f to %.2f", low, high)
	}
}
