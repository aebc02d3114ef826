package bench

import (
	"context"
	"fmt"
	"time"

	"lambdakappa/bench/result"
)

// steadyLoad runs each arm alone under a constant rate, A B B A, and then all on one log if asked.
type steadyLoad struct {
	Probed   bool          `yaml:"probed"`   // ask for sampled events, alerts and cars all the time
	Together time.Duration `yaml:"together"` // of one more run, with all arms on one log; 0 is none
	// LateGenerator is how late the generator may be at p99 before a run says nothing: [lagLimit] when 0. What differs
	// by orders of magnitude can be shown on a machine that others use as well.
	LateGenerator time.Duration `yaml:"late_generator"`
}

func (l *steadyLoad) check(s *Scenario) error {
	if l.LateGenerator < 0 {
		return fmt.Errorf("late_generator %s: must not be negative", l.LateGenerator)
	}
	return s.needs()
}

func (l *steadyLoad) seconds(o Options, s *Scenario) float64 {
	var sum float64
	known := map[string]bool{} // controls
	for _, point := range append([]*Scenario{s}, s.points(o)...) {
		n := len(s.arms(o)) * point.size.repetitions
		if n > 0 {
			n += controlRuns(point.size.repetitions)
		}
		if key := controlKey(point.size); n > 0 && known[key] {
			n--
		} else {
			known[key] = true
		}
		sum += float64(n) * steadyRunSeconds(point.size)
	}
	if l.Together > 0 && o.together() {
		sum += steadyRunSeconds(l.all(o, s))
	}
	return sum
}

// all is the size of the run of all arms on one log.
func (l *steadyLoad) all(o Options, s *Scenario) size {
	size := s.size
	size.duration, size.repetitions = l.Together, 1
	return size.override(o)
}

func (l *steadyLoad) run(ctx context.Context, d *driver, s *Scenario) error {
	for _, point := range append([]*Scenario{s}, s.points(d.opt)...) {
		if err := l.compare(ctx, d, point); err != nil {
			return err
		}
	}
	if l.Together == 0 || !d.opt.together() {
		return nil
	}
	head := result.Run{Scenario: s.Name, Arm: armBoth, Repetition: 1, Seed: d.opt.Seed}
	return l.steadyRun(ctx, d, head, l.all(d.opt, s), l.Probed)
}

// steadyRun executes one steady run under the scenario's own limit and adds it to the summary.
func (l *steadyLoad) steadyRun(ctx context.Context, d *driver, head result.Run, size size, probed bool) error {
	return d.steadyRunOf(ctx, head, size, func(x *execution) *steady {
		s := newSteady(x, size, probed)
		if l.LateGenerator > 0 {
			s.lagLimit = l.LateGenerator
		}
		return s
	})
}

// compare runs the arms, each alone, and controls in between. Runs of the same workload that another point of the
// scenario's sweep has a control of begin with that one.
func (l *steadyLoad) compare(ctx context.Context, d *driver, s *Scenario) error {
	var control controlTurn
	if _, known := d.controls[d.controlOf(s.size)]; known {
		control.taken = 1
	}
	return d.eachAlone(s, func(head result.Run) error {
		if control.due(head.Repetition) {
			alone := result.Run{Scenario: s.Name, Arm: armControl, Repetition: head.Repetition, Seed: head.Seed}
			if err := l.steadyRun(ctx, d, alone, s.size, false); err != nil {
				return err
			}
		}
		return l.steadyRun(ctx, d, head, s.size, l.Probed)
	})
}

// steadyRunSeconds adds the start of the processes and the judging, which grows with the events.
func steadyRunSeconds(s size) float64 {
	return s.duration.Seconds() + 3 + s.rate*s.duration.Seconds()*3e-6
}
