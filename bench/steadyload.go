package bench

import (
	"context"
	"time"

	"lambdakappa/bench/result"
)

// steadyLoad runs each arm alone under a constant rate, A B A B, and then all on one log if asked.
type steadyLoad struct {
	Probed   bool          `yaml:"probed"`   // ask for sampled events, alerts and cars all the time
	Together time.Duration `yaml:"together"` // of one more run, with all arms on one log; 0 is none
}

func (*steadyLoad) check(s *Scenario) error { return s.needs() }

func (l *steadyLoad) seconds(o Options, s *Scenario) float64 {
	var sum float64
	for _, point := range append([]*Scenario{s}, s.points(o)...) {
		n := len(s.arms(o)) * point.size.repetitions
		if n > 0 {
			n++ // the control
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

// compareSteady runs the control once and then the arms, each alone, A B A B: whatever drifts on
// the machine while it runs meets both.
func (d *driver) compareSteady(ctx context.Context, s *Scenario, probed bool) error {
	arms := s.arms(d.opt)
	if _, known := d.controls[controlKey(s.size)]; !known && len(arms) > 0 {
		head := result.Run{Scenario: s.Name, Arm: armControl, Repetition: 1, Seed: d.opt.Seed}
		if err := d.steadyRun(ctx, head, s.size, false); err != nil {
			return err
		}
	}
	for repetition := range s.size.repetitions {
		for _, arm := range arms {
			head := result.Run{
				Scenario: s.Name, Arm: arm, Repetition: repetition + 1, Seed: d.opt.Seed + uint64(repetition),
				Parameter: s.parameter,
			}
			if err := d.steadyRun(ctx, head, s.size, probed); err != nil {
				return err
			}
		}
	}
	return nil
}

// steadyRunSeconds adds the start of the processes and the judging, which grows with the events.
func steadyRunSeconds(s size) float64 {
	return s.duration.Seconds() + 3 + s.rate*s.duration.Seconds()*3e-6
}
