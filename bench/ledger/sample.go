package ledger

import (
	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
)

// A sample is one figure of one arm, by repetition. Runs that are void have no figures. Runs that are
// wrong have none that took time, since a wrong answer voids it; but what is counted is the wrong itself.
type sample map[int]float64

// values are the figures in the order of the repetitions.
func (s sample) values() []float64 {
	var xs []float64
	for repetition := 1; len(xs) < len(s); repetition++ {
		if x, ok := s[repetition]; ok {
			xs = append(xs, x)
		}
	}
	return xs
}

// over divides pair by pair: what has no partner, or a partner that is 0, is left out.
func (s sample) over(other sample) sample {
	ratios := sample{}
	for repetition, x := range s {
		if y, ok := other[repetition]; ok && y != 0 {
			ratios[repetition] = x / y
		}
	}
	return ratios
}

// sampleOf collects a figure of the runs of one scenario, arm and phase.
func sampleOf(
	s *result.Summary, q *scenarios.Scenario, figure, arm, phase string, counted bool,
) (sample, string) {
	if size, ok := s.CodeSize[arm]; ok && codeFigures[figure] != nil && q.Procedure == "code" {
		return sample{1: float64(codeFigures[figure](size))}, ""
	}
	found, unit := sample{}, ""
	for i := range s.Runs {
		r := &s.Runs[i]
		if r.Scenario != q.Name || r.Arm != arm || r.Phase != phase || r.Parameter != nil || !counts(r) && !(counted && r.Void == "" && r.Unmeasurable == "") {
			continue
		}
		m := Named(figure, r)
		if x := m.Get(r); x != nil {
			found[r.Repetition], unit = *x, m.Unit
		}
	}
	return found, unit
}

// counts reports whether a run's figures may be used.
func counts(r *result.Run) bool { return r.OK && r.Void == "" && r.Unmeasurable == "" }

// codeFigures are what is counted in the source.
var codeFigures = map[string]func(result.CodeSize) int{
	"lines":                func(c result.CodeSize) int { return c.Lines },
	"statements":           func(c result.CodeSize) int { return c.Statements },
	"logic statements":     func(c result.CodeSize) int { return c.LogicStatements },
	"cognitive complexity": func(c result.CodeSize) int { return c.CognitiveComplexity },
}

// Values returns a figure of the right runs of one scenario, arm and phase, without those of a sweep, in the order of the
// repetitions; empty when nobody has measured it.
func Values(s *result.Summary, scenario, figure, arm, phase string) []float64 {
	found, _ := sampleOf(s, &scenarios.Scenario{Name: scenario}, figure, arm, phase, false)
	return found.values()
}

// CodeFigure returns what was counted in the source, by the name that rules say it by; false when there is no such figure.
func CodeFigure(size result.CodeSize, figure string) (float64, bool) {
	count := codeFigures[figure]
	if count == nil {
		return 0, false
	}
	return float64(count(size)), true
}
