//bench:change view
package view

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"
)

// TripKey is the identity of a row of the `trips` view. A trip that turns out to have begun earlier
// is another row: the one with the old start is gone.
type TripKey struct {
	CarID string
	Start int64 // Unix ms, event time of the first reading
}

// Compare orders by car, then by start.
func (k TripKey) Compare(o TripKey) int {
	return cmp.Or(strings.Compare(k.CarID, o.CarID), cmp.Compare(k.Start, o.Start))
}

// Trip is a row of the `trips` view: a maximal run of readings of a car that moves, neighbours of
// which are at most the trip gap apart in event time.
//
// Invariant: Readings > 0, and two trips of a car are more than the gap apart.
type Trip struct {
	CarID string
	Stretch
	Distance float64 // metres; computed once, when the row is served, see [Distance]
}

// Key returns the row's identity.
func (t Trip) Key() TripKey { return TripKey{t.CarID, t.Start} }

// A Stretch is an interval of a car's event time in which it was driven, and what was measured
// there. It is a commutative monoid under [Stretch.Merge] with [EmptyStretch] as identity: what
// makes an interval of many readings is the same, in whatever order and in whatever pieces.
//
// Invariant: a reading is in at most one of two stretches that are merged. The owner of the fold
// guarantees it; a Stretch cannot see duplicates.
type Stretch struct {
	Start       int64 // Unix ms, event time of the first reading
	End         int64 // and of the last one: both ends are included
	Readings    int64 // distinct readings
	SpeedSum    int64 // m/s, units of 2^-24
	HarshBrakes int64 // readings that feel like one
}

// EmptyStretch is the identity of [Stretch.Merge]: a stretch of no readings.
func EmptyStretch() Stretch { return Stretch{Start: math.MaxInt64, End: math.MinInt64} }

// Merge adds the readings of o to s.
func (s *Stretch) Merge(o *Stretch) {
	s.Start = min(s.Start, o.Start)
	s.End = max(s.End, o.End)
	s.Readings += o.Readings
	s.SpeedSum += o.SpeedSum
	s.HarshBrakes += o.HarshBrakes
}

// Reaches reports whether the later stretch o, whose start is not before s.Start, belongs to the
// same trip: it begins at most gap ms behind the end of s. Neither may be empty.
func (s *Stretch) Reaches(o *Stretch, gap int64) bool { return o.Start-gap <= s.End }

// Contains reports whether all of o's time is in s.
func (s *Stretch) Contains(o *Stretch) bool { return s.Start <= o.Start && o.End <= s.End }

// Coalesce merges the stretches of one car that belong together into trips: in place, and it
// returns what is left. They come by ascending start; none is empty.
//
// The law that Lambda's merge stands on: coalescing the pieces of two disjoint sets of readings
// gives what coalescing all readings gives, however they were coalesced before. For a piece has no
// hole that is wider than the gap: whatever lies inside it would have joined its readings as well.
func Coalesce(stretches []Stretch, gap int64) []Stretch {
	if len(stretches) == 0 {
		return stretches
	}
	last := 0
	for i := 1; i < len(stretches); i++ {
		if stretches[last].Reaches(&stretches[i], gap) {
			stretches[last].Merge(&stretches[i])
			continue
		}
		last++
		stretches[last] = stretches[i]
	}
	return stretches[:last+1]
}

// Replace puts a new state of a trip in the place of all that it contains: a trip only ever grows,
// and by that it may swallow others. A state that another one contains is an older one; it changes
// nothing, and Replace says false. The stretches come by ascending start and do not overlap; they
// are changed in place.
func Replace(stretches []Stretch, s Stretch) ([]Stretch, bool) {
	from := sort.Search(len(stretches), func(i int) bool { return stretches[i].End >= s.Start })
	to := from
	for to < len(stretches) && stretches[to].Start <= s.End {
		if stretches[to].Contains(&s) && stretches[to].Readings >= s.Readings {
			return stretches, false
		}
		to++
	}
	return slices.Replace(stretches, from, to, s), true
}

// Distance is the way in metres that a sum of speeds in m/s, in units of 2^-24, stands for when
// readings come every interval ms. It is divided and multiplied in this order, once.
func Distance(speedSum, interval int64) float64 {
	return float64(speedSum) / unit * float64(interval) / 1000
}
