package bench

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/accuracy"
	"lambdakappa/bench/result"
	"lambdakappa/bench/supervise"
	"lambdakappa/view"
)

// Ensure that what is missing and what is there too often are counted apart, in readings.
func TestEffects(t *testing.T) {
	f := func(lost, doubled int64, spoil func([]view.Window) []view.Window) {
		t.Helper()
		want, got := aTruth() // windows of 1, 2 and 3 readings
		l, d := effects(want.Windows, spoil(got.windows))
		require.Equal(t, []int64{lost, doubled}, []int64{l, d})
	}
	f(0, 0, func(w []view.Window) []view.Window { return w })
	f(6, 0, func([]view.Window) []view.Window { return nil })
	f(3, 0, func(w []view.Window) []view.Window { return w[:2] })
	f(1, 2, func(w []view.Window) []view.Window { w[0].Readings, w[1].Readings = 0, 4; return w })
	f(0, 6, func(w []view.Window) []view.Window {
		other := w[2]
		other.Start += 10_000
		w[2].Readings += 3
		return append(w, other)
	})
}

func momentsOf(kills []killed) (at []time.Duration) {
	for _, k := range kills {
		at = append(at, k.at)
	}
	return at
}

// Ensure that kills are found among everything that has happened, those of one architecture.
func TestKillsOf(t *testing.T) {
	marks := []result.Mark{
		{Name: "kill kappa serve", From: 7.5, To: 8},
		{Name: "batch 1", From: 1},
		{Name: "kill kappa process", From: 2},
		{Name: "kill lambda speed", From: 3},
		{Name: "stop kappa process", From: 4},
		{Name: "kill broker", From: 5},
		{Name: "killjoy kappa serve", From: 5},
	}
	require.Equal(t, []time.Duration{2 * time.Second, 7500 * time.Millisecond}, momentsOf(killsOf(marks, armKappa)))
	require.Equal(t, 500*time.Millisecond, killsOf(marks, armKappa)[1].down)
	require.Equal(t, []time.Duration{3 * time.Second}, momentsOf(killsOf(marks, armLambda)))
}

// figureNamed is the value of a run's figure; the test fails without.
func figureNamed(t *testing.T, figures []result.Figure, name string) float64 {
	t.Helper()
	for _, f := range figures {
		if f.Name == name {
			return f.Value
		}
	}
	t.Fatalf("no figure %q among %v", name, figures)
	return 0
}

// Ensure that figures are what the counts say, with nothing divided by nothing.
func TestAccuracyFigures(t *testing.T) {
	seconds := func(s ...int) (all []time.Duration) {
		for _, s := range s {
			all = append(all, time.Duration(s)*time.Second)
		}
		return all
	}
	c := accuracy.Course{
		At: seconds(0, 1, 2, 4), Silent: []bool{false, true, false, false},
		Wrong: []int64{0, 3, 5, 0}, Excess: []int64{0, 10, 20, 0},
	}
	figures := courseFigures(&c, 200)
	require.Equal(t, 13.0, figureNamed(t, figures, "served wrong, windows by time"))
	require.Equal(t, 3.0, figureNamed(t, figures, "some answer wrong"))
	require.Equal(t, 1.0, figureNamed(t, figures, "nobody answered"))
	require.Equal(t, 20.0, figureNamed(t, figures, "readings counted too often, most at a time"))
	require.Equal(t, 10.0, figureNamed(t, figures, "readings counted too often, share"))
	require.Equal(t, 3.0, figureNamed(t, figures, "readings counted too often, for"))
	require.NotPanics(t, func() { courseFigures(&accuracy.Course{}, 0) })

	require.Empty(t, crashFigures(nil, &c))
	figures = crashFigures([]killed{{target: "lambda speed", at: time.Second}, {target: "lambda serve", at: 3 * time.Second}}, &c)
	require.Equal(t, 2.0, figureNamed(t, figures, "kills"))
	require.Equal(t, 1.0, figureNamed(t, figures, "right again after a kill of lambda speed, median"))
	require.Equal(t, 0.0, figureNamed(t, figures, "right again after a kill of lambda serve, median"))
	require.Equal(t, 1.0, figureNamed(t, figures, "right again after a kill, longest"))
	require.Equal(t, 1.0, figureNamed(t, figures, "recoveries that the next kill cut off"))
	require.Len(t, figures, 6, "nobody was away for long")
	c = accuracy.Course{At: seconds(0, 4, 6, 8), Silent: make([]bool, 4), Wrong: []int64{0, 1, 1, 0}}
	figures = crashFigures([]killed{{at: seconds(1)[0], down: seconds(3)[0]}}, &c)
	require.Equal(t, 3.0, figureNamed(t, figures, "down for"))
	require.Equal(t, 2.0, figureNamed(t, figures, "drained after"))

	figures = liveFigures(accuracy.Lives{Closed: 8, Corrected: 2, Shares: []accuracy.Share{
		{Band: accuracy.Beyond, Stage: accuracy.Finally, Windows: 4, ExactA: 4, ExactB: 1},
	}})
	require.Equal(t, 100.0, figureNamed(t, figures, "exact finally, beyond the allowed lateness, truth A"))
	require.Equal(t, 25.0, figureNamed(t, figures, "exact finally, beyond the allowed lateness, truth B"))
	require.Equal(t, 4.0, figureNamed(t, figures, "windows beyond the allowed lateness"))
	require.Equal(t, 25.0, figureNamed(t, figures, "windows corrected after their close"))
	require.Empty(t, liveFigures(accuracy.Lives{}))
}

// Ensure that Lambda's batch repairs what came too late and Kappa's stream drops it, that a Kappa which
// waits for it has all of it and remembers more, and that all were seen while it happened.
func TestLate(t *testing.T) {
	wholeScenario(t)
	t.Parallel()
	o := small(t, "late")
	o.Cars, o.Rate = 50, 50
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	requireRight(t, s)
	require.Len(t, s.Runs, 3)
	patient := runOf(t, s, "kappa-patient")
	require.Equal(t, 100.0, figureNamed(t, patient.Figures, "exact finally, truth A"))
	require.Zero(t, figureNamed(t, patient.Figures, "events dropped late, at the end"))
	require.Greater(t, figureNamed(t, patient.Figures, figureRemembered),
		figureNamed(t, runOf(t, s, armKappa).Figures, figureRemembered))
	for _, r := range s.Runs[:2] {
		exact := func(when, band, truth string) float64 {
			return figureNamed(t, r.Figures, "exact "+when+", "+band+", truth "+truth)
		}
		require.Less(t, exact("at close", "within the allowed lateness", "A"), 90.0)
		require.Equal(t, 100.0, exact("finally", "within the allowed lateness", "A"))
		for _, band := range []string{"beyond the allowed lateness", "beyond the batch cut"} {
			repaired, dropped := 100.0, 0.0
			if r.Arm == armKappa {
				repaired, dropped = dropped, repaired
			}
			require.Zero(t, exact("at close", band, "A"))
			require.Equal(t, repaired, exact("finally", band, "A"))
			require.Equal(t, dropped, exact("finally", band, "B"))
		}
		require.Positive(t, figureNamed(t, r.Figures, "events dropped late, "+map[string]string{
			armLambda: "between batches", armKappa: "at the end",
		}[r.Arm]))
		require.Len(t, r.Series, 2)
		require.NotEmpty(t, r.Series[0].Points)
	}
}

// runOf is the run of an arm.
func runOf(t *testing.T, s *result.Summary, arm string) *result.Run {
	t.Helper()
	for i := range s.Runs {
		if s.Runs[i].Arm == arm {
			return &s.Runs[i]
		}
	}
	t.Fatalf("no run of %s", arm)
	return nil
}

// Ensure that kills leave nothing behind where readings are known again, and that they do where nobody
// asks: wrong on purpose, which fails nothing.
func TestCrash(t *testing.T) {
	wholeScenario(t)
	t.Parallel()
	o := small(t, "crash")
	o.Cars, o.Rate, o.Duration = 100, 100, 4*time.Minute
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	requireOK(t, s)
	require.Len(t, s.Runs, 4)
	last := map[string]string{armLambda: "after the covering batch", armKappa: "at the end"}
	for _, like := range []string{armLambda, armKappa} {
		for _, arm := range []string{like, like + "-repeats"} {
			r := runOf(t, s, arm)
			kills := map[string]float64{armLambda: 4, armKappa: 2}[like]
			require.Equal(t, kills, figureNamed(t, r.Figures, "kills"))
			require.NotNil(t, r.RestoreMs)
			require.Zero(t, figureNamed(t, r.Figures, "readings lost, "+last[like]))
			doubled := figureNamed(t, r.Figures, "readings counted too often, "+last[like])
			require.Equal(t, arm == "kappa-repeats", doubled > 0, "%s: %v", arm, doubled)
			require.Equal(t, arm == "kappa-repeats", r.Mistake != "")
		}
	}
	requireNobodyLeft(t, o.Out)
}

// Ensure that duplicates leave nothing in the answers, and one reading each where nobody asks.
func TestDuplicates(t *testing.T) {
	wholeScenario(t)
	t.Parallel()
	o := small(t, "duplicates")
	o.Cars, o.Rate = 50, 50
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	requireOK(t, s)
	require.Len(t, s.Runs, 4)
	for i := range s.Runs {
		r := &s.Runs[i]
		most := figureNamed(t, r.Figures, "readings counted too often, most at a time")
		if r.Mistake == "" {
			require.Zero(t, most, r.Arm)
			continue
		}
		require.InEpsilon(t, 0.05*0.8*9_000, most, 0.4, "%s: some of 5 %% are dropped late", r.Arm)
		require.Positive(t, r.Correctness.Windows.Different)
	}
}

// Ensure that a hand-over by offset has no seam, and that the merge of views that overlap has one that
// is seen, with its size and its time.
func TestBoundary(t *testing.T) {
	wholeScenario(t)
	t.Parallel()
	o := small(t, "boundary")
	o.Cars, o.Rate, o.Duration = 50, 50, 4*time.Minute
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	requireOK(t, s)
	require.Len(t, s.Runs, 3)
	for _, name := range []string{
		"readings counted too often, most at a time", "readings counted too often, for",
		"readings counted too often, share",
	} {
		require.Zero(t, figureNamed(t, runOf(t, s, armLambda).Figures, name))
		require.Zero(t, figureNamed(t, runOf(t, s, armKappa).Figures, name))
		require.Positive(t, figureNamed(t, runOf(t, s, "lambda-naive").Figures, name))
	}
}

// Ensure that a look asks for all that can have changed since the last one that was answered: everything
// before the first, and after an outage all that the watermark has passed meanwhile.
func TestLooksAskForWhatCanHaveChanged(t *testing.T) {
	w := &watcher{lateness: 30 * time.Second}
	require.EqualValues(t, math.MinInt64, w.changedFrom(0))
	w.answered = accuracy.Moment{Generation: 3, Watermark: []int64{600_000, 500_000}}
	require.EqualValues(t, 500_000-30_000-60_000, w.changedFrom(3))
	require.EqualValues(t, math.MinInt64, w.changedFrom(4), "a batch may have repaired any window")
	w.answered.Watermark[1] = math.MinInt64 // a partition that has seen nothing yet
	require.EqualValues(t, math.MinInt64, w.changedFrom(3))
}

// Ensure that a look at an arm whose serving has been killed, and is not yet there again, is one that nobody
// answers.
func TestALookBetweenKillAndStart(t *testing.T) {
	a := &arm{like: armKappa, parts: map[string]*supervise.Component{"kappa serve": {}}}
	w := &watcher{arm: a, addr: "127.0.0.1:1"}
	_, ok := w.status(t.Context())
	require.False(t, ok)
	require.Nil(t, w.client)
}
