package oracle

import (
	"math"

	"lambdakappa/event"
	"lambdakappa/view"
)

// judgeForTrips judges an event for the trips, by the same order of tests and apart from what the
// windows made of it: it may be late for the one view and count in the other. Copies are no news to
// the counters, which are those of the windows.
func (f *Fold) judgeForTrips(p *partition, c *car, e Entry) {
	if e.Offset >= p.boundary {
		c.tripsSeen.forget(f.cfg.tripsForget, p.watermark)
		if f.cfg.tripsPass(e.Event.EventTime) <= p.watermark {
			f.counters.DroppedLateTrips++
			f.lateTrips[Position{e.Partition, e.Offset}] = true
			return
		}
	}
	if _, seen := c.tripsSeen.fingerprints[e.Event.Seq]; seen {
		return
	}
	start := f.cfg.windowStart(e.Event.EventTime)
	c.tripsSeen.remember(e.Event.Seq, start, e.Fingerprint, f.cfg.tripsForget(start))
	if e.Event.Speed > 0 { // a car that stands is on no trip, however often it says so
		c.drive(e.Event, f.cfg.TripGapMs)
	}
}

// drive adds a reading to the trip that it belongs to; it may be the one that two of them lacked.
func (c *car) drive(e *event.CarSensor, gap int64) {
	trip := view.Stretch{Start: e.EventTime, End: e.EventTime, Readings: 1, SpeedSum: units(e.Speed)}
	if harsh(e) {
		trip.HarshBrakes = 1
	}
	apart := c.trips[:0]
	for _, other := range c.trips {
		if other.End < e.EventTime-gap || other.Start > e.EventTime+gap {
			apart = append(apart, other)
			continue
		}
		trip.Start, trip.End = min(trip.Start, other.Start), max(trip.End, other.End)
		trip.Readings += other.Readings
		trip.SpeedSum += other.SpeedSum
		trip.HarshBrakes += other.HarshBrakes
	}
	c.trips = append(apart, trip)
}

// harsh reports whether both front wheels feel more than 2.5 m/s²: braking throws the weight
// forward.
func harsh(e *event.CarSensor) bool {
	left, right := math.Abs(float64(e.Accelerometer11)), math.Abs(float64(e.Accelerometer12))
	return left > 2.5 && right > 2.5
}

// tripRows are the rows of a car.
func (c *car) tripRows(rows []view.Trip, id string, interval int64) []view.Trip {
	for _, trip := range c.trips {
		metres := math.Ldexp(float64(trip.SpeedSum), -24) * float64(interval) / 1000
		rows = append(rows, view.Trip{CarID: id, Stretch: trip, Distance: metres})
	}
	return rows
}
