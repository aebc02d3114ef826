package view_test

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/event"
	"lambdakappa/view"
)

// anyReading draws the tally of one reading: what a fold makes of it is not this package's
// business, so the fields are drawn one by one.
func anyReading(t *rapid.T, seq int64) view.Tally {
	value := rapid.OneOf(
		rapid.Float32Range(-(event.MaxMagnitude-1), event.MaxMagnitude-1),
		rapid.SampledFrom([]float32{0, float32(math.Copysign(0, -1)), math.SmallestNonzeroFloat32}),
	)
	speed := value.Draw(t, "speed")
	return view.Tally{
		Readings: 1, SpeedSum: view.Fixed(speed), SpeedMax: speed,
		CoolantTempMax: value.Draw(t, "coolant"), EngineVibrationMax: value.Draw(t, "vibration"),
		TirePressureMin:   rapid.Int32().Draw(t, "pressure"),
		BatteryVoltageMin: value.Draw(t, "voltage"),
		CurrentDrawSum:    view.Fixed(value.Draw(t, "current")),
		Anomalies:         rapid.Int64Range(0, 1).Draw(t, "anomaly"),
		IntakeAirFlowMax:  rapid.SampledFrom([]float32{0, 4.25, 7}).Draw(t, "air"),
		AmbientTempMax:    rapid.SampledFrom([]float32{0, 270, 290.5}).Draw(t, "outside"),
		LastSeq:           seq,
	}
}

// anyTally draws the tally of up to 4 readings, few enough to be all zeros at times.
func anyTally(t *rapid.T) view.Tally {
	n := rapid.Int64Range(0, 4).Draw(t, "readings")
	if n == 0 {
		return view.EmptyTally()
	}
	sum := anyReading(t, 0)
	for i := int64(1); i < n; i++ {
		one := anyReading(t, i)
		sum.Merge(&one)
	}
	return sum
}

func merged(a, b view.Tally) view.Tally {
	a.Merge(&b)
	return a
}

// The laws of a commutative monoid, with == on every field: they are why two partial answers may
// be merged at all.
func TestTallyHasAnIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyTally(t)
		require.True(t, a == merged(a, view.EmptyTally()))
		require.True(t, a == merged(view.EmptyTally(), a))
	})
}

func TestTallyMergeIsCommutative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyTally(t), anyTally(t)
		require.True(t, merged(a, b) == merged(b, a))
		require.Equal(t, bits(merged(a, b)), bits(merged(b, a)), "-0 and 0 are the same in == only")
	})
}

func TestTallyMergeIsAssociative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anyTally(t), anyTally(t), anyTally(t)
		left, right := merged(merged(a, b), c), merged(a, merged(b, c))
		require.True(t, left == right)
		require.Equal(t, bits(left), bits(right))
	})
}

// Ensure that a sign of zero does not depend on what came first.
func TestZeroHasOneSignInAnyOrder(t *testing.T) {
	zero, minus := view.EmptyTally(), view.EmptyTally()
	zero.SpeedMax, zero.CoolantTempMax, zero.EngineVibrationMax, zero.BatteryVoltageMin = 0, 0, 0, 0
	negative := float32(math.Copysign(0, -1))
	minus.SpeedMax, minus.CoolantTempMax = negative, negative
	minus.EngineVibrationMax, minus.BatteryVoltageMin = negative, negative
	require.Equal(t, bits(merged(zero, minus)), bits(merged(minus, zero)))
}

// bits tells -0 from 0, which == does not: an answer's bytes must not depend on order either.
func bits(t view.Tally) [4]uint32 {
	return [4]uint32{
		math.Float32bits(t.SpeedMax), math.Float32bits(t.CoolantTempMax),
		math.Float32bits(t.EngineVibrationMax), math.Float32bits(t.BatteryVoltageMin),
	}
}

// Ensure that merging at any boundary, in any order, equals no boundary: Lambda's hand-over in one
// line.
func TestMergeAtAnyBoundaryEqualsNoBoundary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "readings")
		readings := make([]view.Tally, n)
		for i := range readings {
			readings[i] = anyReading(t, int64(i))
		}
		fold := func(readings []view.Tally) view.Tally {
			sum := view.EmptyTally()
			for i := range readings {
				sum.Merge(&readings[i])
			}
			return sum
		}
		whole := fold(readings)
		boundary := rapid.IntRange(0, n).Draw(t, "boundary")
		require.True(t, whole == merged(fold(readings[:boundary]), fold(readings[boundary:])))
		require.True(t, whole == fold(rapid.Permutation(readings).Draw(t, "order")))
		require.EqualValues(t, n, whole.Readings)
		require.EqualValues(t, n-1, whole.LastSeq)
	})
}

// Ensure that merging does not change what is merged.
func TestMergeLeavesItsArgumentAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyTally(t), anyTally(t)
		before := b
		a.Merge(&b)
		require.True(t, before == b)
	})
}

func TestFixedRoundsHalfToEven(t *testing.T) {
	f := func(x float32, want int64) { t.Helper(); require.Equal(t, want, view.Fixed(x)) }
	const unit = 1.0 / (1 << 24)
	f(0, 0)
	f(1, 1<<24)
	f(-1, -(1 << 24))
	f(1.0/256, 1<<16)
	f(unit, 1)
	f(0.5*unit, 0)
	f(1.5*unit, 2)
	f(2.5*unit, 2)
	f(3.5*unit, 4)
	f(-0.5*unit, 0)
	f(-1.5*unit, -2)
	f(-2.5*unit, -2)
	f(0.75*unit, 1)
	f(event.MaxMagnitude-1, (event.MaxMagnitude-1)<<24)
	f(-(event.MaxMagnitude - 1), -(event.MaxMagnitude-1)<<24)
}

// Ensure that Fixed is exact for what float32 can say in units of 2^-24, and right to half a unit
// for everything else.
func TestFixedIsTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float32Range(-(event.MaxMagnitude-1), event.MaxMagnitude-1).Draw(t, "x")
		exact := new(big.Float).SetMantExp(big.NewFloat(float64(x)), 24)
		off := new(big.Float).Sub(exact, new(big.Float).SetInt64(view.Fixed(x)))
		require.LessOrEqual(t, off.Abs(off).Cmp(big.NewFloat(0.5)), 0)
	})
}

func TestMean(t *testing.T) {
	require.Equal(t, 1.25, view.Mean(view.Fixed(1)+view.Fixed(1.5), 2))
	require.Equal(t, -0.5, view.Mean(view.Fixed(-0.5), 1))
	tally := view.Tally{Readings: 2, SpeedSum: view.Fixed(30), CurrentDrawSum: view.Fixed(-7)}
	require.Equal(t, 15.0, tally.SpeedMean())
	require.Equal(t, -3.5, tally.CurrentDrawMean())
}

func ExampleTally_Merge() {
	batch := view.Tally{Readings: 3, SpeedSum: view.Fixed(60), SpeedMax: 25, LastSeq: 2}
	speed := view.Tally{Readings: 1, SpeedSum: view.Fixed(30), SpeedMax: 30, LastSeq: 3}
	batch.Merge(&speed)
	fmt.Println(batch.Readings, batch.SpeedMean(), batch.SpeedMax, batch.LastSeq)
	// Output: 4 22.5 30 3
}
