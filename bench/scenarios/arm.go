package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// An Arm is an architecture as one side of a comparison: its plain name, or a variation of it.
type Arm struct {
	Name string `yaml:"name"`
	Like string `yaml:"like"` // the architecture that it varies: lambda or kappa
	// Args are further arguments of its components, by component: "kappa process".
	Args map[string][]string `yaml:"args"`
	// Mistake says what is wrong with it on purpose. Its answers are then expected to be wrong at
	// some time, and count as found when they are; they fail nothing.
	Mistake string `yaml:"mistake"`
	// Handicap makes every process of its runs take a share more CPU than it needs: a slowdown of
	// known size, which the rules have to find.
	Handicap float64 `yaml:"handicap"`
	// AllowedLateness is for how long its windows take what is late, where that is another time than
	// everybody's: it is judged by the same rule.
	AllowedLateness time.Duration `yaml:"allowed_lateness"`
}

// The architectures, and the variation that every comparison may ask for.
const (
	Lambda = "lambda"
	Kappa  = "kappa"

	// LambdaShared is Lambda whose batch layer has no logic of its own: it drives the speed
	// layer's over history. Without it, what is said about the size of Lambda's code would be said
	// about a straw man.
	LambdaShared = "lambda-shared"
)

// known are the arms that a file may name without saying what they are.
var known = map[string]Arm{
	Lambda: {Name: Lambda, Like: Lambda},
	Kappa:  {Name: Kappa, Like: Kappa},
	LambdaShared: {
		Name: LambdaShared, Like: Lambda,
		Args: map[string][]string{"lambda batch": {"--logic", "events"}},
	},
}

// WithArms returns the scenario with those of the known arms that are named and that it does not
// compare by itself. One without arms has nothing to compare.
func (s *Scenario) WithArms(names []string) *Scenario {
	more := *s
	more.Arms = slices.Clone(s.Arms)
	for _, name := range names {
		arm, isKnown := known[name]
		if _, ok := s.ArmNamed(name); isKnown && !ok && len(s.Arms) > 0 {
			more.Arms = append(more.Arms, arm)
		}
	}
	return &more
}

// UnmarshalYAML reads a name or a mapping.
func (a *Arm) UnmarshalYAML(node ast.Node) error {
	if text, ok := node.(*ast.StringNode); ok {
		arm, ok := known[text.Value]
		if !ok {
			return &yaml.SyntaxError{Message: fmt.Sprintf("arm %q: is none of %s; give its name, like and args",
				text.Value, strings.Join(knownArms(), ", ")), Token: node.GetToken()}
		}
		*a = arm
		return nil
	}
	type plain Arm
	return yaml.NodeToValue(node, (*plain)(a), yaml.Strict())
}

func knownArms() []string {
	var names []string
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (a *Arm) validate() *flaw {
	switch {
	case a.Name == "":
		return problem("name", "must be given")
	case strings.ContainsAny(a.Name, " /\\"):
		return problem("name", "%q must have no spaces or slashes: it names folders", a.Name)
	case a.Like != Lambda && a.Like != Kappa:
		return problem("like", "%q is neither lambda nor kappa", a.Like)
	}
	switch {
	case a.Handicap < 0 || a.Handicap > 10:
		return problem("handicap", "%v: must be above 0 and at most 10", a.Handicap)
	case a.AllowedLateness < 0 || a.AllowedLateness%time.Millisecond != 0:
		return problem("allowed_lateness", "%s: takes a length in whole milliseconds such as 2m", a.AllowedLateness)
	}
	for component := range a.Args {
		if !strings.HasPrefix(component, a.Like+" ") {
			return problem("args", "%q is no component of %s, such as %q", component, a.Like, examples[a.Like])
		}
	}
	return nil
}

var examples = map[string]string{Lambda: "lambda speed", Kappa: "kappa process"}
