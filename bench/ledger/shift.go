package ledger

import (
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
)

// LeastToShift is the least number of runs on either side for which a [Shift] has an interval: of three and three,
// even the two most different orders are found by chance in one of ten times.
const LeastToShift = 4

// A Shift is how far one sample lies from another one that is independent of it: no run of the one belongs to a run of the
// other, as in two runs of the benchmark. It is a factor where all values are above 0, and a difference otherwise.
type Shift struct {
	Value     float64 // the middle of all pairs' factors (Hodges and Lehmann)
	Low, High float64 // its 95 % interval, exact for the number of runs and whatever the distribution (Mann and Whitney)
	IsFactor  bool
}

// ShiftOf says how far after lies from before; ok is false when one of them has fewer than [LeastToShift] values.
func ShiftOf(before, after []float64) (shift Shift, ok bool) {
	if min(len(before), len(after)) < LeastToShift {
		return Shift{}, false
	}
	shift.IsFactor = slices.Min(before) > 0 && slices.Min(after) > 0
	scale, back := func(x float64) float64 { return x }, func(x float64) float64 { return x }
	if shift.IsFactor {
		scale, back = math.Log, math.Exp
	}
	var pairs []float64
	for _, x := range before {
		for _, y := range after {
			pairs = append(pairs, scale(y)-scale(x))
		}
	}
	slices.Sort(pairs)
	tail := tailOf(len(before), len(after))
	shift.Value = back(Median(pairs))
	shift.Low, shift.High = back(pairs[tail]), back(pairs[len(pairs)-1-tail])
	return shift, true
}

// tailOf is how many of the sorted pairs lie outside of the interval on either side.
func tailOf(before, after int) int {
	chance := stats.UDist{N1: before, N2: after}
	tail := 0
	for chance.CDF(float64(tail)) <= (1-confidence)/2 {
		tail++
	}
	return tail - 1
}
