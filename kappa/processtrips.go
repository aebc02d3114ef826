//bench:change view
package kappa

import (
	"math"

	"lambdakappa/event"
	"lambdakappa/view"
)

// acceptForTrips is accept for the trips, by the same order of tests. It returns what the event is
// late for.
func (t *task) acceptForTrips(e *event.CarSensor, offset int64, fingerprint uint32) view.Set {
	if t.rules.TripLate(e.EventTime, t.Watermark) {
		t.Counters.DroppedLateTrips++
		return view.Trips
	}
	c := t.trips.car(e.CarID)
	if c.find(e.Seq, offset) != nil && !t.cfg.Mistakes.CountRepeats {
		return 0 // a copy or a conflict; or this very event, whose trip was written before it
	}
	w := t.trips.window(c, t.rules.WindowStart(e.EventTime))
	t.trips.remember(w, reading{e.Seq, offset, fingerprint})
	if e.Speed > 0 { // a car that stands is on no trip
		t.trips.drive(c, driven(e), offset)
	}
	return 0
}

// harshBrake is in m/s²: both front wheels feel more than it. Braking throws the weight forward; one
// corner alone is a shock absorber, and all four are the road. A generated car exceeds it only when
// it brakes from more than 100 km/h.
const harshBrake = 2.5

// driven is the trip of one reading.
//
//bench:logic
func driven(e *event.CarSensor) view.Stretch {
	one := view.Stretch{
		Start: e.EventTime, End: e.EventTime, Readings: 1, SpeedSum: view.Fixed(e.Speed),
	}
	if math.Abs(float64(e.Accelerometer11)) > harshBrake &&
		math.Abs(float64(e.Accelerometer12)) > harshBrake {
		one.HarshBrakes = 1
	}
	return one
}
