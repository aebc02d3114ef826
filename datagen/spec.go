package datagen

import (
	"fmt"
	"strconv"
	"time"

	"lambdakappa/event"
)

// A Spec is a workload: a fleet of cars that send readings for a while.
type Spec struct {
	Seed     uint64
	FirstCar int // number of the first car: fleets that share a log need names of their own
	Cars     int
	Rate     float64       // readings per second over the whole fleet; a car's period is Cars/Rate seconds
	Duration time.Duration // of event time; disturbances may send later than that
	Start    time.Time     // event time of the first reading

	// SchemaFrom is when cars get a thermometer, from the start on: readings that are measured from then
	// on know the temperature outside, and so are written in the second version of the schema. 0 is
	// never.
	//
	//bench:change field
	SchemaFrom time.Duration

	Disturbances
}

// The limits of a Spec: what fits CarID, the integer arithmetic of the model and its milliseconds.
const (
	maxCars     = 10_000_000
	maxRate     = 10_000_000
	maxDuration = 100 * 24 * time.Hour
)

// Validate returns an error that names the first field that cannot work.
func (s Spec) Validate() error {
	switch {
	case s.FirstCar < 0 || s.FirstCar > maxCars:
		return fmt.Errorf("first-car %d: must be between 0 and %d", s.FirstCar, maxCars)
	case s.Cars < 1 || s.Cars > maxCars:
		return fmt.Errorf("cars %d: must be between 1 and %d", s.Cars, maxCars)
	case !(s.Rate > 0 && s.Rate <= maxRate):
		return fmt.Errorf("rate %v: must be above 0 and at most %d readings a second", s.Rate, maxRate)
	case s.Duration <= 0 || s.Duration > maxDuration:
		return fmt.Errorf("duration %s: must be above 0 and at most %s", s.Duration, maxDuration)
	case s.SchemaFrom < 0: //bench:change field
		return fmt.Errorf("schema-from %s: must not be negative", s.SchemaFrom)
	case s.Start.Year() < 1970 || s.Start.Year() > 2200:
		return fmt.Errorf("start %s: must be between the years 1970 and 2200", s.Start)
	}
	if err := s.Disturbances.validate(); err != nil {
		return err
	}
	// Two readings of a car in one millisecond would have one event time.
	if period := float64(s.Cars) / s.Rate / max(s.BurstFactor, 1); period < 0.001 {
		return fmt.Errorf("rate %v: %d cars would each send more than once a millisecond", s.Rate, s.Cars)
	}
	return nil
}

// Events returns the number of readings, each counted once: without duplicates, conflicts and
// malformed events.
func (s Spec) Events() int64 { return s.schedule().count(s.Duration) }

// Intended returns when a reading is meant to be sent, Unix ns, if it is not disturbed. Its event
// time is the millisecond that this lies in.
func (s Spec) Intended(car int, seq int64) int64 {
	return s.schedule().at(seq*int64(s.Cars) + int64(car))
}

// Reading returns one reading of the car of that index in the fleet, as the car measured it, and what is truly wrong with the car,
// without generating any other car.
func (s Spec) Reading(car int, seq int64) (event.CarSensor, Labels) {
	e := event.CarSensor{CarID: CarID(s.FirstCar + car), Seq: seq, EventTime: s.Intended(car, seq) / 1e6}
	c := newCar(s.Seed, car)
	labels := s.measure(&c, e.EventTime-s.Start.UnixMilli(), &e)
	return e, labels
}

// measure fills the sensor fields of e with what the car measures ms after the start, as far as it has
// the sensors.
func (s Spec) measure(c *car, ms int64, e *event.CarSensor) Labels {
	labels := c.read(ms, e)
	if s.SchemaFrom == 0 || ms < s.SchemaFrom.Milliseconds() { //bench:change field
		e.AmbientTemp = 0
	}
	return labels
}

// CarID returns the name of car i: car-00042.
func CarID(i int) string { return string(appendCarID(nil, i)) }

func appendCarID(dst []byte, i int) []byte {
	dst = append(dst, "car-"...)
	for width := 10_000; width > 1 && i < width; width /= 10 {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, int64(i), 10)
}
