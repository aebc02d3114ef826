package kappa

import (
	"math"
	"strings"

	"lambdakappa/event"
	"lambdakappa/view"
)

// progress says how far one partition has been processed and what was counted on the way. It is
// the last record of every flush and, with the position to restore from, the metadata of the
// commit: these facts belong to one input offset and must never be mixed with another's.
type progress struct {
	Position  int64           `json:"position"` // exclusive: offsets below it are processed
	Watermark event.Watermark `json:"watermark"`
	Counters  view.Counters   `json:"counters"`
	Newest    int64           `json:"newest"`            // greatest append time of an event, Unix ms; 0 when none
	Mistake   string          `json:"mistake,omitempty"` // that was made on purpose, see [Mistakes]

	// KeptFrom is the event time, Unix ms, from which on the changelog has the rows; 0 is all of them. It never goes
	// back: what was trimmed is gone, whatever retention the next processor has.
	KeptFrom int64 `json:"kept_from,omitempty"`

	//bench:change view
	ReadingInterval int64 `json:"reading_interval_ms,omitempty"` // of the rules that the trips go by; 0 without trips
}

// state is what the processor remembers of one partition: a pure function of the log from where
// the processor started up to the position. It is not safe for concurrent use.
//
// Invariant: every window in it is open under the watermark. So memory is bounded by open windows,
// and forgetting is exact: a reading counts as seen while its window is here.
type state struct {
	rules event.Rules
	progress
	cars    map[string]*car
	oldest  int64     // no open window starts before it
	changed []*window // changed since the last flush, also those that have closed meanwhile
	spare   []*window // closed and flushed: kept for their memory

	//bench:change view
	trips *tripState // nil when they are not kept
}

// noWindow is the start of the oldest window when there is none: beyond every event time, and far
// enough from overflow to have a window's length added.
const noWindow = math.MaxInt64 / 2

// car is one car with at least one open window.
type car struct {
	id      string
	open    []*window // a handful, in no order
	lastSeq int64     // no reading in open has a greater seq
}

// window is one open window of one car.
//
// Invariant: tally is the fold of seen, so len(seen) == tally.Readings.
type window struct {
	car     *car
	start   int64
	tally   view.Tally
	seen    []reading // in the order in which they were applied: ascending offsets
	changed bool      // it is in state.changed
	closed  bool      // it has left its car
}

// reading is one applied event, as far as de-duplication has to know it.
type reading struct {
	seq         int64
	offset      int64  // of the input log
	fingerprint uint32 // event.Fingerprint of its value
}

func newState(rules event.Rules, views view.Set) *state {
	s := &state{
		rules:    rules,
		progress: progress{Watermark: event.NoWatermark},
		cars:     map[string]*car{},
		oldest:   noWindow,
	}
	if views.Has(view.Trips) { //bench:change view
		s.trips = newTripState(rules)
	}
	return s
}

// car returns the car with that id, which may be new.
func (s *state) car(id string) *car {
	c := s.cars[id]
	if c == nil {
		id = strings.Clone(id) // the decoder's strings share memory with many others
		c = &car{id: id, lastSeq: -1}
		s.cars[id] = c
	}
	return c
}

// seen returns the reading with that seq which was applied at offset or before, or nil.
//
// Readings of greater offsets are there after a restore: the changelog was ahead of the commit,
// and what it knows of the future must not decide over the event that is read again now.
func (c *car) seen(seq, offset int64) *reading {
	if seq > c.lastSeq {
		return nil // the usual case: a source counts upwards
	}
	for _, w := range c.open {
		if seq > w.tally.LastSeq {
			continue
		}
		for i := range w.seen {
			if r := &w.seen[i]; r.seq == seq && r.offset <= offset {
				return r
			}
		}
	}
	return nil
}

// window returns the car's open window that starts at start, which may be new.
func (s *state) window(c *car, start int64) *window {
	for i := len(c.open) - 1; i >= 0; i-- { // the newest is the likeliest
		if c.open[i].start == start {
			return c.open[i]
		}
	}
	s.oldest = min(s.oldest, start)
	w := s.emptyWindow()
	w.car, w.start = c, start
	c.open = append(c.open, w)
	return w
}

// emptyWindow takes a spare window, or makes one.
func (s *state) emptyWindow() *window {
	last := len(s.spare) - 1
	if last < 0 {
		return &window{tally: view.EmptyTally()}
	}
	w := s.spare[last]
	s.spare = s.spare[:last]
	*w = window{tally: view.EmptyTally(), seen: w.seen[:0]}
	return w
}

// remember notes that a reading has been folded into w.
func (s *state) remember(w *window, r reading) {
	w.seen = append(w.seen, r)
	w.car.lastSeq = max(w.car.lastSeq, r.seq)
	if !w.changed {
		w.changed = true
		s.changed = append(s.changed, w)
	}
}

// rowsChanged is how many rows wait for a flush.
func (s *state) rowsChanged() int {
	n := len(s.changed)
	if s.trips != nil { //bench:change view
		n += len(s.trips.changed) + len(s.trips.gone) + len(s.trips.marked)
	}
	return n
}

// flushed forgets what has changed: the rows are in the changelog, because they were written now or
// because they were there already.
func (s *state) flushed(written bool) {
	for _, w := range s.changed {
		w.changed = false
		if w.closed {
			s.spare = append(s.spare, w)
		}
	}
	s.changed = s.changed[:0]
	if s.trips != nil { //bench:change view
		s.trips.flushed(written)
	}
}

// advance moves the watermark on after an event at time t and closes what it passes.
func (s *state) advance(t int64) {
	s.Watermark = s.rules.Advance(s.Watermark, t)
	if s.rules.Closed(s.oldest, s.Watermark) {
		s.close()
	}
	if s.trips != nil { //bench:change view
		s.trips.advance(s.Watermark)
	}
}

// close takes the windows that the watermark has passed out of the state. Windows are aligned, so
// it visits every car once per window length, not once per event.
func (s *state) close() {
	s.oldest = noWindow
	for id, c := range s.cars {
		open := c.open[:0]
		for _, w := range c.open {
			if s.rules.Closed(w.start, s.Watermark) {
				s.drop(w)
				continue
			}
			open = append(open, w)
			s.oldest = min(s.oldest, w.start)
		}
		clear(c.open[len(open):])
		if c.open = open; len(open) == 0 {
			delete(s.cars, id)
		}
	}
}

// drop takes one window out of use; one with unwritten changes still has its flush to come.
func (s *state) drop(w *window) {
	w.closed = true
	if !w.changed {
		s.spare = append(s.spare, w)
	}
}
