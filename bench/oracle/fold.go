package oracle

import (
	"fmt"

	"lambdakappa/event"
	"lambdakappa/view"
)

// A Fold computes the truth while the log passes by. It keeps rows, not events.
type Fold struct {
	cfg        Config
	logic      logic // below the boundary
	above      logic // from there on
	partitions []partition
	cars       map[string]*car
	alerts     map[view.AlertKey]view.Alert
	counters   view.Counters
	applied    int64 // readings that count
	dead       map[Position]event.Reason
	late       map[Position]bool
	lateTrips  map[Position]bool
	forgotten  int64 // event time; windows that end by then are gone
}

// partition is what the rules remember of one partition of the log.
type partition struct {
	boundary  int64 // first offset that B's rule judges
	next      int64 // the least offset that may come
	watermark int64
}

// car is what is known of one car.
//
// Invariant: a car's events are all in one partition, as its key says.
type car struct {
	windows map[int64]*view.Tally // by window start: the answer
	seen    memory                // of windows and alerts

	trips     []view.Stretch // the answer, in no order; two of them are more than the gap apart
	tripsSeen memory         // of the trips: what they drop late is another matter
}

// NewFold returns the fold of an empty log with one boundary per partition (see the package
// comment), or an error that names what cannot work.
func NewFold(cfg Config, boundary []int64) (*Fold, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if len(boundary) != cfg.Partitions {
		return nil, fmt.Errorf("boundary of %d partitions: the log has %d", len(boundary), cfg.Partitions)
	}
	logic, err := logicOf(cfg.Version)
	if err != nil {
		return nil, err
	}
	above, err := logicOf(cfg.above())
	if err != nil {
		return nil, err
	}
	f := &Fold{
		cfg: cfg, logic: logic, above: above,
		cars:   map[string]*car{},
		alerts: map[view.AlertKey]view.Alert{},
		dead:   map[Position]event.Reason{},
		late:   map[Position]bool{}, lateTrips: map[Position]bool{},
	}
	for _, offset := range boundary {
		f.partitions = append(f.partitions, partition{boundary: offset, watermark: noWatermark})
	}
	return f, nil
}

// Add judges the next entry of its partition and folds it in; it keeps no pointer to e.Event. It
// panics when the offset does not grow.
//
// The order of the tests is the definition: decode, skew guard, late, duplicate, apply.
func (f *Fold) Add(e Entry) {
	p := &f.partitions[e.Partition]
	if e.Offset < p.next {
		panic(fmt.Sprintf("offset %d of partition %d comes after %d", e.Offset, e.Partition, p.next-1))
	}
	p.next = e.Offset + 1
	f.counters.Events++

	if e.Event == nil {
		f.reject(e, e.Reject)
		return
	}
	if f.cfg.future(e.Event.EventTime, e.AppendTime) {
		f.reject(e, event.ReasonFuture)
		return
	}
	c := f.car(e.Event.CarID)
	f.judge(p, c, e)
	if f.cfg.Trips {
		f.judgeForTrips(p, c, e)
	}
	p.watermark = f.cfg.advance(p.watermark, e.Event.EventTime)
}

func (f *Fold) reject(e Entry, reason event.Reason) {
	f.counters.Reject(reason, 1)
	f.dead[Position{e.Partition, e.Offset}] = reason
}

// judge decides between late, duplicate, conflict and admitted, under the watermark of the log
// before the event.
func (f *Fold) judge(p *partition, c *car, e Entry) {
	start := f.cfg.windowStart(e.Event.EventTime)
	if e.Offset >= p.boundary {
		c.seen.forget(f.cfg.closes, p.watermark)
		if f.cfg.closes(start) <= p.watermark {
			f.counters.DroppedLate++
			f.late[Position{e.Partition, e.Offset}] = true
			return
		}
	}
	switch fingerprint, seen := c.seen.fingerprints[e.Event.Seq]; {
	case seen && fingerprint == e.Fingerprint:
		f.counters.Duplicates++
	case seen:
		f.counters.Conflicts++
	default:
		c.seen.remember(e.Event.Seq, start, e.Fingerprint, f.cfg.closes(start))
		logic := f.logic
		if e.Offset >= p.boundary {
			logic = f.above
		}
		f.apply(logic, c, e.Event, start)
	}
}

func (f *Fold) car(id string) *car {
	c := f.cars[id]
	if c == nil {
		c = &car{windows: map[int64]*view.Tally{}, seen: newMemory()}
		if f.cfg.Trips {
			c.tripsSeen = newMemory()
		}
		f.cars[id] = c
	}
	return c
}

// apply adds an admitted reading to its window and raises its alert.
func (f *Fold) apply(logic logic, c *car, e *event.CarSensor, start int64) {
	f.applied++
	t := c.windows[start]
	if t == nil {
		t = first(e)
		c.windows[start] = t
	}
	logic.add(t, e)
	if rule, score := logic.detect(e); rule != view.NoRule {
		t.Anomalies++
		id := view.AlertKey{CarID: e.CarID, Seq: e.Seq}
		f.alerts[id] = view.Alert{AlertKey: id, EventTime: e.EventTime, Rule: rule, Score: score}
	}
}
