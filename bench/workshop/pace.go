package workshop

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"lambdakappa/bench/scenarios"
)

// GentleRate is the --rate of an exercise for a machine that may be asked for so many events a second, and 0 where its own is
// right: where it is no more, and where event time runs faster than the clock, since such a scenario is about right answers,
// which a slow machine gives as well. The source, whose files a command may name, is in dir.
func (e *Exercise) GentleRate(eventsPerSecond float64, dir string) (float64, error) {
	s, err := e.load(dir)
	if err != nil {
		return 0, err
	}
	size := s.Sized(scenarios.Quick)
	if size.Speedup != 1 || size.Rate <= eventsPerSecond {
		return 0, nil
	}
	return max(math.Floor(eventsPerSecond), 1), nil
}

// load reads the scenario that the exercise runs.
func (e *Exercise) load(dir string) (*scenarios.Scenario, error) {
	if at := slices.IndexFunc(e.Command, isFile); at >= 0 {
		return scenarios.Load(filepath.Join(dir, filepath.FromSlash(e.Command[at])))
	}
	for _, s := range scenarios.Builtin() {
		if s.Name == e.scenario() {
			return s, nil
		}
	}
	return nil, fmt.Errorf("exercise %d: there is no scenario %q", e.Number, e.scenario())
}

func isFile(arg string) bool { return filepath.Ext(arg) == ".yaml" }
