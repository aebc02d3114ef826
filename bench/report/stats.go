package report

import (
	"fmt"
	"slices"

	"golang.org/x/perf/benchmath"
)

const (
	confidence = 0.95
	// minRuns is the least number of runs for which a 95 % interval of a median exists: below six,
	// even the whole range of the sample covers the median with less than 95 %.
	minRuns = 6
	// margin is what is declared to be no difference.
	margin = 0.10
)

func median(xs []float64) float64 {
	sorted := slices.Sorted(slices.Values(xs))
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// compare says in words what two samples allow to say about a/b.
//
// The interval of the ratio is the widest that both intervals of the medians allow, so it is too
// careful rather than too bold.
func compare(aName string, a []float64, bName string, b []float64) string {
	if len(a) == 0 || len(b) == 0 {
		return "not comparable: a side has no figure"
	}
	if len(a) < minRuns || len(b) < minRuns {
		return fmt.Sprintf("undecided with %d of the %d runs it takes", min(len(a), len(b)), minRuns)
	}
	low, high := ratio(a, b)
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

func ratio(a, b []float64) (low, high float64) {
	ia, ib := interval(a), interval(b)
	return ia.Lo / ib.Hi, ia.Hi / ib.Lo
}

func interval(xs []float64) benchmath.Summary {
	thresholds := benchmath.DefaultThresholds
	sample := benchmath.NewSample(slices.Clone(xs), &thresholds)
	return benchmath.AssumeNothing.Summary(sample, confidence)
}
