package lambda

import (
	"math"
	"slices"
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
	Newest    int64           `json:"newest"` // greatest append time of an event, Unix ms; 0 when none
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
	oldest  int64          // no open window starts before it
	changed []*speedWindow // changed since the last flush, also those that have closed meanwhile
}

// noWindow is the start of the oldest window when there is none: beyond every event time, and far
// enough from overflow to have a window's length added.
const noWindow = math.MaxInt64 / 2

// A speedCar is one car with at least one open window.
type speedCar struct {
	id      string
	open    []*speedWindow  // a handful, in no order
	handed  []handedReading // the batch view has them; their windows are open too
	lastSeq int64           // no reading in open or handed has a greater seq
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
		oldest:   noWindow,
	}
	cars := make([]*speedCar, len(h.cars))
	for i, id := range h.cars {
		cars[i] = s.car(id)
	}
	for _, r := range h.readings {
		c := cars[r.car]
		c.handed = append(c.handed, r)
		c.lastSeq = max(c.lastSeq, r.seq)
		s.oldest = min(s.oldest, r.windowStart)
	}
	return s
}

// car returns the car with that id, which may be new.
func (s *speedState) car(id string) *speedCar {
	c := s.cars[id]
	if c == nil {
		id = strings.Clone(id) // the decoder's strings share memory with many others
		c = &speedCar{id: id, lastSeq: -1}
		s.cars[id] = c
	}
	return c
}

// seen returns the fingerprint of the reading with that seq, false when there is none.
func (c *speedCar) seen(seq int64) (fingerprint uint32, ok bool) {
	if seq > c.lastSeq {
		return 0, false // the usual case: a source counts upwards
	}
	for _, w := range c.open {
		for i := range w.seen {
			if w.seen[i].seq == seq {
				return w.seen[i].fingerprint, true
			}
		}
	}
	for i := range c.handed {
		if c.handed[i].seq == seq {
			return c.handed[i].fingerprint, true
		}
	}
	return 0, false
}

// window returns the car's open window that starts at start, which may be new.
func (s *speedState) window(c *speedCar, start int64) *speedWindow {
	for i := len(c.open) - 1; i >= 0; i-- { // the newest is the likeliest
		if c.open[i].start == start {
			return c.open[i]
		}
	}
	s.oldest = min(s.oldest, start)
	w := &speedWindow{car: c, start: start, tally: view.EmptyTally()}
	c.open = append(c.open, w)
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

// flushed forgets which windows have changed: their rows are in the speed view.
func (s *speedState) flushed() {
	for _, w := range s.changed {
		w.changed = false
	}
	clear(s.changed) // closed windows are theirs: let them go
	s.changed = s.changed[:0]
}

// advance moves the watermark on after an event at time t and closes what it passes.
func (s *speedState) advance(t int64) {
	s.Watermark = s.rules.Advance(s.Watermark, t)
	if s.rules.Closed(s.oldest, s.Watermark) {
		s.close()
	}
}

// close takes the windows that the watermark has passed out of the state, with their readings:
// copies of those are late from now on. Windows are aligned, so it visits every car once per
// window length, not once per event.
func (s *speedState) close() {
	s.oldest = noWindow
	for id, c := range s.cars {
		c.open = slices.DeleteFunc(c.open, func(w *speedWindow) bool {
			return s.closes(w.start)
		})
		c.handed = slices.DeleteFunc(c.handed, func(r handedReading) bool {
			return s.closes(r.windowStart)
		})
		if len(c.open)+len(c.handed) == 0 {
			delete(s.cars, id)
		}
	}
}

// closes reports whether the window at start is closed; what stays open counts for oldest.
func (s *speedState) closes(start int64) bool {
	if s.rules.Closed(start, s.Watermark) {
		return true
	}
	s.oldest = min(s.oldest, start)
	return false
}
