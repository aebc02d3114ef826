package report

import (
	"fmt"

	"lambdakappa/bench/ledger"
)

const margin = ledger.Margin

// compare says in words what two samples, in the order of their repetitions, allow to say about a/b.
func compare(aName string, a []float64, bName string, b []float64) string {
	n := min(len(a), len(b))
	if n == 0 {
		return "not comparable: a side has no figure"
	}
	if n < ledger.MinRuns {
		return fmt.Sprintf("undecided with %d of the %d runs it takes", n, ledger.MinRuns)
	}
	ratios := make([]float64, n)
	for i := range ratios {
		ratios[i] = a[i] / b[i]
	}
	low, high, _ := ledger.Interval(ratios)
	switch {
	case low >= 1-margin && high <= 1+margin:
		return fmt.Sprintf("no difference beyond %.0f %%", margin*100)
	case high < 1:
		return fmt.Sprintf("%s is lower (%.2f to %.2f of %s)", aName, low, high, bName)
	case low > 1:
		return fmt.Sprintf("%s is lower (%.2f to %.2f of %s)", bName, 1/high, 1/low, aName)
	default:
		return fmt.Sprintf("undecided: the ratio lies between %.2f and %.2f", low, high)
	}
}
