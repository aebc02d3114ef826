package scenarios

import "slices"

// A Crossover asks where two arms change places: the figure of each is fitted as a straight line over
// something that the sweep varies, and the lines are intersected.
//
//	figure: CPU per million events
//	of: lambda
//	to: kappa
//	over: history / batch interval
//	says: a full recompute costs more CPU than Kappa above
type Crossover struct {
	Figure  string   `yaml:"figure"`
	Phase   string   `yaml:"phase"`    // of the run that has the figure
	ToPhase string   `yaml:"to_phase"` // of the other arm's run
	Of      string   `yaml:"of"`
	To      string   `yaml:"to"`   // none compares with Than
	Than    *float64 `yaml:"than"` // a limit, in the figure's unit
	Over    string   `yaml:"over"` // one of Predictors
	Says    string   `yaml:"says"` // the sentence that the place completes
}

// Predictors are what a figure can be drawn over.
var Predictors = []string{"batch interval", "history", "rate", "history / batch interval"}

func (c *Crossover) validate(s *Scenario) *flaw {
	for _, arm := range []struct{ field, name string }{{"of", c.Of}, {"to", c.To}} {
		if _, ok := s.ArmNamed(arm.name); arm.name != "" && !ok {
			return problem(arm.field, "%q is no arm of this scenario", arm.name)
		}
	}
	switch {
	case c.Figure == "":
		return problem("figure", "must be given")
	case c.Of == "":
		return problem("of", "must name an arm")
	case (c.To == "") == (c.Than == nil):
		return problem("to", "takes either another arm, or a limit in than")
	case !slices.Contains(Predictors, c.Over):
		return problem("over", "%q is none of %q", c.Over, Predictors)
	case c.Says == "":
		return problem("says", "must be given: the sentence that the place completes")
	}
	return nil
}

// Swept is a point of a sweep: the workload there, and the one thing that differs.
type Swept struct {
	Workload
	Parameter string // batch interval, history or rate
	Unit      string
	Value     float64
}

// Points returns the points of the profile's sweep, beside the scenario's own size.
func (s *Scenario) Points(profile string) []Swept {
	var points []Swept
	for _, change := range s.Profiles[profile].Sweep {
		p := Swept{Workload: s.Sized(profile).with(change)}
		switch {
		case change.BatchInterval != 0:
			p.Parameter, p.Unit, p.Value = "batch interval", "s", change.BatchInterval.Seconds()
		case change.Duration != 0:
			p.Parameter, p.Unit, p.Value = "history", "s", change.Duration.Seconds()
		default:
			p.Parameter, p.Unit, p.Value = "rate", "events/s", change.Rate
		}
		points = append(points, p)
	}
	return points
}

// validateSweep demands that every point changes one thing: of two, nobody could say which it was.
func (w Workload) validateSweep() *flaw {
	given := 0
	for _, one := range []bool{w.BatchInterval != 0, w.Duration != 0, w.Rate != 0} {
		if one {
			given++
		}
	}
	if given != 1 || w.Cars != 0 || w.Speedup != 0 || w.Disturb != "" {
		return problem("", "a point changes one of batch_interval, duration and rate (and how often: repetitions)")
	}
	return nil
}
