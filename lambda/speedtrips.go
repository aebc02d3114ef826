//bench:change view
package lambda

import (
	"math"
	"slices"
	"strings"

	"lambdakappa/event"
	"lambdakappa/view"
)

// speedTrips is what the speed layer remembers of one partition for the trips in one generation:
// apart from the windows, for they call other events late. The trips in it are made of readings from
// the boundary on alone: what the batch view has of the same trip is merged when it is served.
//
// Invariant: every window in it is one that the trips have not forgotten under the watermark, so
// forgetting is exact. Every trip in it may still be touched, or could be up to a window's length
// ago: letting go of it later than one could changes nothing.
type speedTrips struct {
	rules   event.Rules
	cars    map[string]*speedTripCar
	oldest  int64          // no window of seen readings, and no trip's horizon, starts before it
	changed []*speedTrip   // changed since the last flush, also those that have closed meanwhile
	gone    []view.TripKey // rows that were written and are no rows any more

	handed       map[string]handedCar // nil once the trips have forgotten all their windows
	newestHanded int64                // no window of theirs starts after it
}

// A speedTripCar is one car that the trips remember something of.
type speedTripCar struct {
	id     string
	trips  []*speedTrip // ascending starts; two of them are more than the gap apart
	seen   []seenWindow // a handful, in no order
	handed handedCar    // the batch view has them; those of forgotten windows do not count

	lastSeq int64 // no reading in seen or handed has a greater seq
}

// A speedTrip is one trip that is not over, as far as anybody can tell.
type speedTrip struct {
	view.Stretch
	car     *speedTripCar
	changed bool // it is in speedTrips.changed
	written bool // there is a row of it under its start
	gone    bool // another one has swallowed it
}

// A seenWindow is the readings of one window that are not late for the trips, standing or not.
type seenWindow struct {
	start int64
	seqs  seqSet
}

// newSpeedTrips is the state at the boundary.
func newSpeedTrips(h handover) *speedTrips {
	return &speedTrips{
		rules: h.rules, cars: map[string]*speedTripCar{}, oldest: h.oldest,
		handed: h.cars, newestHanded: h.newest,
	}
}

// acceptForTrips is what judge is for the windows, by the same order of tests: late, duplicate,
// apply. It returns what the event is late for.
func (g *generation) acceptForTrips(e *event.CarSensor) view.Set {
	if g.rules.TripLate(e.EventTime, g.Watermark) {
		g.Counters.DroppedLateTrips++
		return view.Trips
	}
	c := g.trips.car(e.CarID)
	if !g.cfg.Mistakes.CountRepeats && g.trips.hasSeen(c, e.Seq, g.Watermark) {
		return 0 // a copy or a conflict: the lowest offset has won
	}
	g.trips.remember(c, g.rules.WindowStart(e.EventTime), e.Seq)
	if e.Speed > 0 { // a car that stands is on no trip
		g.trips.drive(c, driven(e))
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
//bench:change view reading
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

// car returns the car with that id, which may be new.
func (s *speedTrips) car(id string) *speedTripCar {
	c := s.cars[id]
	if c == nil {
		id = strings.Clone(id) // the decoder's strings share memory with many others
		handed := s.handed[id]
		c = &speedTripCar{id: id, handed: handed, lastSeq: handed.lastSeq()}
		s.cars[id] = c
	}
	return c
}

// hasSeen reports whether the reading with that seq was seen, here or by the batch view, in a window
// that the trips have not forgotten.
func (s *speedTrips) hasSeen(c *speedTripCar, seq int64, w event.Watermark) bool {
	if seq > c.lastSeq {
		return false // the usual case: a source counts upwards
	}
	for i := range c.seen {
		if c.seen[i].seqs.has(seq) {
			return true
		}
	}
	start, _, ok := c.handed.find(seq)
	return ok && !s.rules.TripForgotten(start, w)
}

// remember notes that a reading of the window that starts at start was seen.
func (s *speedTrips) remember(c *speedTripCar, start, seq int64) {
	c.lastSeq = max(c.lastSeq, seq)
	for i := len(c.seen) - 1; i >= 0; i-- { // the newest is the likeliest
		if c.seen[i].start == start {
			c.seen[i].seqs.add(seq)
			return
		}
	}
	s.oldest = min(s.oldest, start)
	c.seen = append(c.seen, seenWindow{start: start, seqs: seqSet{{seq, seq}}})
}

// near returns the trips [from, to) of the car that a reading at t belongs to: none, one, or two
// that it bridges. The reading is mostly the newest, so it looks from the end.
//
//bench:change view interval
func (s *speedTrips) near(c *speedTripCar, t int64) (from, to int) {
	to = len(c.trips)
	for to > 0 && c.trips[to-1].Start > t+s.rules.TripGap {
		to--
	}
	from = to
	for from > 0 && c.trips[from-1].End >= t-s.rules.TripGap {
		from--
	}
	return from, to
}

// drive adds a reading to the car's trips. It makes a trip, prolongs one, or makes one of two: the
// one that is left has the smaller start, and the other's row is gone. So is a row whose trip turns
// out to have begun earlier.
//
//bench:change view interval
func (s *speedTrips) drive(c *speedTripCar, one view.Stretch) {
	from, to := s.near(c, one.Start)
	if from == to {
		c.trips = slices.Insert(c.trips, from, &speedTrip{Stretch: view.EmptyStretch(), car: c})
		to++
	}
	t := c.trips[from]
	for _, other := range c.trips[from+1 : to] {
		t.Merge(&other.Stretch)
		other.gone = true
		s.dropRow(other)
	}
	c.trips = slices.Delete(c.trips, from+1, to)
	if one.Start < t.Start {
		s.dropRow(t)
	}
	t.Merge(&one)
	s.oldest = min(s.oldest, s.horizon(t.End))
	if !t.changed {
		t.changed = true
		s.changed = append(s.changed, t)
	}
}

// dropRow notes that the row under the trip's start, if there is one, is no row any more.
func (s *speedTrips) dropRow(t *speedTrip) {
	if t.written {
		s.gone = append(s.gone, view.TripKey{CarID: t.car.id, Start: t.Start})
		t.written = false
	}
}

// flushed forgets what has changed: it is in the speed view.
func (s *speedTrips) flushed() {
	for _, t := range s.changed {
		t.changed, t.written = false, true
	}
	clear(s.changed) // those that are closed are nobody's any more
	s.changed, s.gone = s.changed[:0], s.gone[:0]
}

// horizon returns the start of the window with which a trip is let go of: once the trips have
// forgotten that window, the trip is closed. So trips leave the state with the windows, a few times
// a minute, and not each at a moment of its own.
func (s *speedTrips) horizon(end int64) int64 { return s.rules.WindowStart(end + s.rules.TripGap) }

// advance lets go of what the watermark has passed. Windows are aligned, so it visits every car once
// per window length, not once per event.
//
//bench:change view forget
func (s *speedTrips) advance(w event.Watermark) {
	if !s.rules.TripForgotten(s.oldest, w) {
		return
	}
	s.oldest = noWindow
	if s.rules.TripForgotten(s.newestHanded, w) {
		s.handed = nil
	} else if s.handed != nil {
		s.oldest = s.newestHanded // to look again then
	}
	for id, c := range s.cars {
		if s.handed == nil {
			c.handed = handedCar{}
		}
		c.seen = slices.DeleteFunc(c.seen, func(seen seenWindow) bool {
			return s.rules.TripForgotten(seen.start, w)
		})
		c.trips = slices.DeleteFunc(c.trips, func(t *speedTrip) bool {
			return s.rules.TripForgotten(s.horizon(t.End), w)
		})
		for _, seen := range c.seen {
			s.oldest = min(s.oldest, seen.start)
		}
		for _, t := range c.trips {
			s.oldest = min(s.oldest, s.horizon(t.End))
		}
		if len(c.seen) == 0 && len(c.trips) == 0 {
			delete(s.cars, id)
		}
	}
}
