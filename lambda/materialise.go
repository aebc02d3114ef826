package lambda

import (
	"fmt"
	"slices"
	"sort"
	"sync"

	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// rowsPerLock is how many rows of the speed view are taken in before queries get their turn, and about how many
// are copied into an answer before the speed view gets its: either is about 0.1 ms of work.
const rowsPerLock = 256

// A part is one partition of one generation: the batch view, which never changes, and the speed
// view, materialised from the partition of its topic of the same number. All but batch is guarded
// by mu: one writer follows the topic, queries only read.
type part struct {
	mu     sync.RWMutex
	frozen bool       // takes no more rows: a newer generation has taken its place
	batch  *batchPart // set once, before queries see the part

	builds   map[int64]bool // whose begin record was seen; rows before the first are not complete
	progress progress       // of the speed view; it starts at the boundary
	reach    int64          // rows may reflect the input up to here, which is progress or a little more
	cars     map[string]*carRows
	all      []*carRows // the cars; a slice that somebody may hold is added to, and never changed
	extra    rowCount   // rows of the speed view that the batch view does not have
	past     rowCount   // rows of the batch view that are not answered any more
	tripGap  int64      //bench:change view
	//bench:change view
	merged  []view.Stretch // memory to merge trips in, to count them
	waiters map[string]*waiter

	retention // what is kept of both views, see retention.go

	since *batchTime // rows older than it are not taken; nil but for a naive merge, see Mistakes
}

type rowCount struct {
	windows, alerts int
	trips           int //bench:change view
}

// carRows are the rows of one car in the speed view.
type carRows struct {
	id      string
	windows []windowCell // ascending starts
	alerts  []alertCell  // ascending seqs
	//bench:change view
	trips   []view.Stretch // ascending starts
	lastSeq int64          // greatest in any window
}

type windowCell struct {
	start int64
	tally view.Tally
	seqs  seqSet // of the readings in tally
}

type alertCell struct {
	seq, eventTime, offset int64
	score                  float64
	rule                   view.Rule
}

// A waiter is woken when a greater seq of its car is visible. Its queries share it.
type waiter struct {
	news    chan struct{} // closed at the next greater seq
	queries int
}

// newPart is a part whose speed view is empty: right as far as the boundary.
func newPart(m *Manifest, partition int) *part {
	p := &part{
		builds: map[int64]bool{}, cars: map[string]*carRows{}, waiters: map[string]*waiter{},
		progress: progress{Position: m.boundary(partition), Watermark: m.watermark(partition)},
	}
	p.reach = p.progress.Position
	p.tripGap = m.Rules.TripGap //bench:change view
	p.rules, p.keptFrom = m.Rules, m.keptFrom(partition)
	return p
}

// take takes rows of the part's generation in. It reports whether the progress has moved on.
func (p *part) take(records []eventlog.Record, row *speedRow) (progressed bool, err error) {
	for len(records) > 0 {
		some := records[:min(len(records), rowsPerLock)]
		n, moved, err := p.takeLocked(some, row)
		progressed = progressed || moved
		if err != nil {
			return progressed, err
		}
		if n < len(some) {
			p.forget()
		}
		records = records[n:]
	}
	return progressed, nil
}

// takeLocked takes rows in and returns how many: all of them, or those before a progress that leaves rows
// behind. These are to be forgotten first, so that nobody reads the one and finds the other.
func (p *part) takeLocked(records []eventlog.Record, row *speedRow) (n int, progressed bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range records {
		if p.frozen {
			return len(records), progressed, nil
		}
		r := &records[i]
		if err := readRow(r, row); err != nil {
			return i, progressed, fmt.Errorf("offset %d: %w", r.Offset, err)
		}
		moved, leaves, err := p.takeRow(r, row)
		if err != nil || leaves {
			if err != nil {
				err = fmt.Errorf("offset %d: %w", r.Offset, err)
			}
			return i, progressed, err
		}
		progressed = progressed || moved
	}
	return len(records), progressed, nil
}

// takeRow takes a row in. It leaves out a progress that leaves rows behind.
func (p *part) takeRow(r *eventlog.Record, row *speedRow) (progressed, leaves bool, err error) {
	switch {
	case row.kind == beginRow:
		p.builds[r.Offset] = true
	case len(p.builds) == 0: // what began before the topic was trimmed is not complete
	case p.since.hasPassed(row):
	case row.kind == windowRow:
		p.takeWindow(row)
	case row.kind == tripKind: //bench:change view
		p.takeTrip(row)
	case row.kind == alertRow:
		p.takeAlert(row)
	case row.kind == progressRow:
		return p.takeProgress(r)
	}
	return false, false, nil
}

// takeProgress counts only for a build that was seen from its beginning. One that is behind what
// is there (the speed layer builds a generation again after a crash) changes nothing.
func (p *part) takeProgress(r *eventlog.Record) (progressed, leaves bool, err error) {
	progress, err := readProgress(r.Value)
	if err != nil || !p.builds[progress.Build] || progress.Position < p.progress.Position {
		return false, false, err
	}
	if p.moves(progress.Watermark) {
		return false, true, nil
	}
	p.progress = progress
	p.reach = max(p.reach, progress.Position)
	return true, false, nil
}

func (p *part) takeWindow(row *speedRow) {
	if row.start < p.keptFrom {
		return
	}
	c := p.car(row.car)
	cell, isNew := c.window(row.start)
	if isNew && !p.batch.hasWindow(c.id, row.start) {
		p.extra.windows++
	}
	if row.tally.Readings <= cell.tally.Readings {
		return // an older row again: rows of one window only ever grow
	}
	p.reach = max(p.reach, row.covered)
	cell.tally = row.tally
	cell.seqs = append(cell.seqs[:0], row.seqs...)
	if row.tally.LastSeq > c.lastSeq {
		c.lastSeq = row.tally.LastSeq
		p.wake(c.id)
	}
}

func (p *part) takeAlert(row *speedRow) {
	if row.alert.EventTime < p.keptFrom {
		return
	}
	c := p.car(row.car)
	cell, isNew := c.alert(row.alert.Seq)
	if isNew && !p.batch.hasAlert(c.id, row.alert.Seq, p.keptFrom) {
		p.extra.alerts++
	}
	if isNew || row.offset >= cell.offset {
		a := &row.alert
		*cell = alertCell{a.Seq, a.EventTime, row.offset, a.Score, a.Rule}
	}
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
	c.windows = slices.Insert(c.windows, i, windowCell{start: start})
	return &c.windows[i], true
}

// alert returns the alert of a reading, which may be new and empty.
func (c *carRows) alert(seq int64) (cell *alertCell, isNew bool) {
	i := sort.Search(len(c.alerts), func(i int) bool { return c.alerts[i].seq >= seq })
	if i < len(c.alerts) && c.alerts[i].seq == seq {
		return &c.alerts[i], false
	}
	c.alerts = slices.Insert(c.alerts, i, alertCell{seq: seq})
	return &c.alerts[i], true
}

// wake tells the queries that wait for a car that it has news.
func (p *part) wake(car string) {
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

// leave takes back what wait has registered.
func (p *part) leave(car string, w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.queries--; w.queries == 0 && p.waiters[car] == w {
		delete(p.waiters, car)
	}
}

// setBatch completes the part with its batch view, which took a while to load.
func (p *part) setBatch(batch *batchPart) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.batch, p.extra = batch, rowCount{}
	for _, c := range p.cars {
		p.forgetTrips(c) //bench:change view
		p.countExtra(&p.extra, c)
	}
	p.past = p.countPast(batch)
}

// countExtra counts the rows of a car in the speed view that the batch view does not have.
func (p *part) countExtra(extra *rowCount, c *carRows) {
	for _, w := range c.windows {
		if !p.batch.hasWindow(c.id, w.start) {
			extra.windows++
		}
	}
	for _, a := range c.alerts {
		if !p.batch.hasAlert(c.id, a.seq, p.keptFrom) {
			extra.alerts++
		}
	}
	extra.trips += p.countTrips(c) //bench:change view
}
