package scenarios

import (
	"slices"
	"strconv"
	"strings"
)

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
	Parameter string // batch interval, history, rate, or what it is disturbed by
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
		case change.Disturb != "":
			name, share, _ := change.disturbedBy()
			p.Parameter, p.Unit, p.Value = name, "%", 100*share
		default:
			p.Parameter, p.Unit, p.Value = "rate", "events/s", change.Rate
		}
		points = append(points, p)
	}
	return points
}

// disturbedBy is the one disturbance of a workload and its share of the events, false when there are
// several, or one that is no share.
func (w Workload) disturbedBy() (name string, share float64, ok bool) {
	name, value, _ := strings.Cut(w.Disturb, "=")
	share, err := strconv.ParseFloat(value, 64)
	return name, share, err == nil
}

// validateSweep demands that a point of w's sweep changes one thing: of two, nobody could say which
// it was.
func (w Workload) validateSweep(point Workload) *flaw {
	given := 0
	for _, one := range []bool{point.BatchInterval != 0, point.Duration != 0, point.Rate != 0, point.Disturb != ""} {
		if one {
			given++
		}
	}
	if given != 1 || point.Cars != 0 || point.Speedup != 0 {
		return problem("", "a point changes one of batch_interval, duration, rate and disturb (and how often: repetitions)")
	}
	if point.Disturb == "" {
		return nil
	}
	was, _, _ := w.disturbedBy()
	if is, _, ok := point.disturbedBy(); !ok || is != was {
		return problem("disturb", "%q: takes another share of the one thing that disturbs the workload, %q",
			point.Disturb, w.Disturb)
	}
	return nil
}
