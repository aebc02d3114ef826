package scenarios

import (
	"time"

	"lambdakappa/datagen"
)

// A Workload is how much a scenario does. A zero field of a profile's workload leaves the scenario's
// own as it is.
type Workload struct {
	Cars          int           `yaml:"cars"`
	Rate          float64       `yaml:"rate"`           // events/s of event time
	Duration      time.Duration `yaml:"duration"`       // of event time
	Speedup       float64       `yaml:"speedup"`        // of sending against event time; 0 is as fast as the log takes it
	BatchInterval time.Duration `yaml:"batch_interval"` // between the starts of two batch runs
	Repetitions   int           `yaml:"repetitions"`
	Disturb       string        `yaml:"disturb"` // as datagen --disturb takes it

	//bench:change field
	SchemaFrom time.Duration `yaml:"schema_from"` // of event time, when cars begin to write the second schema
}

func (w Workload) with(o Workload) Workload {
	override(&w.Cars, o.Cars)
	override(&w.Rate, o.Rate)
	override(&w.Duration, o.Duration)
	override(&w.Speedup, o.Speedup)
	override(&w.BatchInterval, o.BatchInterval)
	override(&w.Repetitions, o.Repetitions)
	override(&w.Disturb, o.Disturb)
	override(&w.SchemaFrom, o.SchemaFrom) //bench:change field
	return w
}

func override[T comparable](field *T, value T) {
	var zero T
	if value != zero {
		*field = value
	}
}

// Disturbances are what Disturb says. Validation has read it before.
func (w Workload) Disturbances() datagen.Disturbances {
	d, _ := datagen.ParseDisturbances(w.Disturb)
	return d
}

// Spec is the workload as the generator takes it.
func (w Workload) Spec(seed uint64, start time.Time) datagen.Spec {
	return datagen.Spec{
		Seed: seed, Cars: w.Cars, Rate: w.Rate, Duration: w.Duration, Start: start,
		Disturbances: w.Disturbances(),
		SchemaFrom:   w.SchemaFrom, //bench:change field
	}
}

// validate checks a workload as it would run; an empty one belongs to a procedure that sends nothing.
func (w Workload) validate() *flaw {
	if w == (Workload{}) {
		return nil
	}
	if _, err := datagen.ParseDisturbances(w.Disturb); err != nil {
		return problem("disturb", "%s", err)
	}
	if w.Repetitions < 1 {
		return problem("repetitions", "%d: must be at least 1", w.Repetitions)
	}
	if w.Speedup < 0 {
		return problem("speedup", "%v: must not be negative", w.Speedup)
	}
	if w.BatchInterval < 0 {
		return problem("batch_interval", "%s: must not be negative", w.BatchInterval)
	}
	if err := w.Spec(1, datagen.DefaultStart()).Validate(); err != nil {
		return problem(fieldOf(err), "%s", err)
	}
	return nil
}
