package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/result"
	"lambdakappa/datagen"
)

// Ensure that only bursts that come to their end count.
func TestBursts(t *testing.T) {
	spec := datagen.Spec{Duration: 25 * time.Second, Disturbances: datagen.Disturbances{
		BurstFactor: 10, BurstEvery: 10 * time.Second, BurstLength: 3 * time.Second,
	}}
	require.Equal(t, []burst{{7, 10}, {17, 20}}, burstsOf(spec))
	spec.Duration = 9 * time.Second
	require.Empty(t, burstsOf(spec))
	require.Empty(t, burstsOf(datagen.Spec{Duration: time.Minute}))
}

// ages are those of answers that are 10 ms old, 5 ms more in every tenth sample, and otherwise what the
// function says of a second.
func ages(seconds int, of func(second float64) float64) (points [][2]float64) {
	for i := range seconds * 20 {
		second := float64(i) / 20
		age := 10.0
		if i%10 == 0 {
			age += 5
		}
		points = append(points, [2]float64{second, max(age, of(second))})
	}
	return points
}

// Ensure that a backlog is drained when the answers are as fresh as before and stay so.
func TestDrain(t *testing.T) {
	never := func(float64) float64 { return 0 }
	f := func(of func(float64) float64, want drain) {
		t.Helper()
		points := ages(20, of)
		normal, _, ok := normalAge(points, 7)
		require.True(t, ok)
		got := drainOf(points, burst{7, 10}, 17, normal)
		require.InDelta(t, want.seconds, got.seconds, 0.05+1e-9)
		require.Equal(t, want.atLeast, got.atLeast)
		require.Equal(t, want.worst, got.worst)
		require.Equal(t, want.worst > 700, got.backlog)
	}
	f(never, drain{seconds: 0, worst: 15})
	f(func(s float64) float64 { // up to 900 ms, then down to nothing at 12 s
		return map[bool]float64{true: 900, false: 0}[s >= 8 && s < 12]
	}, drain{seconds: 1.75, worst: 900}) // in the median of half a second
	f(func(s float64) float64 { // one sample is low while the rest are not
		return map[bool]float64{true: 900, false: 0}[s >= 8 && s < 12 && s != 11]
	}, drain{seconds: 1.75, worst: 900})
	f(func(s float64) float64 { // a batch run holds up one sample, later
		return map[bool]float64{true: 700, false: 0}[s == 13]
	}, drain{seconds: 0, worst: 15})
	f(func(s float64) float64 {
		return map[bool]float64{true: 900, false: 0}[s >= 8]
	}, drain{seconds: 7, atLeast: true, worst: 900})

	_, _, ok := normalAge(ages(20, never), 1.1)
	require.False(t, ok, "two samples are no calm")
	normal, median, _ := normalAge(ages(20, never), 7)
	require.Equal(t, 15.0, normal)
	require.Equal(t, 10.0, median)
}

// Ensure that a drain which is shorter than the time between two samples is not told as if it was measured.
func TestDrainSays(t *testing.T) {
	f := func(want string, d drain) {
		t.Helper()
		require.Contains(t, d.says(burst{4, 6}, 20), want)
	}
	f("no backlog", drain{seconds: 0.0006, worst: 35})
	f("normal again less than 0.05 s after its end", drain{seconds: 0.0006, worst: 300, backlog: true})
	f("normal again 1.75 s after its end", drain{seconds: 1.75, worst: 900, backlog: true})
	f("not normal again within the 4.00 s", drain{seconds: 4, atLeast: true, worst: 900, backlog: true})
}

// Ensure that settings of a spike that cannot work are refused by name.
func TestSpikeSettings(t *testing.T) {
	f := func(want, with, more string) {
		t.Helper()
		err := askWith(t, "spike", with, "{cars: 100, rate: 200, duration: 13s, repetitions: 1"+more+"}")
		if want == "" {
			require.NoError(t, err)
			return
		}
		require.ErrorContains(t, err, want)
	}
	late := "{late_generator: 100ms}"
	f("", late, `, speedup: 1, disturb: "burst-factor=10,burst-every=8s,burst-length=3s"`)
	f("with: late_generator: must be given", "{}", `, speedup: 1, disturb: "burst-factor=10,burst-every=8s,burst-length=3s"`)
	f("takes a workload with speedup 1", late, `, disturb: "burst-factor=10,burst-every=8s,burst-length=3s"`)
	f("takes a workload with a burst that ends", late, ", speedup: 1")
	f("takes a workload with a burst that ends", late, `, speedup: 1, disturb: "burst-factor=10,burst-every=14s,burst-length=3s"`)
	f("takes two seconds of calm before", late, `, speedup: 1, disturb: "burst-factor=10,burst-every=4s,burst-length=3s"`)
	f("takes calm after the last burst", late, `, speedup: 1, disturb: "burst-factor=10,burst-every=13s,burst-length=3s"`)
}

// Ensure that a burst is watched with real processes and every answer stays right.
func TestSpike(t *testing.T) {
	wholeScenario(t)
	t.Parallel()
	o := small(t, "spike")
	o.Arms, o.Cars, o.Rate = []string{armKappa}, 300, 300
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.Len(t, s.Runs, 2, "the control and the arm")
	r := s.Runs[1]
	require.True(t, r.OK, r.Error)
	require.NotZero(t, r.Correctness.Windows.Exact)
	require.Contains(t, r.Marks, result.Mark{Name: "burst", From: 4, To: 6})
	if r.Void == "" {
		require.Len(t, r.Figures, 3)
		require.Equal(t, figureDrain, r.Figures[0].Name)
		require.GreaterOrEqual(t, r.Figures[0].Value, freshnessEvery.Seconds())
	}
	require.Greater(t, r.Events, int64(300*10), "there was a burst")
}
