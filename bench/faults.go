package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"lambdakappa/bench/fault"
)

// Faulty is what a procedure's settings say about faults. Procedures embed it.
type Faulty struct {
	Faults []fault.Step `yaml:"faults"` // by the clock
	Random fault.Random `yaml:"random"` // by chance
}

// check holds the faults against the arms of the scenario and the time that its workload takes.
func (f *Faulty) check(s *Scenario) error {
	for i, step := range f.Faults {
		if step.Target == batchPart.name && (step.Do == fault.Stop || step.Do == fault.Restart) {
			return &fault.Error{
				Field: fmt.Sprintf("faults[%d].do", i),
				Says:  "the batch layer has a process only while it runs once: it can be killed, not " + step.Do + "ed",
			}
		}
		if (step.Do == fault.Join || step.Do == fault.Leave) && !partNamed(step.Target).group {
			return &fault.Error{
				Field: fmt.Sprintf("faults[%d].target", i),
				Says:  fmt.Sprintf("%q is no component that shares its work in a group", step.Target),
			}
		}
	}
	return fault.Validate(f.Faults, f.Random, s.targets(nil), s.size.wall())
}

// kinds are steps of every kind that may happen, drawn ones too.
func (f *Faulty) kinds() []fault.Step {
	all := slices.Clone(f.Faults)
	if slices.Contains(f.Random.Targets, fault.Broker) {
		all = append(all, fault.Step{Do: fault.BrokerDown})
	}
	return all
}

// plan is what happens to the arms of one run. Faults of a component whose arm was not asked for are
// left out, and nothing else moves.
func (f *Faulty) plan(x *execution, w workload) ([]fault.Step, error) {
	all := x.scenario.targets(nil)
	whole, err := fault.Plan(f.Faults, f.Random, w.spec.Seed, all, w.wall())
	if err != nil {
		return nil, err
	}
	var arms []string
	for _, r := range x.runs() {
		arms = append(arms, r.Arm)
	}
	mine := x.scenario.targets(arms)
	return slices.DeleteFunc(whole, func(s fault.Step) bool {
		return slices.Contains(all, s.Target) && !slices.Contains(mine, s.Target)
	}), nil
}

// targets are the components of arms, of all of the scenario's when none are given.
func (s *Scenario) targets(arms []string) []string {
	var names []string
	for _, a := range s.Arms {
		if arms != nil && !slices.Contains(arms, a.Name) {
			continue
		}
		for _, p := range architectures[a.Like] {
			names = append(names, p.name)
		}
		if a.Like == armLambda {
			names = append(names, batchPart.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// wall is how long a workload takes to be sent; 0 is as fast as the log takes it.
func (s size) wall() time.Duration { return wallOf(s.duration, s.speedup) }

func (w workload) wall() time.Duration {
	if w.csv != "" {
		return sendSeconds * time.Second
	}
	return wallOf(w.spec.Duration, w.speedup)
}

func wallOf(duration time.Duration, speedup float64) time.Duration {
	if speedup == 0 {
		return 0
	}
	return time.Duration(float64(duration) / speedup)
}

// inflict carries a plan out while the generator sends, and returns when the last fault is over.
// Faults of different targets may last at the same time. Whatever it has held up goes on again when
// it returns, for whatever reason.
func (x *execution) inflict(ctx context.Context, plan []fault.Step) error {
	if len(plan) == 0 {
		return nil
	}
	x.run.Notes = append(x.run.Notes, "faults:\n"+fault.Format(plan))
	began := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for _, lane := range fault.Lanes(plan) {
		g.Go(func() error {
			for _, step := range lane {
				if err := waitUntil(ctx, began.Add(step.At)); err != nil {
					return err
				}
				if err := x.happen(ctx, step); err != nil {
					return fmt.Errorf("%s at %s: %w", step.Name(), step.At, err)
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// happen carries one step out, from its beginning until the target is as it was.
func (x *execution) happen(ctx context.Context, step fault.Step) error {
	x.progress.say(step.Name())
	began := time.Now()
	defer func() { x.mark(step.Name(), began, time.Now()) }()
	switch step.Do {
	case fault.Stop:
		return x.standStill(ctx, step)
	case fault.Kill, fault.Restart:
		return x.breakOff(ctx, step)
	case fault.Join:
		return x.sut.join(ctx, step.Target)
	case fault.Leave:
		return x.sut.leave(ctx, step.Target)
	case fault.BrokerDown, fault.BrokerStop, fault.BrokerCut, fault.BrokerFull, fault.BrokerRestart, fault.BrokerJoin:
		if x.opt.Cluster != "" {
			return x.sut.disturbNodes(ctx, step)
		}
		return x.sut.brokerDown(ctx, step.For)
	case fault.Compact:
		return x.sut.compact(ctx)
	case fault.Retention:
		return x.forget(ctx, step)
	case fault.Delay, fault.Cut:
		return x.sut.disturbNetwork(ctx, step)
	default:
		return fmt.Errorf("nobody can do that")
	}
}

// cannot says why this machine, or this broker, cannot do what a plan says; "" when it can. What
// cannot be done is not measurable here, and not an error.
func (o Options) cannot(plan []fault.Step) string {
	for _, step := range plan {
		if why := o.cannotDo(step); why != "" {
			return fmt.Sprintf("%s: %s", step.Do, why)
		}
	}
	return ""
}

// hasNetwork reports whether a plan needs a network that can be disturbed.
func hasNetwork(plan []fault.Step) bool {
	return slices.ContainsFunc(plan, func(s fault.Step) bool { return s.Do == fault.Delay || s.Do == fault.Cut })
}

// resends reports whether a plan can make the generator append a batch twice: it does when an
// acknowledgement is lost.
func resends(plan []fault.Step) bool {
	return slices.ContainsFunc(plan, func(s fault.Step) bool {
		return strings.HasPrefix(s.Do, fault.Broker)
	})
}

// armOf is the arm that a component belongs to.
func (s *system) armOf(component string) (*arm, error) {
	like, _, _ := strings.Cut(component, " ")
	for _, a := range s.arms {
		if a.like == like {
			return a, nil
		}
	}
	return nil, fmt.Errorf("no arm has a %s", component)
}
