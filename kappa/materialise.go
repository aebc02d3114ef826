package kappa

import (
	"fmt"
	"sync"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// rowsPerLock is how many changelog records are taken in before queries get their turn, and how
// many rows are copied into an answer before the changelog gets its: about 0.1 ms of work. Neither
// loading a view nor a query over all of it must hold up point queries.
const rowsPerLock = 256

// A part is one partition of a view, materialised from the changelog partition of the same number.
// All of it is guarded by mu: one writer follows the changelog, queries only read.
type part struct {
	mu       sync.RWMutex
	frozen   bool // takes no more rows: the view is being replaced
	begun    bool // there was a progress record
	progress progress
	reach    int64 // rows may reflect the input up to here, which is progress or a little more
	cars     map[string]*carRows
	all      []*carRows // the cars; a slice that somebody may hold is added to, and never changed
	windows  int        // rows
	alerts   int        // rows
	//bench:change view
	trips   int // rows
	waiters map[string]*waiter

	retention // what is kept of it, see retention.go

	seen  []reading // memory for decoding
	tally view.Tally
}

// A waiter is woken when a greater seq of its car is visible. Its queries share it.
type waiter struct {
	news    chan struct{} // closed at the next greater seq
	queries int
}

func newPart() *part {
	return &part{
		progress: progress{Watermark: event.NoWatermark},
		cars:     map[string]*carRows{},
		waiters:  map[string]*waiter{},
	}
}

// take takes a batch of rows in. It reports whether the progress has moved on, and whether the
// part is frozen: then the rest of the batch was left out.
func (p *part) take(records []eventlog.Record) (progressed, frozen bool, err error) {
	for len(records) > 0 {
		some := records[:min(len(records), rowsPerLock)]
		n, moved, frozen, err := p.takeLocked(some)
		progressed = progressed || moved
		if frozen || err != nil {
			return progressed, frozen, err
		}
		if n < len(some) {
			p.forget()
		}
		records = records[n:]
	}
	return progressed, false, nil
}

// takeLocked takes rows in and returns how many: all of them, or those before a progress that leaves rows
// behind. These are to be forgotten first, so that nobody reads the one and finds the other.
func (p *part) takeLocked(records []eventlog.Record) (n int, progressed, frozen bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen {
		return 0, false, true, nil
	}
	for i := range records {
		r := &records[i]
		switch rowKind(r) {
		case windowRow:
			err = p.takeWindow(r)
		case alertRow:
			err = p.takeAlert(r)
		case tripKind: //bench:change view
			err = p.takeTrip(r)
		//bench:change view
		case seenKind: // is between processors
		case progressRow:
			var next progress
			if next, err = readProgress(r.Value); err == nil {
				if p.moves(next) {
					return i, progressed, false, nil
				}
				p.takeProgress(next)
				progressed = true
			}
		default:
			err = errRow
		}
		if err != nil {
			return i, progressed, false, fmt.Errorf("offset %d: %w", r.Offset, err)
		}
	}
	return len(records), progressed, false, nil
}

func (p *part) takeProgress(progress progress) {
	if !p.begun || progress.Position > p.progress.Position {
		p.begun, p.progress = true, progress
		p.reach = max(p.reach, progress.Position)
	}
}

func (p *part) takeWindow(r *eventlog.Record) error {
	start, id, err := rowKey(r)
	if err != nil {
		return err
	}
	if p.seen, err = readWindow(r.Value, &p.tally, p.seen[:0]); err != nil {
		return err
	}
	if start < p.keptFrom {
		return nil
	}
	c := p.car(id)
	cell, isNew := c.window(start)
	if isNew {
		p.windows++
	}
	if p.tally.Readings <= cell.tally.Readings {
		return nil // an older row again: rows of one window only ever grow
	}
	p.reach = max(p.reach, p.seen[len(p.seen)-1].offset+1)
	cell.tally = p.tally
	before := c.lastSeq
	for i := range p.seen {
		c.name(p.seen[i].seq)
	}
	if c.lastSeq > before {
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
	if err := readAlert(r.Value, &a); err != nil || a.EventTime < p.keptFrom {
		return err
	}
	cell, isNew := p.car(id).alert(seq)
	if isNew {
		p.alerts++
	}
	if isNew || a.offset >= cell.offset {
		p.reach = max(p.reach, a.offset+1)
		*cell = alertCell{seq, a.EventTime, a.offset, a.Score, a.Rule}
	}
	return nil
}

// takeTrip puts a trip in the place of those that it contains: their rows are gone with it, and not
// with their tombstones. So nobody is answered a reading twice, or not at all.
//
//bench:change view take
func (p *part) takeTrip(r *eventlog.Record) error {
	start, id, err := rowKey(r)
	if err != nil || len(r.Value) == 0 {
		return err
	}
	var row tripRow
	if err := readTrip(start, r.Value, &row); err != nil || row.End < p.keptFrom {
		return err
	}
	c := p.car(id)
	before := len(c.trips)
	var isNews bool
	if c.trips, isNews = view.Replace(c.trips, row.Stretch); isNews {
		p.trips += len(c.trips) - before
		p.reach = max(p.reach, row.foldedTo)
	}
	return nil
}

func (p *part) car(id []byte) *carRows {
	c := p.cars[string(id)]
	if c == nil {
		c = &carRows{id: string(id), lastSeq: -1}
		p.cars[c.id] = c
		p.all = append(p.all, c)
	}
	return c
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
