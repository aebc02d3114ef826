package bench

import (
	"context"
	"fmt"
	"math"
	"time"

	"lambdakappa/bench/result"
)

// spike runs each arm alone under a steady rate with bursts and takes how long the backlog of each
// takes to drain and how old the answers are meanwhile.
type spike struct {
	// LateGenerator is how late the generator, with the broker and without any arm, may be at p99; if it
	// is later, this machine cannot ask the question. Beside an arm that takes all cores in a burst it
	// may be as late as it will: that is what the burst costs, and ages count from the intended times.
	LateGenerator time.Duration `yaml:"late_generator"`

	alone time.Duration // how late it was
}

// The figures of a spike.
const (
	figureDrain = "time to drain"            // the longest of all bursts
	figureWorst = "age in a burst, greatest" // of the newest event in the answer
	figureCalm  = "age in calm, p50"
)

func (l *spike) check(s *Scenario) error {
	if err := s.needs(); err != nil {
		return err
	}
	spec := s.size.workload(1).spec
	bursts := burstsOf(spec)
	switch {
	case l.LateGenerator <= 0:
		return fmt.Errorf("late_generator: must be given: how late the generator may be at p99, such as 100ms")
	case s.size.speedup != 1:
		return fmt.Errorf("late_generator: takes a workload with speedup 1, not %v: an age is one of the wall clock", s.size.speedup)
	case len(bursts) == 0:
		return fmt.Errorf("late_generator: takes a workload with a burst that ends within its duration (%s): "+
			"disturb: burst-factor=10,burst-every=8s,burst-length=3s", spec.Duration)
	case bursts[0].from < 2:
		return fmt.Errorf("late_generator: takes two seconds of calm before the first burst, which begins after %.1f s", bursts[0].from)
	case spec.Duration.Seconds() < bursts[len(bursts)-1].to+2*calmSpan:
		return fmt.Errorf("late_generator: takes calm after the last burst, which ends %.1f s into a workload of %s",
			bursts[len(bursts)-1].to, spec.Duration)
	}
	return nil
}

func (l *spike) seconds(o Options, s *Scenario) float64 {
	d := s.size.workload(1).spec
	inBursts := float64(d.Events()) - s.size.rate*s.size.duration.Seconds()
	n := len(s.arms(o)) * s.size.repetitions
	if n > 0 {
		n += controlRuns(s.size.repetitions)
	}
	return float64(n) * (steadyRunSeconds(s.size) + inBursts*3e-6)
}

func (l *spike) run(ctx context.Context, d *driver, s *Scenario) error {
	var control controlTurn
	return d.eachAlone(s, func(head result.Run) error {
		if control.due(head.Repetition) {
			if err := l.control(ctx, d, s, head); err != nil {
				return err
			}
		}
		return d.steadyRunOf(ctx, head, s.size, l.steady(s.size))
	})
}

// control takes how late the generator is alone.
func (l *spike) control(ctx context.Context, d *driver, s *Scenario, before result.Run) error {
	head := result.Run{Scenario: s.Name, Arm: armControl, Repetition: before.Repetition, Seed: before.Seed}
	return d.steadyRunOf(ctx, head, s.size, func(x *execution) *steady {
		st := newSteady(x, s.size, true)
		st.lagLimit = l.LateGenerator
		st.figures = func(s *steady) error { l.alone = s.generatorLag; return nil }
		return st
	})
}

// steady is a steady run that watches its bursts.
func (l *spike) steady(s size) func(*execution) *steady {
	return func(x *execution) *steady {
		st := newSteady(x, s, true)
		st.lagLimit = math.MaxInt64
		if l.alone > l.LateGenerator {
			x.run.Void = fmt.Sprintf("the generator alone was %s late at p99, more than %s",
				l.alone.Round(10*time.Microsecond), l.LateGenerator)
		}
		st.figures = (*steady).fillDrains
		return st
	}
}

// fillDrains turns the ages of the answers into the figures of the run.
func (s *steady) fillDrains() error {
	r := &s.execution.run
	a := s.arms[r.Arm]
	bursts := burstsOf(s.spec)
	normal, median, ok := normalAge(a.layers[0].points, bursts[0].from)
	if !ok {
		return fmt.Errorf("too few ages of answers were sampled before the first burst")
	}
	var worst drain
	for i, b := range bursts {
		until := s.spec.Duration.Seconds()
		if i+1 < len(bursts) {
			until = bursts[i+1].from
		}
		d := drainOf(a.layers[0].points, b, until, normal)
		r.Notes = append(r.Notes, d.says(b, normal))
		r.Marks = append(r.Marks, result.Mark{Name: "burst", From: b.from, To: b.to})
		worst.seconds, worst.worst = max(worst.seconds, d.seconds), max(worst.worst, d.worst)
	}
	r.Figures = append(r.Figures,
		result.Figure{Name: figureDrain, Unit: "s", Value: max(worst.seconds, freshnessEvery.Seconds())},
		result.Figure{Name: figureWorst, Unit: "ms", Value: worst.worst},
		result.Figure{Name: figureCalm, Unit: "ms", Value: median},
	)
	return nil
}

// says is the drain in a sentence.
func (d drain) says(b burst, normal float64) string {
	took := fmt.Sprintf("normal again %.2f s after its end", d.seconds)
	switch {
	case !d.backlog:
		took = "no backlog"
	case d.seconds < freshnessEvery.Seconds(): // one sample to the next
		took = fmt.Sprintf("normal again less than %.2f s after its end", freshnessEvery.Seconds())
	case d.atLeast:
		took = fmt.Sprintf("not normal again within the %.2f s after its end, which count as its time", d.seconds)
	}
	return fmt.Sprintf("burst from %.0f to %.0f s: answers up to %.0f ms old (at most %.0f ms is normal), %s",
		b.from, b.to, d.worst, normal, took)
}
