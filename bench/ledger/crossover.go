package ledger

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
)

const (
	// resamples for the interval of a crossover: the 2.5 % tails then have 25 of them.
	resamples = 1000
	// beyond is how far a line is followed past what was measured, as a factor of it. What lies
	// further is no statement of this benchmark.
	beyond = 10
	// minPoints for a line: three different places, so that it can be wrong.
	minPoints = 3
)

// crossover fits a line per arm and says where they cross.
func crossover(c *scenarios.Crossover, q *scenarios.Scenario, s *result.Summary) result.Crossover {
	j := result.Crossover{Says: c.Says, Figure: c.Figure, Over: c.Over, OverIn: unitOf(c.Over)}
	of, unit := pointsOf(s, q.Name, c.Figure, c.Over, c.Of, c.Phase)
	j.Unit = unit
	arms := [][][2]float64{of}
	names := []string{c.Of}
	if c.To != "" {
		to, _ := pointsOf(s, q.Name, c.Figure, c.Over, c.To, c.ToPhase)
		arms, names = append(arms, to), append(names, c.To)
	}
	for i, points := range arms {
		if places(points) < minPoints {
			j.Why = "a line takes " + names[i] + " at three places or more: the full profile has them"
			return j
		}
		j.Lines = append(j.Lines, fit(names[i], points))
	}
	if c.Than != nil {
		j.Lines = append(j.Lines, result.Fitted{Arm: "limit", Intercept: *c.Than})
	}
	locate(&j, arms, q.Name)
	return j
}

// pointsOf are (over, figure) of every right run of an arm, at every place of the sweep.
func pointsOf(s *result.Summary, scenario, figure, over, arm, phase string) (points [][2]float64, unit string) {
	for i := range s.Runs {
		r := &s.Runs[i]
		if r.Scenario != scenario || r.Arm != arm || r.Phase != phase || r.Workload == nil || !counts(r) || !varies(r, over) {
			continue
		}
		m := Named(figure, r)
		if y := m.Get(r); y != nil {
			points, unit = append(points, [2]float64{predictor(r.Workload, over), *y}), m.Unit
		}
	}
	return points, unit
}

// A Line is a straight line through a figure of one arm over what a scenario has varied, with the 95 % interval
// of either coefficient.
type Line struct {
	result.Fitted
	InterceptLow, InterceptHigh float64
	SlopeLow, SlopeHigh         float64
	Most                        float64 // the furthest place with a run
}

// LineOf fits the line; ok is false when the arm was not measured at three places or more.
func LineOf(s *result.Summary, scenario, figure, over, arm, phase string) (line Line, ok bool) {
	points, _ := pointsOf(s, scenario, figure, over, arm, phase)
	if places(points) < minPoints {
		return Line{}, false
	}
	line.Fitted = fit(arm, points)
	_, line.Most = span([][][2]float64{points})
	random := randomFor(scenario)
	var intercepts, slopes []float64
	for range resamples {
		again := fit(arm, resample(points, line.Fitted, random))
		intercepts, slopes = append(intercepts, again.Intercept), append(slopes, again.Slope)
	}
	line.InterceptLow, line.InterceptHigh = middle(intercepts)
	line.SlopeLow, line.SlopeHigh = middle(slopes)
	return line, true
}

// randomFor draws the same for the same scenario: the same runs have the same interval.
func randomFor(scenario string) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(len(scenario)), 0x63726f7373))
}

// middle returns where the middle 95 % of what was drawn lie.
func middle(drawn []float64) (low, high float64) {
	slices.Sort(drawn)
	return stat.Quantile(0.025, stat.Empirical, drawn, nil), stat.Quantile(0.975, stat.Empirical, drawn, nil)
}

// varies reports whether a run belongs to a line: nothing but what it is drawn over has been changed.
func varies(r *result.Run, over string) bool {
	return r.Parameter == nil || strings.Contains(over, r.Parameter.Name)
}

// predictor is what a figure is drawn over. While a run lasts, history grows from nothing to all of
// it: a batch run finds half of it on average.
func predictor(w *result.Workload, name string) float64 {
	switch name {
	case "batch interval":
		return w.BatchIntervalSeconds
	case "history":
		return w.DurationSeconds
	case "rate":
		return w.Rate
	default:
		return w.DurationSeconds / 2 / w.BatchIntervalSeconds
	}
}

func unitOf(predictor string) string {
	switch predictor {
	case "rate":
		return "events/s"
	case "history / batch interval":
		return ""
	default:
		return "s"
	}
}

func places(points [][2]float64) int {
	var xs []float64
	for _, p := range points {
		if !slices.Contains(xs, p[0]) {
			xs = append(xs, p[0])
		}
	}
	return len(xs)
}

func fit(arm string, points [][2]float64) result.Fitted {
	xs, ys := make([]float64, len(points)), make([]float64, len(points))
	for i, p := range points {
		xs[i], ys[i] = p[0], p[1]
	}
	intercept, slope := stat.LinearRegression(xs, ys, nil, false)
	return result.Fitted{Arm: arm, Intercept: intercept, Slope: slope, Points: points}
}

// locate finds the crossover, and its interval from resampled residuals.
func locate(j *result.Crossover, arms [][][2]float64, scenario string) {
	least, most := span(arms)
	at, ok := meet(j.Lines[0], j.Lines[1])
	switch {
	case !ok || at < 0 || at > beyond*most:
		j.Why = "the lines do not cross up to ten times what was measured"
		return
	case j.Lines[0].Slope < j.Lines[1].Slope: // the sentence says what holds above
		j.Why = fmt.Sprintf("the lines cross the other way round at %.3g: it holds below", at)
		return
	}
	j.At, j.Extrapolated = &at, at < least || at > most
	random := randomFor(scenario)
	var found []float64
	for range resamples {
		lines := slices.Clone(j.Lines)
		for i, points := range arms {
			lines[i] = fit("", resample(points, j.Lines[i], random))
		}
		if x, ok := meet(lines[0], lines[1]); ok && x >= 0 {
			found = append(found, x)
		}
	}
	if len(found) < resamples*975/1000 {
		j.Why = "the runs differ too much for an interval"
		return
	}
	low, high := middle(found)
	j.Low, j.High = &low, &high
}

// resample draws runs again: at every place the line's own value, and a residual of any of the runs. So
// noise counts at places that have one run alone, and what is no straight line counts as noise. Two
// parameters were fitted, which makes residuals smaller than the noise: they are scaled up for it.
func resample(points [][2]float64, line result.Fitted, random *rand.Rand) [][2]float64 {
	value := func(p [2]float64) float64 { return line.Intercept + line.Slope*p[0] }
	scale := math.Sqrt(float64(len(points)) / float64(max(len(points)-2, 1)))
	drawn := make([][2]float64, len(points))
	for i, p := range points {
		other := points[random.IntN(len(points))]
		drawn[i] = [2]float64{p[0], value(p) + scale*(other[1]-value(other))}
	}
	return drawn
}

// meet is where two lines cross.
func meet(a, b result.Fitted) (x float64, ok bool) {
	x = (b.Intercept - a.Intercept) / (a.Slope - b.Slope)
	return x, !math.IsNaN(x) && !math.IsInf(x, 0)
}

func span(arms [][][2]float64) (least, most float64) {
	least, most = math.Inf(1), math.Inf(-1)
	for _, points := range arms {
		for _, p := range points {
			least, most = min(least, p[0]), max(most, p[0])
		}
	}
	return least, most
}
