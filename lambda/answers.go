package lambda

import (
	"context"
	"slices"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// Layers implements [httpapi.Answers]: one merged answer, or the two layers apart.
func (s *Serving) Layers() []httpapi.Layer {
	return []httpapi.Layer{httpapi.Merged, httpapi.Batch, httpapi.Speed}
}

// Windows implements [httpapi.Answers].
func (s *Serving) Windows(r httpapi.Range) ([]view.Window, httpapi.Stamp) {
	p := s.live.Load()
	var rows []view.Window
	for _, part := range p.partsOf(r.Car) {
		rows = part.readWindows(rows, r)
	}
	return rows, p.stamp()
}

// Alerts implements [httpapi.Answers].
func (s *Serving) Alerts(r httpapi.Range) ([]view.Alert, httpapi.Stamp) {
	p := s.live.Load()
	var rows []view.Alert
	for _, part := range p.partsOf(r.Car) {
		rows = part.readAlerts(rows, r)
	}
	return rows, p.stamp()
}

// Trips implements [httpapi.Answers].
//
//bench:change view
func (s *Serving) Trips(r httpapi.Range) ([]view.Trip, httpapi.Stamp, bool) {
	p := s.live.Load()
	var rows []view.Trip
	for _, part := range p.partsOf(r.Car) {
		rows = part.readTrips(rows, r, part.readingInterval(p.manifest.Rules.ReadingInterval))
	}
	return rows, p.stamp(), p.manifest.Views.Has(view.Trips)
}

// Latest implements [httpapi.Answers]. A query that waits when the pair is swapped goes on waiting
// on the new one.
func (s *Serving) Latest(
	ctx context.Context, car string, afterSeq int64, layer httpapi.Layer,
) (httpapi.Latest, bool) {
	for mayWait := afterSeq >= 0; ; {
		p := s.live.Load()
		part := p.partsOf(car)[0]
		answer, found, w := part.latest(car, afterSeq, layer, mayWait && ctx.Err() == nil)
		if w == nil {
			answer.Stamp, answer.Car = p.stamp(), car
			return answer, found
		}
		select {
		case <-w.news:
		case <-p.dropped:
		case <-ctx.Done():
			mayWait = false
		}
		part.leave(car, w)
	}
}

// Status implements [httpapi.Answers].
func (s *Serving) Status() httpapi.Status {
	p := s.live.Load()
	status := httpapi.Status{
		Architecture: "lambda", Stamp: p.stamp(), Counters: p.manifest.Counters.Clone(),
		Views: p.manifest.Views,
	}
	ends := *s.ends.Load()
	for i, part := range p.parts {
		boundary, newest := p.manifest.boundary(i), p.manifest.newestAppend(i)
		part.mu.RLock()
		progress, extra, past := part.progress, part.extra, part.past
		part.mu.RUnlock()

		end := max(ends[i], progress.Position) // ends are looked up every now and then
		status.Partitions = append(status.Partitions, httpapi.PartitionStatus{
			Partition: i, Boundary: boundary, Position: progress.Position, EndOffset: end,
			Watermark: int64(progress.Watermark), NewestAppend: max(newest, progress.Newest),
			BatchPosition: boundary, BatchNewest: newest,
		})
		status.Lag += end - progress.Position
		status.Counters.Add(progress.Counters)
		status.Rows.Windows += len(part.batch.windows) + extra.windows - past.windows
		status.Rows.Alerts += len(part.batch.alerts) + extra.alerts - past.alerts
		status.Rows.Trips += len(part.batch.trips) + extra.trips - past.trips //bench:change view
	}
	status.KeptFrom = s.KeptFrom("")
	return status
}

func (p *pair) stamp() httpapi.Stamp { return *p.stamped.Load() }

// stampAs makes answers say what they come from: the batch view, and a speed view whose progress
// says so.
func (p *pair) stampAs(speed *progress) {
	now := httpapi.Stamp{
		Version: versions(p.manifest.Version, speed.Version), Generation: p.manifest.Generation,
		Mistake: together(p.manifest.Mistake, speed.Mistake),
	}
	was := p.stamped.Load()
	if was == nil || *was != now {
		stamp := now // so that nothing is allocated when it stays the same
		p.stamped.Store(&stamp)
	}
}

// partsOf returns the parts that hold rows of a car; "" is all cars.
func (p *pair) partsOf(car string) []*part {
	if car == "" {
		return p.parts
	}
	i := eventlog.PartitionOf([]byte(car), len(p.parts))
	return p.parts[i : i+1]
}

// latest answers a point query; or, when there is nothing above afterSeq yet and the query may
// wait, it returns what to wait for. Both under one lock: no reading slips in between.
func (p *part) latest(
	car string, afterSeq int64, layer httpapi.Layer, mayWait bool,
) (httpapi.Latest, bool, *waiter) {
	if mayWait {
		p.mu.Lock()
		defer p.mu.Unlock()
	} else {
		p.mu.RLock()
		defer p.mu.RUnlock()
	}
	c := p.carIn(car, layer)
	if mayWait && c.lastSeq() <= afterSeq {
		return httpapi.Latest{}, false, p.wait(car)
	}
	newest, found := c.newest()
	if !found || newest.start < p.keptFrom {
		return httpapi.Latest{}, false, nil
	}
	return httpapi.Latest{
		LastSeq: c.lastSeq(), Visible: c.visible(afterSeq),
		Window: view.Window{
			WindowKey: view.WindowKey{CarID: car, Start: newest.start}, Tally: newest.tally,
		},
	}, true, nil
}

// A carView is what the layers of an answer hold of one car.
type carView struct {
	windows []batchWindow // of the batch view
	seen    seqSet        // of the batch view
	speed   *carRows      // nil when there is nothing
}

// carIn returns what a layer holds of a car.
func (p *part) carIn(car string, layer httpapi.Layer) carView {
	var c carView
	if i, ok := p.batch.index[car]; ok && layer != httpapi.Speed {
		c.windows, c.seen = p.batch.windowsOf(i), p.batch.seenOf(i)
	}
	if layer != httpapi.Batch {
		c.speed = p.cars[car]
	}
	return c
}

// lastSeq is the greatest visible seq, -1 when there is none.
func (c carView) lastSeq() int64 {
	if c.speed == nil {
		return c.seen.greatest()
	}
	return max(c.seen.greatest(), c.speed.lastSeq)
}

// visible names the readings above a seq, ascending, as far back as answers go.
func (c carView) visible(afterSeq int64) []int64 {
	if afterSeq < 0 {
		return nil
	}
	afterSeq = max(afterSeq, c.lastSeq()-httpapi.MaxVisible)
	seqs := c.seen.above(nil, afterSeq)
	if c.speed != nil {
		for i := range c.speed.windows {
			seqs = c.speed.windows[i].seqs.above(seqs, afterSeq)
		}
	}
	slices.Sort(seqs)
	return slices.Compact(seqs)
}

// newest returns the window with the greatest start, false when there is none.
func (c carView) newest() (newest batchWindow, found bool) {
	if n := len(c.windows); n > 0 {
		newest, found = c.windows[n-1], true
	}
	if c.speed == nil || len(c.speed.windows) == 0 {
		return newest, found
	}
	speed := &c.speed.windows[len(c.speed.windows)-1]
	switch {
	case !found || speed.start > newest.start:
		return batchWindow{speed.start, speed.tally}, true
	case speed.start == newest.start:
		newest.tally.Merge(&speed.tally)
	}
	return newest, true
}
