package report

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that words about a difference need six runs and an interval that bears them.
func TestCompare(t *testing.T) {
	around := func(x float64) []float64 {
		return []float64{x * 0.99, x * 0.995, x, x, x * 1.005, x * 1.01}
	}
	wide := []float64{1, 5, 10, 20, 30, 100}
	f := func(a, b []float64, want string) {
		t.Helper()
		require.Contains(t, compare("Lambda", inOrder(a), "Kappa", inOrder(b)), want)
	}
	f(nil, around(1), "not comparable")
	f(around(1)[:5], around(1), "undecided with 5 of the 6 runs it takes")
	f(around(10), around(10), "no difference beyond 10 %")
	f(around(10), around(20), "Lambda: x 0.")
	f(around(20), around(10), "Kappa: x 0.50 (")
	f(around(10), wide, "undecided: x ")
	f(around(10), []float64{8, 9, 10, 12, 13, 14}, "undecided: x ")
	f(around(10), around(10.6), "no difference beyond 10 %")
	f(around(10), around(11.2), "Lambda: x 0.")
}

func inOrder(xs []float64) map[int]float64 {
	sample := map[int]float64{}
	for i, x := range xs {
		sample[i+1] = x
	}
	return sample
}

// Ensure that pairs are of one repetition: a void run of one side leaves out its partner, and moves no other.
func TestComparePairs(t *testing.T) {
	lambda, kappa := map[int]float64{}, map[int]float64{}
	for i := 1; i <= 7; i++ {
		lambda[i], kappa[i] = math.Pow(2, float64(i)), math.Pow(2, float64(i))
	}
	delete(lambda, 1)
	require.Contains(t, compare("Lambda", lambda, "Kappa", kappa), "no difference")
}

// Ensure that numbers read like numbers.
func TestFigure(t *testing.T) {
	f := func(x float64, want string) {
		t.Helper()
		require.Equal(t, want, figure(x))
	}
	f(0, "0")
	f(0.01234, "0.0123")
	f(7.9, "7.9")
	f(38, "38")
	f(123.456, "123")
	f(999.4, "999")
	f(999.6, "1,000")
	f(1234567, "1,234,567")
	require.Equal(t, "24.1 B", inUnit(24.1, "B"))
	require.Equal(t, "720 MiB", inUnit(720<<20, "B"))
}

// Ensure that axes have few, round ticks, whatever the values.
func TestScale(t *testing.T) {
	s := newScale(axis{}, []float64{0, 59}, 0, 100)
	require.Equal(t, []tick{{0, "0"}, {20, "20"}, {40, "40"}}, s.ticksForText)
	s = newScale(axis{Log: true}, []float64{3, 400}, 0, 300)
	require.Equal(t, []tick{{1, "1"}, {10, "10"}, {100, "100"}, {1000, "1,000"}}, s.ticksForText)
	require.InDelta(t, 100, s.pixel(10), 1e-9)
	newScale(axis{}, nil, 0, 100)
	newScale(axis{Log: true}, []float64{10}, 0, 100)
}
