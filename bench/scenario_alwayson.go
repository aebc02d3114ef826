package bench

import "context"

const alwaysOnName = "always-on"

func alwaysOnScenario() *Scenario {
	return &Scenario{
		Name:     alwaysOnName,
		Sentence: "a steady rate with a history that grows, each arm alone and unasked: what a million events cost all the time",
		run: func(ctx context.Context, d *driver) error {
			return d.compareSteady(ctx, "always-on", d.sizes.alwaysOn.override(d.opt), false)
		},
		seconds: func(o Options) float64 {
			all, _ := sizesOf(o.Profile)
			return steadySeconds(o, all.alwaysOn.override(o), all.alwaysOn.duration != all.freshness.duration)
		},
	}
}
