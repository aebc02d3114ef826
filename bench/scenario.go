package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
	"lambdakappa/event"
	"lambdakappa/view"
)

// A procedure is a way to run scenarios. Its fields are the settings that a file may give under
// "with".
type procedure interface {
	// check returns an error that names the first setting that cannot work with the scenario.
	check(s *Scenario) error
	// run runs the scenario and adds what was measured to the summary.
	run(ctx context.Context, d *driver, s *Scenario) error
	// seconds is how long that should take, for the progress bar.
	seconds(o Options, s *Scenario) float64
}

// procedures returns a procedure of every kind, with the settings that it has by default.
var procedures = map[string]func() procedure{
	"correctness": func() procedure { return &correctness{} },
	"steady":      func() procedure { return &steadyLoad{} },
	"ceiling":     func() procedure { return &ceiling{} },
	"spike":       func() procedure { return &spike{} },
	"replay":      func() procedure { return &replay{} },
	"deadline":    func() procedure { return &deadline{} },
	"deploy":      func() procedure { return &deploy{} },
	"order":       func() procedure { return &order{} },
	"time-travel": func() procedure { return &timeTravel{} },
	"batch-app":   func() procedure { return &batchApp{} },
	"code":        func() procedure { return &countCode{} },
}

// A Scenario is a question as one invocation asks it: a file, with what the profile and the command
// line say about it.
type Scenario struct {
	*scenarios.Scenario
	size      size
	rules     event.Rules
	views     view.Set          // that the arms keep
	procedure procedure         // nil when nothing measures the claim yet
	parameter *result.Parameter // that a sweep has varied; nil at the scenario's own size
}

// Scenarios lists what the project brings with it.
func Scenarios() []*scenarios.Scenario { return scenarios.Builtin() }

// asked returns the scenarios that the options ask for, ready to run: those named, or all, or the
// short ones.
func (o Options) asked() ([]*Scenario, error) {
	for _, file := range scenarios.Builtin() {
		if slices.Contains(o.Scenarios, file.Name) && file.Procedure == scenarios.NotBuilt {
			return nil, fmt.Errorf("scenario %q: nothing measures its claim yet", file.Name)
		}
	}
	if len(o.Scenarios) == 0 {
		var all []*Scenario
		for _, file := range scenarios.Builtin() {
			if !o.All && !file.Short || file.Apart {
				continue
			}
			s, err := o.ask(file)
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
		return all, nil
	}
	return o.named()
}

// named returns the scenarios that were named, those of the project in the order in which they make
// sense and then the user's own.
func (o Options) named() ([]*Scenario, error) {
	var known, own []*Scenario
	for _, name := range o.Scenarios {
		if !isFile(name) && !slices.Contains(scenarioNames(), name) {
			return nil, fmt.Errorf("scenario %q: is none of %s, and no .yaml file",
				name, strings.Join(scenarioNames(), ", "))
		}
	}
	for _, file := range scenarios.Builtin() {
		if !slices.Contains(o.Scenarios, file.Name) {
			continue
		}
		s, err := o.ask(file)
		if err != nil {
			return nil, err
		}
		known = append(known, s)
	}
	for _, name := range o.Scenarios {
		if !isFile(name) {
			continue
		}
		file, err := scenarios.Load(name)
		if err != nil {
			return nil, err
		}
		s, err := o.ask(file)
		if err != nil {
			return nil, err
		}
		own = append(own, s)
	}
	return append(known, own...), nil
}

func isFile(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// ask puts profile and command line over a file and checks the whole.
func (o Options) ask(file *scenarios.Scenario) (*Scenario, error) {
	file = file.WithArms(o.Arms)
	s := &Scenario{Scenario: file, size: sized(file.Sized(o.Profile)).override(o), rules: o.rulesOf(file), views: viewsOf(file)}
	if err := s.rules.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", file.File(), err)
	}
	if file.Procedure == scenarios.NotBuilt {
		return s, nil
	}
	kind, ok := procedures[file.Procedure]
	if !ok {
		return nil, &scenarios.Error{
			File: file.File(), Field: "procedure",
			Says: fmt.Sprintf("%q is none of %s", file.Procedure, strings.Join(procedureNames(), ", ")),
		}
	}
	s.procedure = kind()
	if _, judgesByArm := s.procedure.(*correctness); !judgesByArm {
		for i, a := range file.Arms {
			if a.AllowedLateness > 0 {
				return nil, &scenarios.Error{
					File: file.File(), Field: fmt.Sprintf("arms[%d].allowed_lateness", i),
					Says: "only procedure correctness judges an arm by a rule of its own",
				}
			}
		}
	}
	if err := file.Decode(o.Profile, s.procedure); err != nil {
		return nil, err
	}
	if err := s.procedure.check(s); err != nil {
		return nil, &scenarios.Error{File: file.File(), Field: "with", Says: err.Error()}
	}
	return s, nil
}

// rulesOf are the rules of time of a scenario's runs.
func (o Options) rulesOf(file *scenarios.Scenario) event.Rules {
	r := event.DefaultRules()
	if file.Window > 0 {
		r.Window = file.Window.Milliseconds()
	}
	if o.Window > 0 {
		r.Window = o.Window.Milliseconds()
	}
	return r
}

// viewsOf are the views that a scenario's arms keep: all, or those that it names.
func viewsOf(file *scenarios.Scenario) view.Set {
	if len(file.Views) == 0 {
		return view.All
	}
	set, _ := view.ParseSet(strings.Join(file.Views, ",")) // the file was checked
	return set
}

// arms returns those of the scenario that were asked for, in its order.
func (s *Scenario) arms(o Options) []string {
	var names []string
	for _, a := range s.Arms {
		if len(o.Arms) == 0 || slices.Contains(o.Arms, a.Name) {
			names = append(names, a.Name)
		}
	}
	return names
}

// like is the architecture that an arm varies; of anything else, its own name.
func (s *Scenario) like(name string) string {
	if a, ok := s.ArmNamed(name); ok {
		return a.Like
	}
	return name
}

// mistake is what is wrong with an arm on purpose, "" for one that should be right.
func (s *Scenario) mistake(name string) string {
	a, _ := s.ArmNamed(name)
	return a.Mistake
}

// needs checks that the scenario has arms and a workload.
func (s *Scenario) needs() error {
	switch {
	case len(s.Arms) == 0:
		return fmt.Errorf("procedure %s takes at least one arm", s.Procedure)
	case s.size.rate == 0:
		return fmt.Errorf("procedure %s takes a workload", s.Procedure)
	}
	return nil
}

// points are the points of the scenario's sweep, each a scenario that differs in one thing, with the arms
// whose lines are drawn. A size that was asked for on the command line is the only one that is run.
func (s *Scenario) points(o Options) []*Scenario {
	if o.Cars > 0 || o.Rate > 0 || o.Duration > 0 {
		return nil
	}
	var points []*Scenario
	for _, p := range s.Points(o.Profile) {
		point := *s
		point.size = sized(p.Workload)
		if o.Repetitions > 0 {
			point.size.repetitions = o.Repetitions
		}
		point.parameter = &result.Parameter{Name: p.Parameter, Unit: p.Unit, Value: p.Value}
		point.Scenario = s.drawn()
		points = append(points, &point)
	}
	return points
}

// drawn is the file of the scenario with the arms that a sweep runs: those of the crossovers. Without
// crossovers it is all that make no mistake on purpose: what a point leaves out may be what shows it.
func (s *Scenario) drawn() *scenarios.Scenario {
	file := *s.Scenario
	file.Arms = slices.DeleteFunc(slices.Clone(file.Arms), func(a scenarios.Arm) bool {
		isCrossing := func(c scenarios.Crossover) bool { return c.Of == a.Name || c.To == a.Name }
		if len(file.Crossovers) > 0 {
			return !slices.ContainsFunc(file.Crossovers, isCrossing)
		}
		return a.Mistake != ""
	})
	return &file
}

// settled is the scenario whose views are left at the top of the folder.
const settled = "settled"

func scenarioNames() []string {
	var names []string
	for _, s := range scenarios.Builtin() {
		names = append(names, s.Name)
	}
	return names
}

func procedureNames() []string {
	names := []string{scenarios.NotBuilt}
	for name := range procedures {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
