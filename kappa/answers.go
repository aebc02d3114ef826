package kappa

import (
	"context"
	"slices"
	"sort"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// Layers implements [httpapi.Answers]: Kappa has one view, and one answer.
func (s *Serving) Layers() []httpapi.Layer { return []httpapi.Layer{httpapi.Merged} }

// Windows implements [httpapi.Answers].
func (s *Serving) Windows(r httpapi.Range) ([]view.Window, httpapi.Stamp) {
	m := s.live.Load()
	var rows []view.Window
	for _, p := range m.partsOf(r.Car) {
		rows = p.readWindows(rows, r)
	}
	return rows, m.stamp()
}

// Alerts implements [httpapi.Answers].
func (s *Serving) Alerts(r httpapi.Range) ([]view.Alert, httpapi.Stamp) {
	m := s.live.Load()
	var rows []view.Alert
	for _, p := range m.partsOf(r.Car) {
		rows = p.readAlerts(rows, r)
	}
	return rows, m.stamp()
}

// Trips implements [httpapi.Answers].
//
//bench:change view
func (s *Serving) Trips(r httpapi.Range) ([]view.Trip, httpapi.Stamp, bool) {
	m := s.live.Load()
	var rows []view.Trip
	for _, p := range m.partsOf(r.Car) {
		rows = p.readTrips(rows, r, p.readingInterval(s.cfg.Rules.ReadingInterval))
	}
	return rows, m.stamp(), m.views.Has(view.Trips)
}

// Latest implements [httpapi.Answers]. A query that waits when its view is replaced goes on
// waiting on the new one.
func (s *Serving) Latest(
	ctx context.Context, car string, afterSeq int64, _ httpapi.Layer,
) (httpapi.Latest, bool) {
	for mayWait := afterSeq >= 0; ; {
		m := s.live.Load()
		p := m.partsOf(car)[0]
		answer, found, w := p.latest(car, afterSeq, mayWait)
		if w == nil {
			answer.Stamp = m.stamp()
			return answer, found
		}
		select {
		case <-w.news:
		case <-m.dropped:
		case <-ctx.Done():
			mayWait = false
		}
		p.leave(car, w)
	}
}

// Status implements [httpapi.Answers].
func (s *Serving) Status() httpapi.Status {
	m := s.live.Load()
	status := httpapi.Status{Architecture: "kappa", Stamp: m.stamp(), Candidate: s.candidate(), Views: m.views}
	ends := *s.ends.Load()
	for i, p := range m.parts {
		p.mu.RLock()
		progress := p.progress
		status.Rows.Windows += p.windows
		status.Rows.Alerts += p.alerts
		status.Rows.Trips += p.trips //bench:change view
		p.mu.RUnlock()

		end := max(ends[i], progress.Position) // ends are looked up every now and then
		status.Partitions = append(status.Partitions, httpapi.PartitionStatus{
			Partition: i, Position: progress.Position, EndOffset: end,
			Watermark: int64(progress.Watermark), NewestAppend: progress.Newest,
		})
		status.Lag += end - progress.Position
		status.Counters.Add(progress.Counters)
	}
	status.KeptFrom = s.KeptFrom("")
	return status
}

func (m *materialised) stamp() httpapi.Stamp { return *m.stamped.Load() }

// stampAs makes answers say what they come from: a view whose progress says so.
func (m *materialised) stampAs(p *progress) {
	now := httpapi.Stamp{Version: m.version, Mistake: p.Mistake}
	was := m.stamped.Load()
	if was == nil || *was != now {
		stamp := now // so that nothing is allocated when it stays the same
		m.stamped.Store(&stamp)
	}
}

// partsOf returns the parts that hold rows of a car; "" is all cars.
func (m *materialised) partsOf(car string) []*part {
	if car == "" {
		return m.parts
	}
	i := eventlog.PartitionOf([]byte(car), len(m.parts))
	return m.parts[i : i+1]
}

// readWindows appends the part's rows in the range.
func (p *part) readWindows(rows []view.Window, r httpapi.Range) []view.Window {
	return copyRows(p, rows, r.Car, func(rows []view.Window, c *carRows) []view.Window {
		from := max(r.From, p.keptFrom)
		i := sort.Search(len(c.windows), func(i int) bool { return c.windows[i].start >= from })
		for ; i < len(c.windows) && c.windows[i].start < r.To; i++ {
			key := view.WindowKey{CarID: c.id, Start: c.windows[i].start}
			rows = append(rows, view.Window{WindowKey: key, Tally: c.windows[i].tally})
		}
		return rows
	})
}

// readAlerts appends the part's alerts in the range.
func (p *part) readAlerts(rows []view.Alert, r httpapi.Range) []view.Alert {
	return copyRows(p, rows, r.Car, func(rows []view.Alert, c *carRows) []view.Alert {
		from := max(r.From, p.keptFrom)
		for _, a := range c.alerts {
			if a.eventTime < from || a.eventTime >= r.To {
				continue
			}
			rows = append(rows, view.Alert{
				AlertKey:  view.AlertKey{CarID: c.id, Seq: a.seq},
				EventTime: a.eventTime, Rule: a.rule, Score: a.score,
			})
		}
		return rows
	})
}

// readingInterval is what a speed counts for in a distance, as whoever wrote the view has it; before its
// first row, otherwise.
//
//bench:change view
func (p *part) readingInterval(otherwise int64) int64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if said := p.progress.ReadingInterval; said > 0 {
		return said
	}
	return otherwise
}

// readTrips appends the part's trips that begin in the range.
//
//bench:change view
func (p *part) readTrips(rows []view.Trip, r httpapi.Range, interval int64) []view.Trip {
	return copyRows(p, rows, r.Car, func(rows []view.Trip, c *carRows) []view.Trip {
		i := sort.Search(len(c.trips), func(i int) bool { return c.trips[i].Start >= r.From })
		for ; i < len(c.trips) && c.trips[i].Start < r.To; i++ {
			trip := c.trips[i]
			if trip.End < p.keptFrom {
				continue
			}
			rows = append(rows, view.Trip{
				CarID: c.id, Stretch: trip, Distance: view.Distance(trip.SpeedSum, interval),
			})
		}
		return rows
	})
}

// copyRows appends what copyCar appends of one car, or of all of them. It lets the follower of the
// changelog, and the point queries behind it, have their turn every few rows. The rows of one car
// are of one moment, and those of the next answer are never of an earlier one.
func copyRows[R any](
	p *part, rows []R, car string, copyCar func([]R, *carRows) []R,
) []R {
	for cars := p.carsOf(car); len(cars) > 0; {
		// Not under the lock: a long answer takes a while to move.
		rows = slices.Grow(rows, min(len(cars), rowsPerLock))
		rows, cars = copySome(p, rows, cars, copyCar)
	}
	return rows
}

// copySome is a part of copyRows under one lock. It returns the cars that are left.
func copySome[R any](
	p *part, rows []R, cars []*carRows, copyCar func([]R, *carRows) []R,
) ([]R, []*carRows) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	visited, end := 0, len(rows)+rowsPerLock
	for visited < min(len(cars), rowsPerLock) && len(rows) < end {
		rows = copyCar(rows, cars[visited])
		visited++
	}
	return rows, cars[visited:]
}

// carsOf returns one car, if it is there, or all of them.
func (p *part) carsOf(id string) []*carRows {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if id == "" {
		return p.all
	}
	if c := p.cars[id]; c != nil {
		return []*carRows{c}
	}
	return nil
}

// latest answers a point query; or, when there is nothing above afterSeq yet and the query may
// wait, it returns what to wait for. Both under one lock: no reading slips in between.
func (p *part) latest(car string, afterSeq int64, mayWait bool) (httpapi.Latest, bool, *waiter) {
	if mayWait {
		p.mu.Lock()
		defer p.mu.Unlock()
	} else {
		p.mu.RLock()
		defer p.mu.RUnlock()
	}
	c := p.cars[car]
	if mayWait && (c == nil || c.lastSeq <= afterSeq) {
		return httpapi.Latest{}, false, p.wait(car)
	}
	if c == nil || len(c.windows) == 0 {
		return httpapi.Latest{}, false, nil
	}
	newest := c.windows[len(c.windows)-1]
	if newest.start < p.keptFrom {
		return httpapi.Latest{}, false, nil
	}
	return httpapi.Latest{
		Car: car, LastSeq: c.lastSeq, Visible: c.visible(afterSeq),
		Window: view.Window{
			WindowKey: view.WindowKey{CarID: c.id, Start: newest.start}, Tally: newest.tally,
		},
	}, true, nil
}
