package bench

import (
	"context"
	"time"

	"lambdakappa/bench/result"
)

// steadyLoad runs each arm alone under a constant rate, A B B A, and then all on one log if asked.
type steadyLoad struct {
	Probed   bool          `yaml:"probed"`   // ask for sampled events, alerts and cars all the time
	Together time.Duration `yaml:"together"` // of one more run, with all arms on one log; 0 is none
}

func (*steadyLoad) check(s *Scenario) error { return s.needs() }

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
		if err := d.compareSteady(ctx, point, l.Probed); err != nil {
			return err
		}
	}
	if l.Together == 0 || !d.opt.together() {
		return nil
	}
	head := result.Run{Scenario: s.Name, Arm: armBoth, Repetition: 1, Seed: d.opt.Seed}
	return d.steadyRun(ctx, head, l.all(d.opt, s), l.Probed)
}

// compareSteady runs the arms, each alone, and controls in between. Runs of the same workload that another
// scenario or another point of a sweep has a control of begin with that one.
func (d *driver) compareSteady(ctx context.Context, s *Scenario, probed bool) error {
	var control controlTurn
	if _, known := d.controls[controlKey(s.size)]; known {
		control.taken = 1
	}
	return d.eachAlone(s, func(head result.Run) error {
		if control.due(head.Repetition) {
			alone := result.Run{Scenario: s.Name, Arm: armControl, Repetition: head.Repetition, Seed: head.Seed}
			if err := d.steadyRun(ctx, alone, s.size, false); err != nil {
				return err
			}
		}
		return d.steadyRun(ctx, head, s.size, probed)
	})
}

// steadyRunSeconds adds the start of the processes and the judging, which grows with the events.
func steadyRunSeconds(s size) float64 {
	return s.duration.Seconds() + 3 + s.rate*s.duration.Seconds()*3e-6
}
