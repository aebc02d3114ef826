package scenarios

import (
	"slices"
	"strings"
)

// A Rule turns figures into a verdict. It has one of two forms:
//
//	figure: CPU per million events   # a figure of the arm, or its ratio to another arm's
//	of: lambda
//	to: kappa
//	expect: above
//
//	answers: exact                   # or wrong
//	of: kappa
//
// Rules decide by interval, never by a single number: the 95 % interval of the figure (or of the
// ratio of runs that stand beside each other) has to be on the expected side of Than.
type Rule struct {
	Figure  string `yaml:"figure"`
	Phase   string `yaml:"phase"`    // of the run that has the figure
	To      string `yaml:"to"`       // the arm that it is divided by; none compares the figure itself
	ToPhase string `yaml:"to_phase"` // of that arm's run

	Of     string   `yaml:"of"`     // an arm
	Expect string   `yaml:"expect"` // below, above or same
	Than   *float64 `yaml:"than"`   // 1 for a ratio; a figure alone must say
	Margin float64  `yaml:"margin"` // what is no difference; 0.1 when it is not given
	// Counted says that the figure is a count without noise: every run has to be on the expected
	// side, and one run is enough.
	Counted bool `yaml:"counted"`

	Answers string `yaml:"answers"` // exact or wrong
}

// The directions of a rule.
const (
	Below = "below"
	Above = "above"
	Same  = "same"

	Exact = "exact"
	Wrong = "wrong"
)

// DefaultMargin is what is declared to be no difference where a rule says nothing else.
const DefaultMargin = 0.10

// Limit is what the figure or the ratio is compared with.
func (r *Rule) Limit() float64 {
	if r.Than == nil {
		return 1
	}
	return *r.Than
}

// Band is the margin around the limit.
func (r *Rule) Band() float64 {
	if r.Margin == 0 {
		return DefaultMargin
	}
	return r.Margin
}

func (r *Rule) validate(s *Scenario) *flaw {
	for _, arm := range []struct{ field, name string }{{"of", r.Of}, {"to", r.To}} {
		// What is counted are columns, which the source has; a scenario's arms are only some of them.
		if _, ok := s.ArmNamed(arm.name); arm.name != "" && !ok && s.Procedure != "code" {
			return problem(arm.field, "%q is no arm of this scenario", arm.name)
		}
	}
	switch {
	case (r.Figure == "") == (r.Answers == ""):
		return problem("", "takes either figure or answers")
	case r.Answers != "" && r.Answers != Exact && r.Answers != Wrong:
		return problem("answers", "%q is neither exact nor wrong", r.Answers)
	case r.Answers != "":
		return nil
	case r.Of == "" && len(s.Arms) > 0:
		return problem("of", "must name an arm")
	case !slices.Contains([]string{Below, Above, Same}, r.Expect):
		return problem("expect", "%q is none of below, above, same", r.Expect)
	case r.To == "" && r.Than == nil:
		return problem("than", "must be given for a figure that is not divided by another arm's")
	case r.Margin < 0 || r.Margin >= 1:
		return problem("margin", "%v: must be at least 0 and below 1", r.Margin)
	}
	return nil
}

// String is the rule in words: "CPU per million events, lambda to kappa: above 1".
func (r *Rule) String() string {
	if r.Answers != "" {
		return strings.TrimSpace("answers of " + orEvery(r.Of) + ": " + r.Answers)
	}
	what := r.Figure + ", " + strings.TrimSpace(r.Of+" "+r.Phase)
	if r.To != "" {
		what += " to " + strings.TrimSpace(r.To+" "+r.ToPhase)
	}
	if r.Expect == Same {
		return what + ": no difference"
	}
	return what + ": " + r.Expect + " " + number(r.Limit())
}

func orEvery(arm string) string {
	if arm == "" {
		return "every arm"
	}
	return arm
}
