//bench:change view
package kappa

import (
	"slices"
	"strings"

	"lambdakappa/event"
	"lambdakappa/view"
)

// tripState is what the processor remembers of one partition for the trips: apart from the windows,
// for they call other events late. Without trips there is none. Like state it is a pure function of
// the log up to the position, and not safe for concurrent use.
//
// Invariant: every window in it is one that the trips have not forgotten under the watermark, so
// forgetting is exact. Every trip in it may still be touched, or could be up to a window's length
// ago: letting go of it later than one could changes nothing.
type tripState struct {
	rules   event.Rules
	cars    map[string]*tripCar
	oldest  int64          // no window of seen readings, and no trip's horizon, starts before it
	changed []*trip        // changed since the last flush, also those that have closed meanwhile
	marked  []*tripWindow  // their readings have changed since the last flush
	gone    []view.TripKey // rows that were written and are no rows any more

	countRepeats bool // see Mistakes
}

// tripCar is one car that the trips remember something of.
type tripCar struct {
	id      string
	trips   []*trip       // ascending starts; two of them are more than the gap apart
	seen    []*tripWindow // a handful, in no order
	lastSeq int64         // no reading in seen has a greater seq
}

// trip is one trip that is not over, as far as anybody can tell.
type trip struct {
	view.Stretch
	car      *tripCar
	foldedTo int64 // offsets below it that belong to the trip are folded in
	changed  bool  // it is in tripState.changed
	written  bool  // there is a row of it under its start
	gone     bool  // another one has swallowed it
}

// tripWindow is the readings of one window of one car that are not late for the trips, standing or
// not: what de-duplication has to know.
type tripWindow struct {
	car    *tripCar
	start  int64
	seen   []reading // in the order in which they came: ascending offsets
	marked bool      // it is in tripState.marked
}

func newTripState(rules event.Rules) *tripState {
	return &tripState{rules: rules, cars: map[string]*tripCar{}, oldest: noWindow}
}

// car returns the car with that id, which may be new.
func (s *tripState) car(id string) *tripCar {
	c := s.cars[id]
	if c == nil {
		c = &tripCar{id: strings.Clone(id), lastSeq: -1}
		s.cars[c.id] = c
	}
	return c
}

// find returns the reading with that seq which was seen at offset or before, or nil; see car.seen.
func (c *tripCar) find(seq, offset int64) *reading {
	if seq > c.lastSeq {
		return nil
	}
	for _, w := range c.seen {
		for i := range w.seen {
			if r := &w.seen[i]; r.seq == seq && r.offset <= offset {
				return r
			}
		}
	}
	return nil
}

// window returns the car's readings of the window that starts at start, which may be none yet.
func (s *tripState) window(c *tripCar, start int64) *tripWindow {
	for i := len(c.seen) - 1; i >= 0; i-- { // the newest is the likeliest
		if c.seen[i].start == start {
			return c.seen[i]
		}
	}
	s.oldest = min(s.oldest, start)
	w := &tripWindow{car: c, start: start}
	c.seen = append(c.seen, w)
	return w
}

// remember notes that a reading was seen.
func (s *tripState) remember(w *tripWindow, r reading) {
	w.seen = append(w.seen, r)
	w.car.lastSeq = max(w.car.lastSeq, r.seq)
	if !w.marked {
		w.marked = true
		s.marked = append(s.marked, w)
	}
}

// near returns the trips [from, to) of the car that a reading at t belongs to: none, one, or two
// that it bridges. The reading is mostly the newest, so it looks from the end.
func (s *tripState) near(c *tripCar, t int64) (from, to int) {
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

// has reports whether the reading of that offset and time is in one of the trips. After a restore
// rows may be ahead of the position, and of a flush that a crash has cut off some rows are there and
// some are not. A trip is all readings of its time up to the offset that it covers: it says by
// itself what is in it, whatever is known of seen readings.
func has(trips []*trip, offset, t int64) bool {
	for _, other := range trips {
		if other.Start <= t && t <= other.End && offset < other.foldedTo {
			return true
		}
	}
	return false
}

// drive adds the reading of an offset to the car's trips. It makes a trip, prolongs one, or makes
// one of two: the one that is left has the smaller start, and the other's row is gone. So is a row
// whose trip turns out to have begun earlier.
func (s *tripState) drive(c *tripCar, one view.Stretch, offset int64) {
	from, to := s.near(c, one.Start)
	if !s.countRepeats && has(c.trips[from:to], offset, one.Start) {
		return
	}
	if from == to {
		t := &trip{Stretch: view.EmptyStretch(), car: c}
		c.trips = slices.Insert(c.trips, from, t)
		to++
	}
	t := c.trips[from]
	for _, other := range c.trips[from+1 : to] {
		t.Merge(&other.Stretch)
		t.foldedTo = max(t.foldedTo, other.foldedTo)
		other.gone = true
		s.dropRow(other)
	}
	c.trips = slices.Delete(c.trips, from+1, to)
	if one.Start < t.Start {
		s.dropRow(t)
	}
	t.Merge(&one)
	t.foldedTo = max(t.foldedTo, offset+1)
	s.oldest = min(s.oldest, s.horizon(t.End))
	s.change(t)
}

func (s *tripState) change(t *trip) {
	if !t.changed {
		t.changed = true
		s.changed = append(s.changed, t)
	}
}

// dropRow notes that the row under the trip's start, if there is one, is no row any more.
func (s *tripState) dropRow(t *trip) {
	if t.written {
		s.gone = append(s.gone, view.TripKey{CarID: t.car.id, Start: t.Start})
		t.written = false
	}
}

// flushed forgets what has changed: it is in the changelog. When nothing was written, because all of
// it was there already, rows of before a crash may still lack their tombstone.
func (s *tripState) flushed(written bool) {
	for _, t := range s.changed {
		t.changed, t.written = false, true
	}
	for _, w := range s.marked {
		w.marked = false
	}
	clear(s.changed) // those that are closed are nobody's any more
	clear(s.marked)
	s.changed, s.marked = s.changed[:0], s.marked[:0]
	if written {
		s.gone = s.gone[:0]
	}
}

// horizon returns the start of the window with which a trip is let go of: once the trips have
// forgotten that window, the trip is closed. So trips leave the state with the windows, a few times
// a minute, and not each at a moment of its own.
func (s *tripState) horizon(end int64) int64 { return s.rules.WindowStart(end + s.rules.TripGap) }

// advance lets go of what the watermark has passed. Windows are aligned, so it visits every car once
// per window length, not once per event.
func (s *tripState) advance(w event.Watermark) {
	if !s.rules.TripForgotten(s.oldest, w) {
		return
	}
	s.oldest = noWindow
	for id, c := range s.cars {
		c.seen = slices.DeleteFunc(c.seen, func(seen *tripWindow) bool {
			return s.rules.TripForgotten(seen.start, w)
		})
		c.trips = slices.DeleteFunc(c.trips, func(t *trip) bool {
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
