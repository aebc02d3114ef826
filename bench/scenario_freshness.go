package bench

import (
	"context"

	"lambdakappa/bench/result"
)

const freshnessName = "freshness"

func freshnessScenario() *Scenario {
	return &Scenario{
		Name:     freshnessName,
		Sentence: "a steady rate through several batch cycles, each arm alone and then both: how long until an event is in an answer",
		run:      runFreshness,
		seconds: func(o Options) float64 {
			all, _ := sizesOf(o.Profile)
			alone, together := all.freshness.override(o), all.together.override(o)
			return steadySeconds(o, alone, true) + float64(len(o.arms(armBoth)))*steadyRunSeconds(together)
		},
	}
}

func runFreshness(ctx context.Context, d *driver) error {
	if err := d.compareSteady(ctx, freshnessName, d.sizes.freshness.override(d.opt), true); err != nil {
		return err
	}
	together := d.sizes.together.override(d.opt)
	for range d.opt.arms(armBoth) {
		head := result.Run{Scenario: freshnessName, Arm: armBoth, Repetition: 1, Seed: d.opt.Seed}
		if err := d.steadyRun(ctx, head, together, true); err != nil {
			return err
		}
	}
	return nil
}

// compareSteady runs the control once and then the arms, each alone, A B A B: whatever drifts on
// the machine while it runs meets both.
func (d *driver) compareSteady(ctx context.Context, scenario string, s size, probed bool) error {
	arms := d.opt.arms(armLambda, armKappa)
	if _, known := d.controls[controlKey(s)]; !known && len(arms) > 0 {
		head := result.Run{Scenario: scenario, Arm: armControl, Repetition: 1, Seed: d.opt.Seed}
		if err := d.steadyRun(ctx, head, s, false); err != nil {
			return err
		}
	}
	for repetition := range s.repetitions {
		for _, arm := range arms {
			head := result.Run{
				Scenario: scenario, Arm: arm, Repetition: repetition + 1, Seed: d.opt.Seed + uint64(repetition),
			}
			if err := d.steadyRun(ctx, head, s, probed); err != nil {
				return err
			}
		}
	}
	return nil
}

// steadySeconds estimates compareSteady.
func steadySeconds(o Options, s size, control bool) float64 {
	n := len(o.arms(armLambda, armKappa)) * s.repetitions
	if control && n > 0 {
		n++
	}
	return float64(n) * steadyRunSeconds(s)
}

// steadyRunSeconds adds the start of the processes and the judging, which grows with the events.
func steadyRunSeconds(s size) float64 {
	return s.duration.Seconds() + 3 + s.rate*s.duration.Seconds()*3e-6
}
