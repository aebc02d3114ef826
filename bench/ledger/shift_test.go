package ledger

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that a shift is a factor of figures that are above 0, a difference of others, and that few runs have no
// interval.
func TestShift(t *testing.T) {
	before := []float64{10, 11, 12, 13}
	shift, ok := ShiftOf(before, []float64{20, 22, 24, 26})
	require.True(t, ok)
	require.True(t, shift.IsFactor)
	require.InDelta(t, 2, shift.Value, 1e-9)
	require.InDelta(t, 20.0/13, shift.Low, 1e-9, "of four and four it is the whole range")
	require.InDelta(t, 2.6, shift.High, 1e-9)

	shift, ok = ShiftOf([]float64{0, 1, 2, 3}, []float64{5, 6, 7, 8})
	require.True(t, ok)
	require.False(t, shift.IsFactor)
	require.InDelta(t, 5, shift.Value, 1e-9)

	_, ok = ShiftOf(before[:3], before)
	require.False(t, ok)
	_, ok = ShiftOf(before, nil)
	require.False(t, ok)
}

// Ensure that the interval holds the true factor in at least 95 of 100 cases, whatever the noise looks like; and that
// it does not hold everything.
func TestShiftCovers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noises := map[string]func() float64{
		"normal":  func() float64 { return 1 + 0.05*random.NormFloat64() },
		"skewed":  func() float64 { return 1 + 0.05*random.ExpFloat64() },
		"uniform": func() float64 { return 1 + 0.1*random.Float64() },
	}
	const trials, factor = 4000, 1.2
	for name, noise := range noises {
		for _, runs := range []int{4, 6, 10} {
			held, told := 0, 0
			for range trials {
				before, after := make([]float64, runs), make([]float64, runs)
				for i := range runs {
					before[i], after[i] = noise(), factor*noise()
				}
				shift, ok := ShiftOf(before, after)
				require.True(t, ok)
				if shift.Low <= factor && factor <= shift.High {
					held++
				}
				if shift.Low > 1 {
					told++
				}
			}
			require.Greater(t, held, trials*94/100, "%s, %d runs", name, runs)
			require.Greater(t, told, trials*80/100, "%s, %d runs: a fifth more is not seen", name, runs)
		}
	}
}
