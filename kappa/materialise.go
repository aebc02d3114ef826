package kappa

import (
	"fmt"
	"slices"
	"sort"
	"sync"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// rowsPerLock is how many changelog records are taken in before queries get their turn: about
// 0.1 ms of work. Loading a view must not hold up point queries on it.
const rowsPerLock = 256

// A part is one partition of a view, materialised from the changelog partition of the same number.
// All of it is guarded by mu: one writer follows the changelog, queries only read.
type part struct {
	rules event.Rules

	mu       sync.RWMutex
	frozen   bool // takes no more rows: the view is being replaced
	begun    bool // there was a progress record
	progress progress
	cars     map[string]*carRows
	windows  int // rows
	alerts   int // rows
	waiters  map[string]*waiter

	seen  []reading // memory for decoding
	tally view.Tally
}

// carRows are the rows of one car: slices without pointers, so that half a million rows are no
// work for the garbage collector.
type carRows struct {
	id      string
	windows []windowCell // ascending starts
	alerts  []alertCell  // ascending seqs
	recent  []seqList    // of the windows that may still change, in no order
	lastSeq int64        // greatest in any window
}

type windowCell struct {
	start int64
	tally view.Tally
}

type alertCell struct {
	seq, eventTime, offset int64
	score                  float64
	rule                   view.Rule
}

// seqList names the readings of one window.
type seqList struct {
	start int64
	seqs  []int64
}

// A waiter is woken when a greater seq of its car is visible. Its queries share it.
type waiter struct {
	news    chan struct{} // closed at the next greater seq
	queries int
}

func newPart(rules event.Rules) *part {
	return &part{
		rules:    rules,
		progress: progress{Watermark: event.NoWatermark},
		cars:     map[string]*carRows{},
		waiters:  map[string]*waiter{},
	}
}

// take takes a batch of rows in. It reports whether the progress has moved on, and whether the
// part is frozen: then the rest of the batch was left out.
func (p *part) take(records []eventlog.Record) (progressed, frozen bool, err error) {
	for len(records) > 0 {
		n := min(len(records), rowsPerLock)
		moved, frozen, err := p.takeLocked(records[:n])
		progressed = progressed || moved
		if frozen || err != nil {
			return progressed, frozen, err
		}
		records = records[n:]
	}
	return progressed, false, nil
}

func (p *part) takeLocked(records []eventlog.Record) (progressed, frozen bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen {
		return false, true, nil
	}
	for i := range records {
		r := &records[i]
		switch rowKind(r) {
		case windowRow:
			err = p.takeWindow(r)
		case alertRow:
			err = p.takeAlert(r)
		case progressRow:
			err = p.takeProgress(r)
			progressed = true
		default:
			err = errRow
		}
		if err != nil {
			return progressed, false, fmt.Errorf("offset %d: %w", r.Offset, err)
		}
	}
	return progressed, false, nil
}

func (p *part) takeProgress(r *eventlog.Record) error {
	progress, err := readProgress(r.Value)
	if err != nil {
		return err
	}
	if !p.begun || progress.Position > p.progress.Position {
		p.begun, p.progress = true, progress
	}
	return nil
}

func (p *part) takeWindow(r *eventlog.Record) error {
	start, id, err := rowKey(r)
	if err != nil {
		return err
	}
	if p.seen, err = readWindow(r.Value, &p.tally, p.seen[:0]); err != nil {
		return err
	}
	c := p.car(id)
	cell, isNew := c.window(start)
	if isNew {
		p.windows++
	}
	if p.tally.Readings <= cell.tally.Readings {
		return nil // an older row again: rows of one window only ever grow
	}
	cell.tally = p.tally
	c.name(start, p.seen, p.rules)
	if cell.tally.LastSeq > c.lastSeq {
		c.lastSeq = cell.tally.LastSeq
		p.wake(c.id)
	}
	return nil
}

func (p *part) takeAlert(r *eventlog.Record) error {
	seq, id, err := rowKey(r)
	if err != nil {
		return err
	}
	var a alert
	if err := readAlert(r.Value, &a); err != nil {
		return err
	}
	cell, isNew := p.car(id).alert(seq)
	if isNew {
		p.alerts++
	}
	if isNew || a.offset >= cell.offset {
		*cell = alertCell{seq, a.EventTime, a.offset, a.Score, a.Rule}
	}
	return nil
}

func (p *part) car(id []byte) *carRows {
	c := p.cars[string(id)]
	if c == nil {
		c = &carRows{id: string(id), lastSeq: -1}
		p.cars[c.id] = c
	}
	return c
}

// window returns the row that starts at start, which may be new and empty. Rows mostly arrive in
// the order of their starts, so it looks from the end.
func (c *carRows) window(start int64) (cell *windowCell, isNew bool) {
	i := len(c.windows)
	for i > 0 && c.windows[i-1].start > start {
		i--
	}
	if i > 0 && c.windows[i-1].start == start {
		return &c.windows[i-1], false
	}
	c.windows = append(c.windows, windowCell{})
	copy(c.windows[i+1:], c.windows[i:])
	c.windows[i] = windowCell{start: start}
	return &c.windows[i], true
}

// alert returns the alert of a reading, which may be new and empty.
func (c *carRows) alert(seq int64) (cell *alertCell, isNew bool) {
	i := sort.Search(len(c.alerts), func(i int) bool { return c.alerts[i].seq >= seq })
	if i < len(c.alerts) && c.alerts[i].seq == seq {
		return &c.alerts[i], false
	}
	c.alerts = append(c.alerts, alertCell{})
	copy(c.alerts[i+1:], c.alerts[i:])
	c.alerts[i] = alertCell{seq: seq}
	return &c.alerts[i], true
}

// name remembers which readings a window holds. Only windows that may still change are kept: who
// waits for a reading knows what came before it.
func (c *carRows) name(start int64, seen []reading, rules event.Rules) {
	l := c.seqList(start, rules)
	l.seqs = slices.Grow(l.seqs[:0], len(seen))
	for i := range seen {
		l.seqs = append(l.seqs, seen[i].seq)
	}
}

// seqList returns the list of a window: its own, one that is out of date, or a new one.
func (c *carRows) seqList(start int64, rules event.Rules) *seqList {
	// The newest window of the car was open when the watermark was at most at its end. A row that
	// may change is at most this much older; twice as much is kept, for queries that come late.
	reach := 2 * (rules.Window + rules.DisorderBound + rules.AllowedLateness)
	oldest := c.windows[len(c.windows)-1].start - reach
	reusable := -1
	for i := range c.recent {
		if c.recent[i].start == start {
			return &c.recent[i]
		}
		if c.recent[i].start < oldest {
			reusable = i
		}
	}
	if reusable < 0 {
		reusable = len(c.recent)
		c.recent = append(c.recent, seqList{})
	}
	c.recent[reusable].start = start
	return &c.recent[reusable]
}

// wake tells the queries that wait for a car that it has news.
func (p *part) wake(car string) {
	if len(p.waiters) == 0 {
		return
	}
	if w := p.waiters[car]; w != nil {
		close(w.news)
		delete(p.waiters, car)
	}
}

// wait registers one more query that waits for news of a car.
func (p *part) wait(car string) *waiter {
	w := p.waiters[car]
	if w == nil {
		w = &waiter{news: make(chan struct{})}
		p.waiters[car] = w
	}
	w.queries++
	return w
}

// leave takes back a wait, so that a car nobody asks for any more leaves no trace.
func (p *part) leave(car string, w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.queries--; w.queries == 0 && p.waiters[car] == w {
		delete(p.waiters, car)
	}
}
