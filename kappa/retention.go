package kappa

import (
	"slices"
	"sort"

	"lambdakappa/event"
)

// Serving may keep what the watermark has left behind for no longer than a retention, in event time: so a
// process that runs for ever does not grow for ever. Each partition goes by its own watermark, so one
// that is quiet keeps what it has.

// A retention says what is kept of one partition.
type retention struct {
	rules event.Rules
	keep  int64 // ms of event time behind the watermark; 0 is everything

	// keptFrom is the event time before which rows are not answered, and not taken: what [event.Rules.KeptFrom]
	// says, or a later one that the changelog says of itself. It is 0 while everything is kept.
	keptFrom int64

	mostCars int // that the map of cars has room for
}

// moves moves keptFrom on to where it is under a progress: by serving's own retention, or since the processor has trimmed the
// changelog by a stricter one. It reports whether there are rows to forget now.
func (r *retention) moves(p progress) bool {
	from := max(r.rules.KeptFrom(p.Watermark, r.keep), p.KeptFrom)
	if from <= r.keptFrom {
		return false
	}
	r.keptFrom = from
	return true
}

// forget drops the rows before keptFrom, rowsPerLock cars at a time: nobody is answered them any more. It
// visits every car once per window length of event time, not once per row.
func (p *part) forget() {
	left := make([]*carRows, 0, len(p.all)) // who reads all cars holds the old slice
	for cars := p.all; len(cars) > 0; {
		n := min(len(cars), rowsPerLock)
		left = p.forgetRows(left, cars[:n])
		cars = cars[n:]
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen {
		return
	}
	p.mostCars = max(p.mostCars, len(p.all))
	p.all = left
	if len(left) < p.mostCars/4 { // a map keeps the room that it once had
		p.cars, p.mostCars = make(map[string]*carRows, len(left)), len(left)
		for _, c := range left {
			p.cars[c.id] = c
		}
	}
}

// forgetRows is a part of forget under one lock. It appends the cars that have rows left to left.
func (p *part) forgetRows(left, cars []*carRows) []*carRows {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen { // the view is being replaced, and is compared without the lock: nothing of it changes any more
		return append(left, cars...)
	}
	for _, c := range cars {
		p.windows -= c.forgetWindows(p.keptFrom)
		p.alerts -= c.forgetAlerts(p.keptFrom)
		p.trips -= c.forgetTrips(p.keptFrom) //bench:change view
		if c.isEmpty() {
			delete(p.cars, c.id)
			continue
		}
		left = append(left, c)
	}
	return left
}

func (c *carRows) isEmpty() bool {
	rows := len(c.windows) + len(c.alerts)
	rows += len(c.trips) //bench:change view
	return rows == 0
}

// forgetWindows drops windows and returns their number. The memory before what is left goes when the rest
// has to move to make room.
func (c *carRows) forgetWindows(before int64) int {
	n := sort.Search(len(c.windows), func(i int) bool { return c.windows[i].start >= before })
	c.windows = c.windows[n:]
	return n
}

// forgetAlerts drops alerts, which are not in the order of their times, and returns their number.
func (c *carRows) forgetAlerts(before int64) int {
	had := len(c.alerts)
	c.alerts = slices.DeleteFunc(c.alerts, func(a alertCell) bool { return a.eventTime < before })
	if len(c.alerts) < cap(c.alerts)/4 {
		c.alerts = slices.Clone(c.alerts) // a storm of them is over
	}
	return had - len(c.alerts)
}

// forgetTrips drops trips and returns their number.
//
//bench:change view
func (c *carRows) forgetTrips(before int64) int {
	n := sort.Search(len(c.trips), func(i int) bool { return c.trips[i].End >= before })
	c.trips = c.trips[n:]
	return n
}

// KeptFrom implements [httpapi.Answers].
func (s *Serving) KeptFrom(car string) (from int64) {
	for _, p := range s.live.Load().partsOf(car) {
		from = max(from, p.keptNow())
	}
	return from
}

func (p *part) keptNow() int64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.keptFrom
}
