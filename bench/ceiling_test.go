package bench

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
)

// find runs a search against an arm that holds every rate up to its ceiling.
func find(s *search, ceiling float64) (tried []float64) {
	for rate, more := s.next(); more; rate, more = s.next() {
		tried = append(tried, rate)
		s.note(rate, rate <= ceiling)
	}
	return tried
}

// Ensure that a search ends with the ceiling between the two rates that it names, as closely as was
// asked for, wherever it begins, and tries no rate twice or outside its bounds.
func TestSearchFindsTheCeiling(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ceiling := rapid.Float64Range(1001, 99_000).Draw(rt, "ceiling")
		begin := rapid.Float64Range(1, 1e6).Draw(rt, "begin")
		s := newSearch(begin, 1000, 100_000, 0.1)
		tried := find(s, ceiling)
		require.True(rt, s.closed())
		require.LessOrEqual(rt, s.held, ceiling)
		require.Greater(rt, s.missed, ceiling)
		require.LessOrEqual(rt, s.missed/s.held, 1.1+1e-9)
		seen := map[float64]bool{}
		for _, rate := range tried {
			require.False(rt, seen[rate], "%v in %v", rate, tried)
			require.True(rt, 1000 <= rate && rate <= 100_000)
			seen[rate] = true
		}
	})
}

// Ensure that a search that can say nothing from some rate on comes as close to it as was asked for, and
// says so when it was not the arm that ended it.
func TestSearchIsLimited(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ceiling := rapid.Float64Range(1001, 99_000).Draw(rt, "ceiling")
		beyond := rapid.Float64Range(1001, 99_000).Draw(rt, "beyond")
		s := newSearch(rapid.Float64Range(1, 1e6).Draw(rt, "begin"), 1000, 100_000, 0.1)
		for rate, more := s.next(); more; rate, more = s.next() {
			if rate > ceiling && rate >= beyond { // who holds a rate needs no excuse
				s.limit(rate)
			} else {
				s.note(rate, rate <= ceiling)
			}
		}
		require.True(rt, s.closed())
		require.LessOrEqual(rt, s.held, ceiling)
		require.LessOrEqual(rt, ceiling, s.held*(1.1+1e-9), "it is as close")
		require.Equal(rt, s.limited(), beyond <= s.top())
	})
}

// Ensure that a search which begins at the ceiling is short, and one that never finds it ends too.
func TestSearchEnds(t *testing.T) {
	require.Len(t, find(newSearch(20_000, 1000, 400_000, 0.1), 21_000), 4)

	s := newSearch(20_000, 1000, 50_000, 0.1)
	require.Equal(t, 50_000.0, find(s, 1e9)[3])
	require.False(t, s.closed())
	require.Equal(t, 50_000.0, s.held)

	s = newSearch(2000, 1000, 50_000, 0.1)
	find(s, 10)
	require.False(t, s.closed())
	require.Equal(t, 1000.0, s.missed)
	require.Zero(t, s.held)

	require.Len(t, find(newSearch(5, 5, 5, 0), 9), 1, "one rate")
	require.Len(t, find(newSearch(5, 5, 5, 0), 1), 1)
}

// Ensure that repetitions try rates of their own, each as close to the ceiling as the others, and that the
// arms of one begin equally much higher.
func TestSearchesAreJittered(t *testing.T) {
	found := map[float64]bool{}
	for seed := range uint64(6) {
		require.Equal(t, jitter(seed), jitter(seed))
		require.GreaterOrEqual(t, jitter(seed), 1.0)
		require.Less(t, jitter(seed), searchStep)
		s := newSearch(20_000*jitter(seed), 1000, 400_000, 0.1)
		require.LessOrEqual(t, len(find(s, 21_000)), searchTrials)
		require.InDelta(t, 21_000, math.Sqrt(s.held*s.missed), 2_100)
		found[s.held] = true
	}
	require.Len(t, found, 6)
}

// Ensure that answers that grow older are told from answers that are old for a moment.
func TestGrowth(t *testing.T) {
	line := func(age func(second float64) float64) (points [][2]float64) {
		for i := range 90 {
			points = append(points, [2]float64{float64(i) / 10, age(float64(i) / 10)})
		}
		return points
	}
	require.InDelta(t, 0, growth(line(func(float64) float64 { return 7 })), 1e-9)
	require.InDelta(t, 100, growth(line(func(s float64) float64 { return 7 + 100*s })), 1e-6)
	require.InDelta(t, 0, growth(line(func(s float64) float64 { return map[bool]float64{true: 500, false: 7}[s < 3 || s > 8.5] })), 1e-9)
	require.Zero(t, growth(nil))
}

// Ensure that trials become figures only when they mean something: a search that never saw the
// ceiling, and one that the generator has limited, say so instead.
func TestTrialsBecomeFigures(t *testing.T) {
	p99 := 12.0
	of := func(searched bool, beyond float64, seek *search, trials_ ...*trial) *result.Run {
		all := &trials{run: result.Run{Arm: armKappa}, seek: seek}
		for _, tr := range trials_ {
			all.add(tr)
			if tr.rate >= beyond {
				all.limit(tr.rate, 7*time.Millisecond)
			} else {
				seek.note(tr.rate, len(tr.late) == 0)
			}
		}
		all.conclude(searched, 100_000)
		return &all.run
	}
	held := func(rate float64) *trial {
		return &trial{rate: rate, run: result.Run{
			OK: true, Events: 10, Cost: &result.Cost{CPUSecondsPerMillionEvents: rate},
			LatencyMs: &result.Latencies{Visible: result.Quantiles{P99: &p99}},
		}}
	}
	missed := func(rate float64) *trial {
		tr := &trial{rate: rate, run: result.Run{OK: true, Events: 10}}
		tr.miss("events were visible after %d ms", 900)
		return tr
	}
	figures := func(r *result.Run) map[string]float64 {
		all := map[string]float64{}
		for _, f := range r.Figures {
			all[f.Name] = f.Value
		}
		return all
	}
	never := math.Inf(1)
	wide := func() *search { return newSearch(20_000, 1000, 400_000, 0.1) }

	r := of(true, never, wide(), held(20_000), missed(28_000), held(26_000))
	require.True(t, r.OK)
	require.Equal(t, map[string]float64{
		figureCeiling: math.Sqrt(26_000 * 28_000), figureHeld: 26_000, figureMissed: 28_000, figurePlain: 0.26,
	}, figures(r))
	require.Equal(t, 26_000.0, r.Cost.CPUSecondsPerMillionEvents, "the cost is that at the ceiling")
	require.EqualValues(t, 30, r.Events)
	require.Contains(t, r.Notes, "28000 events/s: not in time: events were visible after 900 ms")

	r = of(true, never, wide(), held(20_000))
	require.Contains(t, r.Void, "at least 20000 events/s")
	require.Empty(t, r.Figures)
	require.Nil(t, r.LatencyMs)
	require.Contains(t, of(true, never, wide(), missed(20_000)).Void, "below 20000 events/s")

	r = of(true, 28_000, wide(), held(20_000), missed(28_000), held(26_000))
	require.Empty(t, r.Void, "the ceiling is no lower than what was held, whatever limits the rest")
	require.Equal(t, map[string]float64{figureHeld: 26_000, figurePlain: 0.26}, figures(r))
	require.Contains(t, r.Notes, "28000 events/s: the generator is the limit, alone it was 7ms late")
	require.Contains(t, of(true, 15_000, wide(), missed(20_000)).Void, "the generator is the limit from 20000 events/s on")

	one := func() *search { return newSearch(20_000, 20_000, 20_000, 0) }
	require.Equal(t, map[string]float64{figureHeld: 20_000, figurePlain: 0.2}, figures(of(false, never, one(), held(20_000))))
	require.Equal(t, map[string]float64{figureMissed: 20_000}, figures(of(false, never, one(), missed(20_000))))

	broken := &trial{rate: 20_000, run: result.Run{Error: "wrong: windows", Checks: []result.Check{{Name: "windows"}}}}
	r = of(true, never, wide(), broken)
	require.False(t, r.OK)
	require.Equal(t, "at 20000 events/s: wrong: windows", r.Error)
	require.Equal(t, "at 20000 events/s: windows", r.Checks[0].Name)
	require.Empty(t, r.Figures)
}

// Ensure that settings of a search that cannot work are refused by name.
func TestCeilingSettings(t *testing.T) {
	f := func(want, with string) {
		t.Helper()
		require.ErrorContains(t, askWith(t, "ceiling", with, "{cars: 1000, rate: 2000, duration: 9s, repetitions: 1}"), want)
	}
	f("with: in_time: must be given", "{}")
	f("with: highest: must be given", "{in_time: 1s, lowest: 5}")
	f("with: lowest 9: must be above 0 and below highest (5)", "{in_time: 1s, lowest: 9, highest: 5, precision: 0.1}")
	f("with: precision 0: must be between 0.01 and 0.5", "{in_time: 1s, lowest: 9000, highest: 20000}")
	f("with: in_time: 850 sampled readings at 100 events/s are too few", "{in_time: 1s, lowest: 100, highest: 2000, precision: 0.1}")
	require.NoError(t, askWith(t, "ceiling", "{in_time: 1s}", "{cars: 1000, rate: 2000, duration: 9s, repetitions: 1}"))
}

// askWith asks for a scenario with these settings of its procedure.
func askWith(t *testing.T, procedure, with, workload string) error {
	t.Helper()
	file, err := scenarios.Parse("mine.yaml", []byte("name: mine\nquestion: q\nsentence: s\narms: [lambda, kappa]\n"+
		"procedure: "+procedure+"\nwith: "+with+"\nworkload: "+workload+"\n"))
	require.NoError(t, err)
	_, err = DefaultOptions().ask(file)
	return err
}

// Ensure that a ceiling is searched for with real processes, and that the plain program's rate stands
// beside it.
func TestCeiling(t *testing.T) {
	wholeScenario(t)
	t.Parallel()
	o := small(t, "ceiling")
	o.Arms, o.Cars, o.Rate, o.Duration = []string{armKappa}, 300, 600, 6*time.Second
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	requireNobodyLeft(t, o.Out)
	require.NotZero(t, s.RawLimits.OracleEventsPerSecond)
	r := runOf(t, s, armKappa)
	requireOK(t, s)
	require.NotEmpty(t, r.Notes)
	var controls []result.Run // of the generator alone, where it could not keep its schedule
	for _, other := range s.Runs {
		if other.Arm == armControl {
			controls = append(controls, other)
		}
	}
	require.Len(t, s.Runs, 1+len(controls), "one search")
	if strings.HasPrefix(r.Void, "the generator is the limit") { // so it is on a busy machine, and was tried alone
		require.NotEmpty(t, controls)
		return
	}
	require.Empty(t, r.Void)
	require.NotZero(t, r.Correctness.Windows.Expected)
	require.Equal(t, r.Correctness.Windows.Expected, r.Correctness.Windows.Exact)
}

// Ensure that a search that has held the greatest rate it tries says what was held, and names no ceiling.
func TestTheGreatestRateHasHeld(t *testing.T) {
	s := newSearch(300, 100, 400, 0.1)
	for rate, ok := s.next(); ok; rate, ok = s.next() {
		s.note(rate, true)
	}
	require.True(t, s.exhausted())
	a := &trials{run: result.Run{OK: true}, seek: s}
	a.conclude(true, 0)
	require.Empty(t, a.run.Void)
	names := map[string]float64{}
	for _, f := range a.run.Figures {
		names[f.Name] = f.Value
	}
	require.Equal(t, map[string]float64{figureHeld: 400}, names)
	require.Len(t, a.run.Notes, 1)
}
