package bench

import (
	"time"

	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
	"lambdakappa/datagen"
)

// A size is one scenario's workload and how often it is repeated. Where a figure is compared, all
// arms get the same.
type size struct {
	cars        int
	rate        float64       // events/s of event time
	duration    time.Duration // of event time
	speedup     float64       // of sending against event time; 0 is as fast as the log takes it
	interval    time.Duration // between batch runs
	repetitions int
	disturb     datagen.Disturbances

	//bench:change field
	schemaFrom time.Duration // when cars begin to write the second schema; 0 is never
}

func sized(w scenarios.Workload) size {
	return size{
		cars: w.Cars, rate: w.Rate, duration: w.Duration, speedup: w.Speedup,
		interval: w.BatchInterval, repetitions: w.Repetitions, disturb: w.Disturbances(),
		schemaFrom: w.SchemaFrom, //bench:change field
	}
}

// override applies what was asked for on the command line.
func (s size) override(o Options) size {
	if s.rate == 0 {
		return s // a procedure that sends nothing
	}
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

// result is the size as a summary has it.
func (s size) result() *result.Workload {
	return &result.Workload{
		Cars: s.cars, Rate: s.rate, DurationSeconds: s.duration.Seconds(),
		BatchIntervalSeconds: s.interval.Seconds(),
	}
}

// workload returns the size's workload for one seed. Its event time begins at the same moment in every
// run, whenever that is sent: begun in the midst of a window, it would have more of them.
func (s size) workload(seed uint64) workload {
	return workload{
		spec: datagen.Spec{
			Seed: seed, Cars: s.cars, Rate: s.rate, Duration: s.duration, Start: datagen.DefaultStart(),
			Disturbances: s.disturb,
			SchemaFrom:   s.schemaFrom, //bench:change field
		},
		speedup: s.speedup,
	}
}
