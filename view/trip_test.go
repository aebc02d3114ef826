package view_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/view"
)

const gap = 30

// anyDrive draws the stretch of one reading.
func anyDrive(t *rapid.T) view.Stretch {
	at := rapid.Int64Range(0, 1000).Draw(t, "at")
	return view.Stretch{
		Start: at, End: at, Readings: 1,
		SpeedSum:    rapid.Int64Range(1, 1<<40).Draw(t, "speed"),
		HarshBrakes: rapid.Int64Range(0, 1).Draw(t, "harsh"),
	}
}

// anyStretch draws what is not a reading: any fields will do, and none at all.
func anyStretch(t *rapid.T) view.Stretch {
	if rapid.IntRange(0, 4).Draw(t, "empty") == 0 {
		return view.EmptyStretch()
	}
	s := anyDrive(t)
	other := anyDrive(t)
	s.Merge(&other)
	return s
}

func joined(a, b view.Stretch) view.Stretch {
	a.Merge(&b)
	return a
}

// The laws of a commutative monoid, with == on every field.
func TestStretchIsACommutativeMonoid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anyStretch(t), anyStretch(t), anyStretch(t)
		require.Equal(t, a, joined(a, view.EmptyStretch()))
		require.Equal(t, a, joined(view.EmptyStretch(), a))
		require.Equal(t, view.EmptyStretch(), joined(view.EmptyStretch(), view.EmptyStretch()))
		require.Equal(t, joined(a, b), joined(b, a))
		require.Equal(t, joined(joined(a, b), c), joined(a, joined(b, c)))
	})
}

// coalesced is what Coalesce makes of pieces in any order.
func coalesced(pieces ...view.Stretch) []view.Stretch {
	sorted := append([]view.Stretch{}, pieces...)
	slices.SortStableFunc(sorted, func(a, b view.Stretch) int { return cmp.Compare(a.Start, b.Start) })
	return view.Coalesce(sorted, gap)
}

// Ensure that trips are what the definition says, reading by reading.
func TestCoalesceByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		readings := rapid.SliceOf(rapid.Custom(anyDrive)).Draw(t, "readings")
		trips := coalesced(readings...)
		var total, sum int64
		for i, trip := range trips {
			inside := 0
			for _, r := range readings {
				if trip.Contains(&r) {
					inside++
				}
			}
			require.EqualValues(t, inside, trip.Readings)
			require.Greater(t, trip.Readings, int64(0))
			if i > 0 {
				require.Greater(t, trip.Start-trips[i-1].End, int64(gap), "they would be one")
			}
			total, sum = total+trip.Readings, sum+trip.SpeedSum
		}
		for _, r := range readings {
			sum -= r.SpeedSum
		}
		require.EqualValues(t, len(readings), total)
		require.Zero(t, sum)
		for _, trip := range trips {
			times := []int64{}
			for _, r := range readings {
				if trip.Contains(&r) {
					times = append(times, r.Start)
				}
			}
			slices.Sort(times)
			require.Equal(t, []int64{trip.Start, trip.End}, []int64{times[0], times[len(times)-1]})
			for i := 1; i < len(times); i++ {
				require.LessOrEqual(t, times[i]-times[i-1], int64(gap), "a hole inside")
			}
		}
	})
}

// Ensure that pieces may be coalesced apart and together again, wherever the boundary lies and
// whatever the order: Lambda's merge, and Kappa's late readings, in one line.
func TestCoalesceAtAnyBoundaryEqualsNoBoundary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		readings := rapid.SliceOf(rapid.Custom(anyDrive)).Draw(t, "readings")
		boundary := rapid.IntRange(0, len(readings)).Draw(t, "boundary")
		whole := coalesced(readings...)
		batch, speed := coalesced(readings[:boundary]...), coalesced(readings[boundary:]...)
		require.Equal(t, whole, coalesced(slices.Concat(batch, speed)...))
		require.Equal(t, whole, coalesced(slices.Concat(speed, batch)...))
		require.Equal(t, whole, coalesced(whole...), "what is coalesced stays as it is")
	})
}

func TestCoalesceOfNothing(t *testing.T) {
	require.Empty(t, view.Coalesce(nil, gap))
}

// Ensure that exactly the gap still holds a trip together.
func TestTheGapIsIncluded(t *testing.T) {
	at := func(ms int64) view.Stretch { return view.Stretch{Start: ms, End: ms, Readings: 1} }
	require.Len(t, coalesced(at(0), at(gap)), 1)
	require.Len(t, coalesced(at(0), at(gap+1)), 2)
}

func TestDistance(t *testing.T) {
	require.Equal(t, 25.0, view.Distance(view.Fixed(10)+view.Fixed(15), 1_000))
	require.Equal(t, 250.0, view.Distance(view.Fixed(25), 10_000))
	require.Zero(t, view.Distance(0, 1_000))
}

func ExampleCoalesce() {
	at := func(second int64) view.Stretch {
		return view.Stretch{Start: second * 1000, End: second * 1000, Readings: 1}
	}
	trips := view.Coalesce([]view.Stretch{at(0), at(50)}, 30_000)
	fmt.Println(len(trips), "trips")
	trips = view.Coalesce([]view.Stretch{at(0), at(25), at(50)}, 30_000) // a late reading
	fmt.Println(len(trips), "trip of", trips[0].Readings, "readings, until", trips[0].End)
	// Output:
	// 2 trips
	// 1 trip of 3 readings, until 50000
}
