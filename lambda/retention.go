package lambda

import (
	"slices"
	"sort"

	"lambdakappa/event"
	"lambdakappa/view" //bench:change view
)

// Serving may keep what the watermark has left behind for no longer than a retention, in event time: so a
// process that runs for ever does not grow for ever. Each partition goes by its own watermark, so one
// that is quiet keeps what it has.

// A retention says what is kept of one partition.
type retention struct {
	rules event.Rules
	keep  int64 // ms of event time behind the watermark; 0 is everything

	// keptFrom is what [event.Rules.KeptFrom] says: rows before it are not answered, and not taken. It is
	// 0 while everything is kept.
	keptFrom int64

	mostCars int // that the map of cars has room for
}

// moves moves keptFrom on to where it is under w. It reports whether there are rows to forget now.
func (r *retention) moves(w event.Watermark) bool {
	from := r.rules.KeptFrom(w, r.keep)
	if from <= r.keptFrom {
		return false
	}
	r.keptFrom = from
	return true
}

// forget drops the rows of the speed view before keptFrom, rowsPerLock cars at a time, and counts anew what is
// left: nobody is answered them any more. It visits every car once per window length of event time, not
// once per row. What the batch view has of them goes with its generation.
func (p *part) forget() {
	batch := p.loadedBatch()
	left := make([]*carRows, 0, len(p.all)) // who reads all cars holds the old slice
	var extra rowCount
	for cars := p.all; len(cars) > 0; {
		n := min(len(cars), rowsPerLock)
		left = p.forgetRows(left, cars[:n], &extra)
		cars = cars[n:]
	}
	past := p.countPast(batch)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mostCars = max(p.mostCars, len(p.all))
	p.all = left
	if len(left) < p.mostCars/4 { // a map keeps the room that it once had
		p.cars, p.mostCars = make(map[string]*carRows, len(left)), len(left)
		for _, c := range left {
			p.cars[c.id] = c
		}
	}
	if p.batch == batch {
		p.extra, p.past = extra, past
		return
	}
	p.extra = rowCount{} // it was loaded meanwhile
	for _, c := range left {
		p.countExtra(&p.extra, c)
	}
	p.past = p.countPast(p.batch)
}

func (p *part) loadedBatch() *batchPart {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.batch
}

// forgetRows is a part of forget under one lock. It appends the cars that have rows left to left, and counts
// those rows.
func (p *part) forgetRows(left, cars []*carRows, extra *rowCount) []*carRows {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range cars {
		c.forgetWindows(p.keptFrom)
		c.forgetAlerts(p.keptFrom)
		p.forgetTrips(c) //bench:change view
		if c.isEmpty() {
			delete(p.cars, c.id)
			continue
		}
		p.countExtra(extra, c)
		left = append(left, c)
	}
	return left
}

func (c *carRows) isEmpty() bool {
	rows := len(c.windows) + len(c.alerts)
	rows += len(c.trips) //bench:change view
	return rows == 0
}

// forgetWindows drops windows. The memory before what is left goes when the rest has to move to make room.
func (c *carRows) forgetWindows(before int64) {
	n := sort.Search(len(c.windows), func(i int) bool { return c.windows[i].start >= before })
	clear(c.windows[:n]) // their seqs are theirs: let them go
	c.windows = c.windows[n:]
}

// forgetAlerts drops alerts, which are not in the order of their times.
func (c *carRows) forgetAlerts(before int64) {
	c.alerts = slices.DeleteFunc(c.alerts, func(a alertCell) bool { return a.eventTime < before })
	if len(c.alerts) < cap(c.alerts)/4 {
		c.alerts = slices.Clone(c.alerts) // a storm of them is over
	}
}

// forgetTrips drops the pieces of those trips of a car that have ended before keptFrom. Before the batch view is
// loaded nobody knows: it may have what lies between an early piece and a late one.
//
//bench:change view
func (p *part) forgetTrips(c *carRows) {
	if p.batch == nil || len(c.trips) == 0 || c.trips[0].End >= p.keptFrom {
		return
	}
	trips := mergeTrips(nil, p.batch.tripsOf(c.id, c.trips[0].Start-p.tripGap), c.trips, p.tripGap)
	begin := p.keptFrom
	if i := endingFrom(trips, p.keptFrom); i < len(trips) {
		begin = min(begin, trips[i].Start)
	}
	c.trips = c.trips[endingFrom(c.trips, begin):]
}

// endingFrom returns how many of the first trips have ended before a time.
//
//bench:change view
func endingFrom(trips []view.Stretch, from int64) int {
	return sort.Search(len(trips), func(i int) bool { return trips[i].End >= from })
}

// countPast counts the rows of a batch view that are not answered any more. It is for the one that takes rows
// in: nobody else changes what it reads.
func (p *part) countPast(batch *batchPart) (past rowCount) {
	if batch == nil || p.keptFrom == 0 {
		return past
	}
	for i := range batch.cars {
		windows := batch.windowsOf(int32(i))
		past.windows += sort.Search(len(windows), func(i int) bool { return windows[i].start >= p.keptFrom })
		past.trips += p.countPastTrips(batch, batch.cars[i]) //bench:change view
	}
	for i := range batch.alerts {
		if batch.alerts[i].EventTime < p.keptFrom {
			past.alerts++
		}
	}
	return past
}

// countPastTrips counts those of one car.
//
//bench:change view
func (p *part) countPastTrips(batch *batchPart, car string) int {
	trips := batch.tripsOf(car, 0)
	if c := p.cars[car]; c != nil && len(c.trips) > 0 {
		trips = mergeTrips(nil, trips, c.trips, p.tripGap)
	}
	return endingFrom(trips, p.keptFrom)
}

// keptNow returns keptFrom. Who merges the views asks after the copy of the speed view: what that lacks lies before.
func (p *part) keptNow() int64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.keptFrom
}

// KeptFrom implements [httpapi.Answers].
func (s *Serving) KeptFrom(car string) (from int64) {
	for _, p := range s.live.Load().partsOf(car) {
		from = max(from, p.keptNow())
	}
	return from
}
