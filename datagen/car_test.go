package datagen

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Ensure that a car's state depends on its age alone, not on how it got there: this is what makes
// a reading regenerable, although heat and charge carry over from trip to trip.
func TestStateDependsOnAgeAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, i := rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 1e6).Draw(t, "car")
		travelled := newCar(seed, i)
		for _, age := range rapid.SliceOf(rapid.Int64Range(0, 5*dayLength)).Draw(t, "ages") {
			travelled.seek(age)
			fresh := newCar(seed, i)
			fresh.seek(age)
			require.Equal(t, fresh, travelled)
			require.GreaterOrEqual(t, age, fresh.trip.begin)
			require.Less(t, age, fresh.trip.begin+slotLength)
		}
	})
}

// Ensure that speed, heat and charge do not jump within a trip or from one to the next, except
// overnight.
func TestStateIsContinuous(t *testing.T) {
	const step = 10 // ms
	c := newCar(7, 7)
	c.seek(0)
	before := c
	for age := int64(step); age < dayLength; age += step {
		c.seek(age)
		was, is := age-step-before.trip.begin, age-c.trip.begin
		near := func(what string, a, b, most int64) {
			if d := a - b; d > most || d < -most {
				t.Fatalf("%s jumps from %d to %d at age %d", what, a, b, age)
			}
		}
		near("speed", before.trip.motionAt(was).speed, c.trip.motionAt(is).speed, q8/4)
		near("heat", before.trip.heatAt(was), c.trip.heatAt(is), q8/8)
		near("charge", before.trip.chargeAt(was), c.trip.chargeAt(is), percent/64)
		before = c
	}
}

func TestQueueReturnsSendsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		times := rapid.SliceOf(rapid.Int64Range(0, 20)).Draw(t, "times")
		for i, at := range times {
			q.push(send{intended: at, seq: int64(i)})
		}
		last := send{intended: -1}
		for range times {
			s := q.pop()
			require.True(t, last.before(&s))
			last = s
		}
		require.Empty(t, q)
	})
}

func TestDiceStayInTheirRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := dice(rapid.Uint64().Draw(t, "bits"))
		for range 3 {
			require.Contains(t, []int64{3, 4, 5}, d.between(3, 5))
			n := d.noise(2)
			require.True(t, n >= -4 && n < 4, "%d", n)
		}
		n := dice(rapid.Uint64().Draw(t, "bits")).span(10)
		require.True(t, n >= 0 && n < 10, "%d", n)
	})
}
