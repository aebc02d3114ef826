package bench

import (
	"context"
	"slices"
)

// A Scenario is a question to both architectures.
type Scenario struct {
	Name     string
	Sentence string // what is run and what it shows

	run     func(ctx context.Context, d *driver) error
	seconds func(o Options) float64 // that it should take, for the progress bar
}

// scenarios returns them in the order in which they run: nothing is measured before answers are
// known to be right.
func scenarios() []*Scenario {
	return []*Scenario{
		settledScenario(), disturbedScenario(), freshnessScenario(), replayScenario(), alwaysOnScenario(),
		codeScenario(),
	}
}

// Scenarios lists what can be run.
func Scenarios() []Scenario {
	var all []Scenario
	for _, s := range scenarios() {
		all = append(all, *s)
	}
	return all
}

func (s *Scenario) asked(o Options) bool {
	return len(o.Scenarios) == 0 || slices.Contains(o.Scenarios, s.Name)
}

func scenarioNamed(name string) *Scenario {
	for _, s := range scenarios() {
		if s.Name == name {
			return s
		}
	}
	return nil
}

func scenarioNames() []string {
	var names []string
	for _, s := range scenarios() {
		names = append(names, s.Name)
	}
	return names
}
