package lambda

import (
	"math"
	"sort"

	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// Answers over a range. The batch view never changes, so it is read without a lock; of the speed
// view the wanted rows are copied first, a few cars at a time.

// readWindows appends the part's rows in the range.
func (p *part) readWindows(rows []view.Window, r httpapi.Range) []view.Window {
	var speed map[string][]batchWindow
	if r.Layer != httpapi.Batch {
		speed = p.copyWindows(r)
	}
	r.From = max(r.From, p.keptNow())
	if r.Layer != httpapi.Speed {
		for i := range p.batch.carsIn(r.Car) {
			car := p.batch.cars[i]
			rows = mergeWindows(rows, car, inRange(p.batch.windowsOf(i), r), inRange(speed[car], r))
			delete(speed, car)
		}
	}
	for car, windows := range speed {
		rows = mergeWindows(rows, car, nil, inRange(windows, r))
	}
	return rows
}

// copyWindows copies the rows of the speed view in the range, by car and in the order of starts.
func (p *part) copyWindows(r httpapi.Range) map[string][]batchWindow {
	rows := map[string][]batchWindow{}
	p.copyRows(r.Car, func(c *carRows) {
		var windows []batchWindow
		i := sort.Search(len(c.windows), func(i int) bool { return c.windows[i].start >= r.From })
		for ; i < len(c.windows) && c.windows[i].start < r.To; i++ {
			windows = append(windows, batchWindow{c.windows[i].start, c.windows[i].tally})
		}
		if len(windows) > 0 {
			rows[c.id] = windows
		}
	})
	return rows
}

// mergeWindows appends the rows of one car: those of the batch view, those of the speed view, and
// where both have one, the two merged. That is all there is to merging: a reading is in one of
// them, and a Tally is a monoid.
func mergeWindows(rows []view.Window, car string, batch, speed []batchWindow) []view.Window {
	emit := func(w batchWindow) {
		rows = append(rows, view.Window{
			WindowKey: view.WindowKey{CarID: car, Start: w.start}, Tally: w.tally,
		})
	}
	for len(batch) > 0 && len(speed) > 0 {
		switch b, s := batch[0], speed[0]; {
		case b.start < s.start:
			emit(b)
			batch = batch[1:]
		case b.start > s.start:
			emit(s)
			speed = speed[1:]
		default:
			b.tally.Merge(&s.tally)
			emit(b)
			batch, speed = batch[1:], speed[1:]
		}
	}
	for _, w := range batch {
		emit(w)
	}
	for _, w := range speed {
		emit(w)
	}
	return rows
}

// inRange returns the rows, sorted by start, that start in the range.
func inRange(rows []batchWindow, r httpapi.Range) []batchWindow {
	from := sort.Search(len(rows), func(i int) bool { return rows[i].start >= r.From })
	end := sort.Search(len(rows), func(i int) bool { return rows[i].start >= r.To })
	return rows[from:max(from, end)]
}

// readAlerts appends the part's alerts in the range. An alert in both layers is of a reading that
// came again, with another content, after its window had closed: the later one stands, as it does
// on a log that was never divided.
func (p *part) readAlerts(rows []view.Alert, r httpapi.Range) []view.Alert {
	var speed map[view.AlertKey]view.Alert
	if r.Layer != httpapi.Batch {
		speed = p.copyAlerts(r)
	}
	r.From = max(r.From, p.keptNow())
	emit := func(a view.Alert) {
		if a.EventTime >= r.From && a.EventTime < r.To {
			rows = append(rows, a)
		}
	}
	if r.Layer != httpapi.Speed {
		for _, a := range p.batch.alertsOf(r.Car) {
			if _, again := speed[a.AlertKey]; !again {
				emit(a)
			}
		}
	}
	for _, a := range speed {
		emit(a)
	}
	return rows
}

// copyAlerts copies the alerts of the speed view that are in the range, or stand for one of the batch
// view, which may be.
func (p *part) copyAlerts(r httpapi.Range) map[view.AlertKey]view.Alert {
	alerts := map[view.AlertKey]view.Alert{}
	p.copyRows(r.Car, func(c *carRows) {
		for _, a := range c.alerts {
			key := view.AlertKey{CarID: c.id, Seq: a.seq}
			if out := a.eventTime < r.From || a.eventTime >= r.To; out && !p.batch.hasAlert(c.id, a.seq, math.MinInt64) {
				continue
			}
			alerts[key] = view.Alert{
				AlertKey: key, EventTime: a.eventTime, Rule: a.rule, Score: a.score,
			}
		}
	})
	return alerts
}

// copyRows has copyCar copy the speed view's rows of one car, or of all of them. It lets the
// follower of the speed view, and the point queries behind it, have their turn every few rows. The
// rows of one car are of one moment, and those of the next answer are never of an earlier one.
func (p *part) copyRows(car string, copyCar func(*carRows)) {
	for cars := p.carsOf(car); len(cars) > 0; {
		cars = p.copySome(cars, copyCar)
	}
}

// copySome is a part of copyRows under one lock. It returns the cars that are left.
func (p *part) copySome(cars []*carRows, copyCar func(*carRows)) []*carRows {
	p.mu.RLock()
	defer p.mu.RUnlock()
	visited, rows := 0, 0
	for visited < min(len(cars), rowsPerLock) && rows < rowsPerLock {
		copyCar(cars[visited])
		rows += cars[visited].rows()
		visited++
	}
	return cars[visited:]
}

// rows is how many rows of the speed view are the car's.
func (c *carRows) rows() int {
	n := len(c.windows) + len(c.alerts)
	n += len(c.trips) //bench:change view
	return n
}

// carsOf returns one car of the speed view, if it is there, or all of them.
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

// carsIn yields the index of one car, if it is there, or of all of them.
func (p *batchPart) carsIn(id string) func(yield func(int32) bool) {
	return func(yield func(int32) bool) {
		if id != "" {
			if i, ok := p.index[id]; ok {
				yield(i)
			}
			return
		}
		for i := range int32(len(p.cars)) {
			if !yield(i) {
				return
			}
		}
	}
}
