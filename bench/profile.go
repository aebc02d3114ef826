package bench

import (
	"fmt"
	"time"

	"lambdakappa/datagen"
)

// sizes are how much every scenario does. Where a figure is compared, both arms get the same.
type sizes struct {
	settled   size
	disturbed size
	freshness size
	together  size // both arms at once, of the freshness scenario
	alwaysOn  size
	replay    size
}

// A size is one scenario's workload and how often it is repeated.
type size struct {
	cars        int
	rate        float64       // events/s of event time
	duration    time.Duration // of event time
	speedup     float64       // of sending against event time; 0 is as fast as the log takes it
	interval    time.Duration // between batch runs
	repetitions int
}

// quick fits the whole benchmark into three and a half minutes on two cores. full is what the
// committed reference run uses: long enough for p99.9, and six repetitions for an interval.
func sizesOf(profile string) (sizes, error) {
	switch profile {
	case "quick":
		return sizes{
			settled:   size{cars: 1_000, rate: 1_000, duration: 120 * time.Second, speedup: 24, repetitions: 1},
			disturbed: size{cars: 400, rate: 400, duration: 6 * time.Minute, speedup: 20, repetitions: 1},
			freshness: size{cars: 10_000, rate: 20_000, duration: 16 * time.Second, speedup: 1, interval: 4 * time.Second, repetitions: 1},
			together:  size{cars: 10_000, rate: 20_000, duration: 12 * time.Second, speedup: 1, interval: 4 * time.Second, repetitions: 1},
			alwaysOn:  size{cars: 10_000, rate: 20_000, duration: 16 * time.Second, speedup: 1, interval: 3 * time.Second, repetitions: 1},
			replay:    size{cars: 10_000, rate: 10_000, duration: 500 * time.Second, interval: 10 * time.Second, repetitions: 1},
		}, nil
	case "full":
		return sizes{
			settled:   size{cars: 1_000, rate: 1_000, duration: 10 * time.Minute, speedup: 60, repetitions: 3},
			disturbed: size{cars: 400, rate: 400, duration: 10 * time.Minute, speedup: 20, repetitions: 3},
			freshness: size{cars: 10_000, rate: 20_000, duration: 60 * time.Second, speedup: 1, interval: 10 * time.Second, repetitions: 6},
			together:  size{cars: 10_000, rate: 20_000, duration: 60 * time.Second, speedup: 1, interval: 10 * time.Second, repetitions: 1},
			alwaysOn:  size{cars: 10_000, rate: 20_000, duration: 90 * time.Second, speedup: 1, interval: 10 * time.Second, repetitions: 6},
			replay:    size{cars: 10_000, rate: 10_000, duration: 500 * time.Second, interval: 10 * time.Second, repetitions: 6},
		}, nil
	default:
		return sizes{}, fmt.Errorf("profile %q: is none of quick, full", profile)
	}
}

// override applies what was asked for on the command line.
func (s size) override(o Options) size {
	if o.Cars > 0 {
		s.cars = o.Cars
	}
	if o.Rate > 0 {
		s.rate = o.Rate
	}
	if o.Duration > 0 {
		s.duration = o.Duration
	}
	if o.Repetitions > 0 {
		s.repetitions = o.Repetitions
	}
	return s
}

// workload returns the size's workload for one seed.
func (s size) workload(seed uint64, start time.Time, d datagen.Disturbances) workload {
	return workload{
		spec: datagen.Spec{
			Seed: seed, Cars: s.cars, Rate: s.rate, Duration: s.duration, Start: start, Disturbances: d,
		},
		speedup: s.speedup,
	}
}
