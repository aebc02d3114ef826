package oracle

import (
	"fmt"
	"math"

	"lambdakappa/event"
	"lambdakappa/view"
)

// A Fold computes the truth while the log passes by. It keeps rows, not events.
type Fold struct {
	cfg        Config
	detect     detector
	partitions []*partition
	windows    map[view.WindowKey]*view.Tally
	alerts     map[view.AlertKey]view.Alert
	counters   view.Counters
	dead       map[Position]event.Reason
	late       map[Position]bool
}

// partition is what the rules remember of one partition of the log.
//
// Invariant: a car's events are all in one partition, as its key says.
type partition struct {
	boundary  int64 // first offset that B's rule judges
	next      int64 // the least offset that may come
	watermark int64
	seen      map[identity]uint32  // the fingerprint of every reading that still counts as seen
	open      map[int64][]identity // the same readings by window start, to forget them together
	closing   int64                // no window in open closes below this watermark
}

// identity is what makes two events the same reading.
type identity struct {
	car string
	seq int64
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
	detect, err := detectorOf(cfg.Version)
	if err != nil {
		return nil, err
	}
	f := &Fold{
		cfg: cfg, detect: detect,
		windows: map[view.WindowKey]*view.Tally{},
		alerts:  map[view.AlertKey]view.Alert{},
		dead:    map[Position]event.Reason{},
		late:    map[Position]bool{},
	}
	for _, offset := range boundary {
		f.partitions = append(f.partitions, &partition{
			boundary: offset, watermark: noWatermark, closing: math.MaxInt64,
			seen: map[identity]uint32{}, open: map[int64][]identity{},
		})
	}
	return f, nil
}

// Add judges the next entry of its partition and folds it in; it keeps no pointer to e.Event. It
// panics when the offset does not grow.
//
// The order of the tests is the definition: decode, skew guard, late, duplicate, apply.
func (f *Fold) Add(e Entry) {
	p := f.partitions[e.Partition]
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
	f.judge(p, e)
	p.watermark = f.cfg.advance(p.watermark, e.Event.EventTime)
}

func (f *Fold) reject(e Entry, reason event.Reason) {
	f.counters.Reject(reason, 1)
	f.dead[Position{e.Partition, e.Offset}] = reason
}

// judge decides between late, duplicate, conflict and admitted, under the watermark of the log
// before the event.
func (f *Fold) judge(p *partition, e Entry) {
	start := f.cfg.windowStart(e.Event.EventTime)
	if e.Offset >= p.boundary {
		p.forgetClosed(f.cfg)
		if f.cfg.closes(start) <= p.watermark {
			f.counters.DroppedLate++
			f.late[Position{e.Partition, e.Offset}] = true
			return
		}
	}
	id := identity{e.Event.CarID, e.Event.Seq}
	switch fingerprint, seen := p.seen[id]; {
	case seen && fingerprint == e.Fingerprint:
		f.counters.Duplicates++
	case seen:
		f.counters.Conflicts++
	default:
		p.remember(f.cfg, id, start, e.Fingerprint)
		f.apply(e.Event, start)
	}
}

func (p *partition) remember(c Config, id identity, start int64, fingerprint uint32) {
	p.seen[id] = fingerprint
	p.open[start] = append(p.open[start], id)
	p.closing = min(p.closing, c.closes(start))
}

// forgetClosed forgets what was seen of the windows that the watermark has closed.
func (p *partition) forgetClosed(c Config) {
	if p.watermark < p.closing {
		return
	}
	p.closing = math.MaxInt64
	for start, readings := range p.open {
		if p.watermark < c.closes(start) {
			p.closing = min(p.closing, c.closes(start))
			continue
		}
		for _, id := range readings {
			delete(p.seen, id)
		}
		delete(p.open, start)
	}
}

// apply adds an admitted reading to its window and raises its alert.
func (f *Fold) apply(e *event.CarSensor, start int64) {
	key := view.WindowKey{CarID: e.CarID, Start: start}
	t := f.windows[key]
	if t == nil {
		t = first(e)
		f.windows[key] = t
	}
	add(t, e)
	if rule, score := f.detect(e); rule != view.NoRule {
		t.Anomalies++
		id := view.AlertKey{CarID: e.CarID, Seq: e.Seq}
		f.alerts[id] = view.Alert{AlertKey: id, EventTime: e.EventTime, Rule: rule, Score: score}
	}
}
