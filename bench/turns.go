package bench

import (
	"context"
	"slices"

	"lambdakappa/bench/result"
)

// inTurn lets another arm begin in every repetition: in the order of the scenario's file in the first
// one, backwards in the second. Over two of them every arm has the same place on average.
func inTurn(arms []string, repetition int) []string {
	turned := slices.Clone(arms)
	if repetition%2 == 1 {
		slices.Reverse(turned)
	}
	return turned
}

// eachAlone calls f for every run of a comparison in which each arm runs alone, but those that an earlier
// part of the invocation has made. The arms of one repetition run beside each other, A B B A: whatever
// drifts on the machine meets all of them.
func (d *driver) eachAlone(s *Scenario, f func(head result.Run) error) error {
	for repetition := range s.size.repetitions {
		for _, arm := range inTurn(s.arms(d.opt), repetition) {
			head := result.Run{
				Scenario: s.Name, Arm: arm, Repetition: repetition + 1, Seed: d.opt.Seed + uint64(repetition),
				Parameter: s.parameter, Workload: s.size.result(),
			}
			if d.has(head, arm) {
				continue
			}
			if err := f(head); err != nil {
				return err
			}
		}
	}
	return nil
}

// controlEvery is how many repetitions take the same control run off their cost. One for all would be an
// offset that every pair of runs shares and no interval shows; one each would take a reference run longer
// than its two hours.
const controlEvery = 3

// controlRuns is how many controls that many repetitions take.
func controlRuns(repetitions int) int { return (repetitions + controlEvery - 1) / controlEvery }

// A controlTurn says before which runs a control is due.
type controlTurn struct{ taken int }

func (c *controlTurn) due(repetition int) bool {
	turn := controlRuns(repetition)
	due := turn > c.taken
	c.taken = max(c.taken, turn)
	return due
}

// untilNotVoid executes a run. One that is void because the machine was too slow is tried once more, and
// the run says so: an arm that is void more often must be seen.
func (d *driver) untilNotVoid(ctx context.Context, once func(ctx context.Context) (*execution, error)) (*execution, error) {
	x, err := once(ctx)
	if err != nil || x.run.Void == "" {
		return x, err
	}
	void := x.run.Void
	d.progress.say("void (" + void + "), once more")
	if x, err = once(ctx); err == nil {
		x.run.Attempts = 2
		x.run.Notes = append(x.run.Notes, "the second attempt: the first was void, "+void)
	}
	return x, err
}
