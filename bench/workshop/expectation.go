package workshop

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/goccy/go-yaml"

	"lambdakappa/bench/ledger"
	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
)

// An Expectation is a statement of a page that a run confirms or not: a rule with the words of the scenarios' rules,
// held against the medians of one run.
type Expectation struct {
	Says           string `yaml:"-"` // the statement, as the page has it
	scenarios.Rule `yaml:",inline"`
	// ToFigure is what of the other arm it is divided by, where that is another figure.
	ToFigure string `yaml:"to_figure"`
}

// expected is a bullet of a list with a rule at its end.
var expected = regexp.MustCompile(`(?ms)^- ((?:[^\n]|\n  )*?)\s*<!-- expect: (.*?) -->`)

func expectations(text string) ([]Expectation, error) {
	var all []Expectation
	for _, found := range expected.FindAllStringSubmatch(text, -1) {
		e := Expectation{Says: strings.Join(strings.Fields(found[1]), " ")}
		if err := yaml.UnmarshalWithOptions([]byte(found[2]), &e, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("rule %q: %w", found[2], err)
		}
		if err := e.validate(); err != nil {
			return nil, fmt.Errorf("rule %q: %w", found[2], err)
		}
		all = append(all, e)
	}
	if n := strings.Count(text, "<!-- expect:"); n != len(all) {
		return nil, fmt.Errorf("%d of %d rules stand at the end of no bullet", n-len(all), n)
	}
	return all, nil
}

func (e *Expectation) validate() error {
	switch {
	case (e.Figure == "") == (e.Answers == ""):
		return fmt.Errorf("takes either figure or answers")
	case e.Of == "":
		return fmt.Errorf("of: must name an arm")
	case e.Answers != "" && e.Answers != scenarios.Exact && e.Answers != scenarios.Wrong:
		return fmt.Errorf("answers %q: is neither exact nor wrong", e.Answers)
	case e.Answers != "":
		return nil
	case !slices.Contains([]string{scenarios.Above, scenarios.Below, scenarios.Same}, e.Expect):
		return fmt.Errorf("expect %q: is none of above, below, same", e.Expect)
	case e.ToFigure != "" && e.To == "":
		return fmt.Errorf("to_figure: takes an arm in to")
	case e.To == "" && e.Than == nil:
		return fmt.Errorf("than: must be given for a figure that is not divided by another arm's")
	}
	return nil
}

// A Finding is what a run says about an expectation.
type Finding struct {
	Expectation
	Holds bool
	Seen  string // the run's figures
}

// Held holds expectations against a run.
func Held(expect []Expectation, s *result.Summary) []Finding {
	var all []Finding
	for _, e := range expect {
		all = append(all, e.held(s))
	}
	return all
}

func (e Expectation) held(s *result.Summary) Finding {
	if e.Answers != "" {
		return e.answered(s)
	}
	f := Finding{Expectation: e}
	of, unit, why := figure(s, e.Figure, e.Of, e.Phase)
	if why != "" {
		f.Seen = why
		return f
	}
	x := of
	f.Seen = fmt.Sprintf("%s: %s %s", e.Figure, e.Of, amount(of, unit))
	if e.To != "" {
		name := cmp.Or(e.ToFigure, e.Figure)
		to, unit, why := figure(s, name, e.To, e.ToPhase)
		if why != "" {
			f.Seen = why
			return f
		}
		if e.ToFigure != "" {
			f.Seen += "; " + e.ToFigure + ":"
		} else {
			f.Seen += ","
		}
		f.Seen += fmt.Sprintf(" %s %s", e.To, amount(to, unit))
		if to == 0 {
			f.Seen += ": no ratio to 0"
			return f
		}
		x = of / to
		f.Seen += fmt.Sprintf(": x %.3g", x)
	}
	switch limit := e.Limit(); e.Expect {
	case scenarios.Above:
		f.Holds = x > limit
	case scenarios.Below: // a count that has to stay 0 says: below 0
		f.Holds = x < limit || x == limit && limit == 0
	case scenarios.Same:
		f.Holds = x <= limit*(1+e.Band()) && x >= limit/(1+e.Band())
	}
	return f
}

// answered is whether the arm's rows are exact: those that were made wrong on purpose are wrong.
func (e Expectation) answered(s *result.Summary) Finding {
	f := Finding{Expectation: e}
	var exact, all int
	wrong := false
	for _, r := range runsOf(s, e.Of, e.Phase) {
		c := r.Correctness
		exact += c.Windows.Exact + c.Alerts.Exact + c.Trips.Exact
		all += c.Windows.Expected + c.Alerts.Expected + c.Trips.Expected
		wrong = wrong || !r.OK || slices.ContainsFunc(r.Checks, func(c result.Check) bool { return !c.OK })
	}
	if all == 0 {
		f.Seen = notMeasured("answers", e.Of, e.Phase, s)
		return f
	}
	f.Holds = wrong == (e.Answers == scenarios.Wrong)
	f.Seen = fmt.Sprintf("%s: %s of %s rows exact in the end", e.Of, humanize.Comma(int64(exact)), humanize.Comma(int64(all)))
	for _, r := range runsOf(s, e.Of, e.Phase) {
		if failed := firstWrong(r); failed != "" {
			f.Seen += "; " + failed
			break
		}
	}
	return f
}

// firstWrong is the first comparison of a run that was not equal.
func firstWrong(r *result.Run) string {
	for _, c := range r.Checks {
		if !c.OK {
			return shortened(c.Name + ": " + differing(c.Detail))
		}
	}
	return ""
}

// figure is the median of a figure of one arm; why there is none stands in its place.
func figure(s *result.Summary, name, arm, phase string) (x float64, unit, why string) {
	if size, ok := s.CodeSize[arm]; ok {
		if x, ok := ledger.CodeFigure(size, name); ok {
			return x, "", ""
		}
	}
	var found []float64
	for _, r := range runsOf(s, arm, phase) {
		m := ledger.Named(name, r)
		if x := m.Get(r); x != nil && r.Void == "" {
			found, unit = append(found, *x), m.Unit
		}
	}
	if len(found) == 0 {
		return 0, "", notMeasured(name, arm, phase, s)
	}
	return ledger.Median(found), unit, ""
}

// runsOf are the runs of an arm, without those of a sweep.
func runsOf(s *result.Summary, arm, phase string) []*result.Run {
	var all []*result.Run
	for i := range s.Runs {
		if r := &s.Runs[i]; r.Arm == arm && r.Phase == phase && r.Parameter == nil {
			all = append(all, r)
		}
	}
	return all
}

// notMeasured says why there is no figure, where the run knows.
func notMeasured(what, arm, phase string, s *result.Summary) string {
	for _, r := range runsOf(s, arm, phase) {
		for _, why := range []string{r.Void, r.Unmeasurable, r.Error} {
			if why != "" {
				return fmt.Sprintf("%s: not measured of %s: %s", what, arm, shortened(why))
			}
		}
	}
	return fmt.Sprintf("%s: not measured of %s in this run", what, strings.TrimSpace(arm+" "+phase))
}

// amount is a figure as people read it.
func amount(x float64, unit string) string {
	switch {
	case unit == "B":
		return humanize.IBytes(uint64(max(x, 0)))
	case x == math.Trunc(x) || math.Abs(x) >= 1000:
		return strings.TrimSpace(humanize.Comma(int64(math.Round(x))) + " " + unit)
	default:
		return strings.TrimSpace(fmt.Sprintf("%.3g %s", x, unit))
	}
}

// longest is how much of a comparison is printed: the report has all of it.
const longest = 300

func shortened(text string) string {
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest]) + " …"
	}
	return text
}
