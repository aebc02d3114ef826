package datagen

import (
	"fmt"
	"strings"
	"time"
)

// A Workload is a spec with a name.
type Workload struct {
	Name  string
	About string
	Spec  Spec
}

// DefaultStart is the event time at which the named workloads begin, aligned to every window
// length that divides a day.
func DefaultStart() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// Workloads returns the named workloads. All have seed 1 and start at [DefaultStart].
func Workloads() []Workload {
	named := func(name, about string, cars int, rate float64, d time.Duration, w Disturbances) Workload {
		return Workload{name, about, Spec{
			Seed: 1, Cars: cars, Rate: rate, Duration: d, Start: DefaultStart(), Disturbances: w,
		}}
	}
	return []Workload{
		named("clean", "1,000 cars at 1 Hz, in order, nothing lost or doubled",
			1_000, 1_000, 2*time.Minute, Disturbances{}),
		named("disturbed", "everything that goes wrong at once, at the rates of a bad day",
			1_000, 1_000, 3*time.Minute, BadDay()),
		named("freshness", "10,000 cars, 20,000 events/s: the steady load of the latency figures",
			10_000, 20_000, time.Minute, Disturbances{}),
		named("history", "10,000 cars at 1 Hz, 5 million events to reprocess",
			10_000, 10_000, 500*time.Second, Disturbances{}),
		named("silence", "a tenth of the cars go silent and upload an hour at once",
			200, 200, 2*time.Hour, Disturbances{Silent: 0.1, SilentFor: time.Hour}),
		named("bursts", "ten times the rate for 5 s of every 30 s",
			1_000, 1_000, 2*time.Minute,
			Disturbances{BurstFactor: 10, BurstEvery: 30 * time.Second, BurstLength: 5 * time.Second}),
		named("waehner-100k", "100,000 cars, one reading per 10 s: the load of the published demo",
			100_000, 10_000, 5*time.Minute, Disturbances{}),
	}
}

// BadDay is 5 % out-of-order, 2 % duplicates, 1 % late in every band, 0.1 % malformed, 0.1 % clocks
// in the future and 0.05 % conflicts.
func BadDay() Disturbances {
	return Disturbances{
		OutOfOrder: 0.05, Late: 0.01, Duplicates: 0.02,
		Malformed: 0.001, Skew: 0.001, Conflicts: 0.0005,
	}
}

// WorkloadNamed returns the workload of that name, or an error that names those that there are.
func WorkloadNamed(name string) (Workload, error) {
	var names []string
	for _, w := range Workloads() {
		if w.Name == name {
			return w, nil
		}
		names = append(names, w.Name)
	}
	return Workload{}, fmt.Errorf("workload %q: is none of %s", name, strings.Join(names, ", "))
}
