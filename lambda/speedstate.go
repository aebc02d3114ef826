package lambda

import (
	"math"
	"strings"

	"lambdakappa/event"
	"lambdakappa/view"
)

// progress says how far one partition has been processed by one generation of the speed layer,
// and what it counted from its boundary on. It is the last record of every flush.
type progress struct {
	Build     int64           `json:"build"`    // offset of its begin record, see speedview.go
	Position  int64           `json:"position"` // exclusive: offsets below it are processed
	Watermark event.Watermark `json:"watermark"`
	Counters  view.Counters   `json:"counters"`
	Newest    int64           `json:"newest"`            // greatest append time of an event, Unix ms; 0 when none
	Version   string          `json:"version,omitempty"` // of the logic, where it is not the batch view's
	Mistake   string          `json:"mistake,omitempty"` // that was made on purpose, see [Mistakes]
	//bench:change view
	ReadingInterval int64 `json:"reading_interval_ms,omitempty"` // of the rules that the trips go by; 0 without trips
}

// speedState is what the speed layer remembers of one partition in one generation: a pure function
// of the hand-over and of the log from the boundary up to the position. It is not safe for
// concurrent use.
//
// Invariant: every window in it is open under the watermark. So memory is bounded by open windows.
type speedState struct {
	rules event.Rules
	progress
	cars    map[string]*speedCar
	oldest  int64          // no open window starts before it, handed ones included
	changed []*speedWindow // changed since the last flush, also those that have closed meanwhile
	spare   []*speedWindow // closed and flushed: kept for their memory

	handed       map[string]handedCar // nil once all their windows are closed
	newestHanded int64                // no window of theirs starts after it

	//bench:change view keep
	trips *speedTrips // nil when they are not kept
}

// noWindow is the start of the oldest window when there is none: beyond every event time, and far
// enough from overflow to have a window's length added.
const noWindow = math.MaxInt64 / 2

// A speedCar is one car with at least one open window.
type speedCar struct {
	id      string
	open    []*speedWindow // a handful, in no order
	handed  handedCar      // the batch view has them; those of closed windows do not count
	lastSeq int64          // no reading in open or handed has a greater seq
}

// A speedWindow is one open window of one car, without the readings that the batch view has.
//
// Invariant: tally is the fold of seen, so len(seen) == tally.Readings.
type speedWindow struct {
	car     *speedCar
	start   int64
	tally   view.Tally
	seen    []reading
	seqs    seqSet // of seen
	changed bool   // it is in speedState.changed
	closed  bool   // it has left its car
}

// A reading is one applied event, as far as de-duplication has to know it.
type reading struct {
	seq         int64
	fingerprint uint32 // event.Fingerprint of its value
}

// newSpeedState is the state at the boundary.
func newSpeedState(h handover) *speedState {
	s := &speedState{
		rules:    h.rules,
		progress: progress{Position: h.boundary, Watermark: h.watermark},
		cars:     map[string]*speedCar{},
		oldest:   h.oldest,
		handed:   h.cars, newestHanded: h.newest,
	}
	if h.views.Has(view.Trips) { //bench:change view keep
		s.trips = newSpeedTrips(h)
		s.ReadingInterval = h.rules.ReadingInterval
	}
	return s
}

// car returns the car with that id, which may be new.
func (s *speedState) car(id string) *speedCar {
	c := s.cars[id]
	if c == nil {
		id = strings.Clone(id) // the decoder's strings share memory with many others
		handed := s.handed[id]
		c = &speedCar{id: id, handed: handed, lastSeq: handed.lastSeq()}
		s.cars[id] = c
	}
	return c
}

// seen returns the fingerprint of the reading with that seq in an open window, false when there is
// none.
func (s *speedState) seen(c *speedCar, seq int64) (fingerprint uint32, ok bool) {
	if seq > c.lastSeq {
		return 0, false // the usual case: a source counts upwards
	}
	for _, w := range c.open {
		if seq > w.tally.LastSeq {
			continue
		}
		for i := range w.seen {
			if w.seen[i].seq == seq {
				return w.seen[i].fingerprint, true
			}
		}
	}
	start, fingerprint, ok := c.handed.find(seq)
	return fingerprint, ok && !s.rules.Closed(start, s.Watermark)
}

// window returns the car's open window that starts at start, which may be new.
func (s *speedState) window(c *speedCar, start int64) *speedWindow {
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
func (s *speedState) emptyWindow() *speedWindow {
	last := len(s.spare) - 1
	if last < 0 {
		return &speedWindow{tally: view.EmptyTally()}
	}
	w := s.spare[last]
	s.spare = s.spare[:last]
	*w = speedWindow{tally: view.EmptyTally(), seen: w.seen[:0], seqs: w.seqs[:0]}
	return w
}

// remember notes that a reading has been folded into w.
func (s *speedState) remember(w *speedWindow, r reading) {
	w.seen = append(w.seen, r)
	w.seqs.add(r.seq)
	w.car.lastSeq = max(w.car.lastSeq, r.seq)
	if !w.changed {
		w.changed = true
		s.changed = append(s.changed, w)
	}
}

// rowsChanged is how many rows wait for a flush.
func (s *speedState) rowsChanged() int {
	n := len(s.changed)
	if s.trips != nil { //bench:change view
		n += len(s.trips.changed) + len(s.trips.gone)
	}
	return n
}

// flushed forgets what has changed: the rows are in the speed view.
func (s *speedState) flushed() {
	for _, w := range s.changed {
		w.changed = false
		if w.closed {
			s.spare = append(s.spare, w)
		}
	}
	s.changed = s.changed[:0]
	if s.trips != nil { //bench:change view
		s.trips.flushed()
	}
}

// advance moves the watermark on after an event at time t and closes what it passes.
func (s *speedState) advance(t int64) {
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
func (s *speedState) close() {
	s.oldest = noWindow
	s.closeHanded()
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
		if s.handed == nil {
			c.handed = handedCar{}
		}
		if c.open = open; len(open) == 0 {
			delete(s.cars, id)
		}
	}
}

// closeHanded lets go of what was handed over when the last of its windows has closed.
func (s *speedState) closeHanded() {
	if s.rules.Closed(s.newestHanded, s.Watermark) {
		s.handed = nil
	} else if s.handed != nil {
		s.oldest = s.newestHanded // to look again then
	}
}

// drop takes one window out of use; one with unwritten changes still has its flush to come.
func (s *speedState) drop(w *speedWindow) {
	w.closed = true
	if !w.changed {
		s.spare = append(s.spare, w)
	}
}
