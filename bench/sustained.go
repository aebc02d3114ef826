package bench

import (
	"context"
	_ "embed" // the scenario
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
)

// sustainedYAML is no question of the project's, and no report has it: it measures a machine.
//
//go:embed sustained.yaml
var sustainedYAML []byte

// sustainedStep is by how much the rate is raised or lowered: with three trials, and a guess to begin with,
// the figure lies somewhere from a ninth to nine times the guess.
const sustainedStep = 3

// A Sustained is what a machine has kept up with, both architectures at once on the embedded broker.
type Sustained struct {
	Held   float64  // events/s: greatest at which every answer was right and in time; 0 when none was
	Missed float64  // events/s: least at which answers were not in time; 0 when they always were
	Trials []string // each in a sentence
}

// errTrialTooLong ends a trial that takes too long to say anything but that.
var errTrialTooLong = errors.New("not over in time")

// Sustain finds a rate that this machine keeps up with, within a time that should be 15 s at least. It is a
// lower bound by the search's wide steps: what has held has held for some seconds, what is between that and
// the next rate was not tried. Everything it leaves on disk, under o.Out, is gone when it returns.
//
// An error means that answers were wrong, or that nothing could be run.
func Sustain(ctx context.Context, o Options, within time.Duration) (Sustained, error) {
	if err := o.Validate(); err != nil {
		return Sustained{}, err
	}
	file, err := scenarios.Parse("sustained.yaml", sustainedYAML)
	if err != nil {
		return Sustained{}, err
	}
	s, err := o.ask(file)
	if err != nil {
		return Sustained{}, err
	}
	f, err := newFolder(o.Out, s.Name, time.Now())
	if err != nil {
		return Sustained{}, err
	}
	d, err := newDriver(o, f, []*Scenario{s}, nil)
	if err != nil {
		return Sustained{}, errors.Join(err, os.RemoveAll(f.path))
	}
	d.scenario = s
	d.progress.scenario(s, o)
	found, err := d.sustain(ctx, s, within)
	d.progress.close()
	return found, errors.Join(err, os.RemoveAll(f.path))
}

// sustain tries rates while there is time for as long a trial as the longest so far.
func (d *driver) sustain(ctx context.Context, s *Scenario, within time.Duration) (Sustained, error) {
	c := s.procedure.(*ceiling)
	seek := newSearch(s.size.rate, c.Lowest, c.Highest, c.Precision)
	seek.step = sustainedStep
	var found Sustained
	until, longest := time.Now().Add(within), time.Duration(0)
	for rate, more := seek.next(); more && time.Until(until) > longest; rate, more = seek.next() {
		began, limit := time.Now(), min(within/2, time.Until(until))
		t, err := d.tryWithin(ctx, s, rate, limit)
		if err != nil {
			return found, err
		}
		if t == nil && limit < within/2 {
			break // it had less time than another one: nothing is known
		}
		longest = max(longest, time.Since(began))
		seek.note(rate, t != nil && len(t.late) == 0)
		if t == nil {
			found.Trials = append(found.Trials, fmt.Sprintf("%.0f events/s: %s", rate, errTrialTooLong))
		} else {
			found.Trials = append(found.Trials, t.says())
		}
	}
	found.Held = seek.held
	if !math.IsInf(seek.missed, 1) {
		found.Missed = seek.missed
	}
	return found, nil
}

// tryWithin tries a rate with both architectures; nil when that was not over in time.
func (d *driver) tryWithin(ctx context.Context, s *Scenario, rate float64, limit time.Duration) (*trial, error) {
	trying, cancel := context.WithTimeoutCause(ctx, limit, errTrialTooLong)
	defer cancel()
	head := result.Run{Scenario: s.Name, Arm: armBoth, Repetition: 1, Seed: d.opt.Seed}
	t, err := d.try(trying, head, s.size.at(rate), s.procedure.(*ceiling).InTime)
	switch {
	case errors.Is(err, errTrialTooLong):
		return nil, nil
	case err != nil:
		return nil, err
	case !t.run.OK:
		return nil, fmt.Errorf("at %.0f events/s: %s", rate, t.run.Error)
	}
	return t, nil
}
