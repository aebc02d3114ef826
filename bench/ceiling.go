package bench

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"lambdakappa/bench/result"
)

// ceiling finds the greatest rate at which all answers of an arm are right and in time (the metric of
// Linear Road), for each arm alone, by a search over short steady runs. More events come from more
// cars, each as often as before.
//
// Without Highest it holds one rate, the workload's, against the same limit.
type ceiling struct {
	// InTime is the limit of the time from the intended send of an event until it is visible, at p99.
	// The age of the answers may not grow so fast that a minute of it would exceed the limit either.
	InTime    time.Duration `yaml:"in_time"`
	Lowest    float64       `yaml:"lowest"` // rates that are tried, events/s
	Highest   float64       `yaml:"highest"`
	Precision float64       `yaml:"precision"` // of the ceiling, as a share of it

	alone map[string]time.Duration // how late the generator is at p99 without any arm, by controlKey
}

// The figures of a ceiling.
const (
	figureCeiling = "ceiling"       // geometric mean of the two below, when the search has found both
	figureHeld    = "rate held"     // greatest at which all was right and in time: the ceiling is no lower
	figureMissed  = "rate not held" // least at which it was not in time
	figurePlain   = "rate held, as a share of the plain program's"
)

func (c *ceiling) check(s *Scenario) error {
	switch {
	case c.InTime <= 0:
		return fmt.Errorf("in_time: must be given: how soon an event has to be visible at p99, such as 250ms")
	case !c.searches() && (c.Lowest != 0 || c.Precision != 0):
		return fmt.Errorf("highest: must be given beside lowest and precision; without all three, one rate is checked")
	case c.searches() && !(0 < c.Lowest && c.Lowest < c.Highest):
		return fmt.Errorf("lowest %v: must be above 0 and below highest (%v)", c.Lowest, c.Highest)
	case c.searches() && !(c.Precision >= 0.01 && c.Precision <= 0.5):
		return fmt.Errorf("precision %v: must be between 0.01 and 0.5", c.Precision)
	}
	if err := s.needs(); err != nil {
		return err
	}
	return c.checkSamples(s.size)
}

// checkSamples demands that the least rate has samples enough for its p99.
func (c *ceiling) checkSamples(s size) error {
	if c.searches() {
		s = s.at(c.Lowest)
	}
	cars := float64(min(sampledCars, s.cars))
	if samples := cars * (s.rate/float64(s.cars)*s.duration.Seconds() - 1); !enough(int64(samples), .99) {
		return fmt.Errorf("in_time: %.0f sampled readings at %.0f events/s are too few for a p99, "+
			"take a longer duration", samples, s.rate)
	}
	return nil
}

func (c *ceiling) searches() bool { return c.Highest > 0 }

// at is the size at another rate: more cars, each as often as before.
func (s size) at(rate float64) size {
	s.cars = max(int(math.Round(float64(s.cars)*rate/s.rate)), 1)
	s.rate = rate
	return s
}

// searchTrials is how many rates a search tries: the first of an arm some more, the others, which
// begin where it ended, some fewer.
const searchTrials = 5

func (c *ceiling) seconds(o Options, s *Scenario) float64 {
	trials, size := 1.0, s.size
	if c.searches() {
		trials, size = searchTrials, size.at(2*size.rate)
	}
	return float64(len(s.arms(o))*size.repetitions) * trials * steadyRunSeconds(size)
}

func (c *ceiling) run(ctx context.Context, d *driver, s *Scenario) error {
	c.alone = map[string]time.Duration{}
	begin := map[string]float64{}
	return d.eachAlone(s, func(head result.Run) error {
		head.Workload = nil // every trial has its own
		if begin[head.Arm] == 0 {
			begin[head.Arm] = s.size.rate
		}
		seek := newSearch(s.size.rate, s.size.rate, s.size.rate, 0)
		if c.searches() {
			seek = newSearch(begin[head.Arm]*jitter(head.Seed), c.Lowest, c.Highest, c.Precision)
		}
		if err := c.seek(ctx, d, head, s.size, seek); err != nil {
			return err
		}
		if seek.held > 0 {
			begin[head.Arm] = seek.held
		}
		return nil
	})
}

// seek tries rates until the search ends, and adds one run about all of them.
func (c *ceiling) seek(ctx context.Context, d *driver, head result.Run, s size, seek *search) error {
	all := &trials{run: head, seek: seek}
	for rate, more := seek.next(); more; rate, more = seek.next() {
		t, err := d.try(ctx, head, s.at(rate), c.InTime)
		if err != nil {
			return err
		}
		all.add(t)
		if !t.run.OK {
			break // no rate is held with wrong answers
		}
		alone := time.Duration(0)
		if len(t.late) > 0 && t.generator > lagLimit {
			if alone, err = c.generatorAlone(ctx, d, all, s.at(rate)); err != nil {
				return err
			}
		}
		if alone > lagLimit {
			all.limit(rate, alone)
		} else {
			seek.note(rate, len(t.late) == 0)
		}
	}
	all.conclude(c.searches(), d.limits().OracleEventsPerSecond)
	return d.add(all.run)
}

// aloneTries is how often the generator may show that it can keep a schedule: what else the machine does
// makes it late, and never early.
const aloneTries = 3

// generatorAlone is how late the generator is without any arm, at its best: if that is too late, the
// measurement has a ceiling of its own there.
func (c *ceiling) generatorAlone(ctx context.Context, d *driver, all *trials, s size) (time.Duration, error) {
	key := controlKey(s)
	if best, known := c.alone[key]; known {
		return best, nil
	}
	best := time.Duration(math.MaxInt64)
	for try := 0; try < aloneTries && best > lagLimit; try++ {
		head := result.Run{
			Scenario: all.run.Scenario, Arm: armControl, Repetition: all.run.Repetition, Seed: all.run.Seed,
			Parameter: &result.Parameter{Name: "rate", Unit: "events/s", Value: s.rate},
		}
		t, err := d.try(ctx, head, s, c.InTime)
		if err != nil {
			return 0, err
		}
		best = min(best, t.generator)
		if err := d.add(t.run); err != nil {
			return 0, err
		}
	}
	c.alone[key] = best
	return best, nil
}

// trials are all rates that one search has tried.
type trials struct {
	run  result.Run
	seek *search
}

// limit notes that the generator cannot keep the schedule of a rate, whoever is beside it.
func (a *trials) limit(rate float64, alone time.Duration) {
	a.seek.limit(rate)
	a.run.Notes = append(a.run.Notes, fmt.Sprintf("%.0f events/s: the generator is the limit, alone it was %s late",
		rate, alone.Round(10*time.Microsecond)))
}

// add takes over what one trial has shown; cost and latency are those of the greatest rate that held.
func (a *trials) add(t *trial) {
	r := &a.run
	r.Events += t.run.Events
	r.Seconds += t.run.Seconds
	r.Correctness = sum(r.Correctness, t.run.Correctness)
	for _, c := range t.run.Checks {
		c.Name = fmt.Sprintf("at %.0f events/s: %s", t.rate, c.Name)
		r.Checks = append(r.Checks, c)
	}
	if !t.run.OK && r.Error == "" {
		r.Error = fmt.Sprintf("at %.0f events/s: %s", t.rate, t.run.Error)
		return
	}
	r.Notes = append(r.Notes, t.says())
	if len(t.late) == 0 && t.rate >= a.seek.held {
		r.LatencyMs, r.FreshnessMs, r.FreshnessLayers = t.run.LatencyMs, t.run.FreshnessMs, t.run.FreshnessLayers
		r.Cost, r.Components, r.Dir = t.run.Cost, t.run.Components, t.run.Dir
	}
}

// conclude turns the search into figures.
func (a *trials) conclude(searched bool, plain float64) {
	r, s := &a.run, a.seek
	r.OK = r.Error == ""
	if !r.OK {
		return
	}
	switch {
	case s.limited() && s.held == 0:
		r.Void = fmt.Sprintf("the generator is the limit from %.0f events/s on, and nothing was held below", s.beyond)
	case !searched || s.closed():
	case s.exhausted():
		r.Notes = append(r.Notes, fmt.Sprintf("%.0f events/s, the greatest rate that is tried, has held: the ceiling is beyond", s.held))
	case s.held > 0:
		r.Void = fmt.Sprintf("the search ended before the ceiling: at least %.0f events/s", s.held)
	default:
		r.Void = fmt.Sprintf("the search began above the ceiling: below %.0f events/s", s.missed)
	}
	if r.Void != "" {
		r.LatencyMs, r.FreshnessMs, r.FreshnessLayers, r.Cost = nil, nil, nil, nil
		return
	}
	a.fill(searched, plain)
}

// fill adds the figures of a search that is not void.
func (a *trials) fill(searched bool, plain float64) {
	r, s := &a.run, a.seek
	add := func(name, unit string, value float64) {
		r.Figures = append(r.Figures, result.Figure{Name: name, Unit: unit, Value: value})
	}
	if s.held > 0 {
		add(figureHeld, "events/s", s.held)
		if plain > 0 {
			add(figurePlain, "", s.held/plain)
		}
	}
	if !math.IsInf(s.missed, 1) {
		add(figureMissed, "events/s", s.missed)
	}
	if searched && !s.limited() && !s.exhausted() {
		add(figureCeiling, "events/s", math.Sqrt(s.held*s.missed))
	}
}

// sentence joins reasons.
func sentence(reasons []string) string { return strings.Join(reasons, "; ") }
