package ledger

import (
	"slices"

	"golang.org/x/perf/benchmath"

	"lambdakappa/bench/scenarios"
)

const (
	confidence = 0.95
	// MinRuns is the least number of runs for which a 95 % interval of a median exists: below six,
	// even the whole range of the sample covers the median with less than 95 %.
	MinRuns = 6
	// Margin is what is declared to be no difference where a rule says nothing else.
	Margin = scenarios.DefaultMargin
)

// Median returns the middle of a sample that is not empty.
func Median(xs []float64) float64 {
	sorted := slices.Sorted(slices.Values(xs))
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// Interval returns the 95 % interval of the median of a sample, which nothing is assumed about; ok is
// false when the sample is too small to have one.
func Interval(xs []float64) (low, high float64, ok bool) {
	if len(xs) < MinRuns {
		return 0, 0, false
	}
	// Between order statistics, the library's interval may be one further on one side than on the
	// other. The wider of both ways does not depend on what is divided by what.
	negated := make([]float64, len(xs))
	for i, x := range xs {
		negated[i] = -x
	}
	a, b := summary(xs), summary(negated)
	return min(a.Lo, -b.Hi), max(a.Hi, -b.Lo), true
}

func summary(xs []float64) benchmath.Summary {
	thresholds := benchmath.DefaultThresholds
	sample := benchmath.NewSample(slices.Clone(xs), &thresholds)
	return benchmath.AssumeNothing.Summary(sample, confidence)
}
