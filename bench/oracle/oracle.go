package oracle

import (
	"fmt"
	"math"

	"lambdakappa/event"
	"lambdakappa/view"
)

// Config is what the truth depends on besides the log. Times are milliseconds of event time.
type Config struct {
	WindowMs   int64  // length of a tumbling window, > 0
	DisorderMs int64  // the watermark trails the greatest event time by this
	LatenessMs int64  // a window takes updates for this long behind the watermark
	SkewMs     int64  // event time may be ahead of append time by this
	Version    string // of the logic, "v1" and later
	Above      string // of the logic from the boundary on, when it is another one there; "" is Version
	Partitions int    // of the log, > 0

	Trips      bool  // whether the trips view is kept; if not, what follows says nothing
	TripGapMs  int64 // a trip has no hole that is wider than this, >= 0
	IntervalMs int64 // how often a car is meant to send, > 0
}

// Entry is one offset of the log as an independent reader saw it.
type Entry struct {
	Partition   int
	Offset      int64
	AppendTime  int64            // Unix ms
	Event       *event.CarSensor // nil when it does not decode
	Reject      event.Reason     // why it does not decode; "" when Event is set
	Fingerprint uint32           // checksum of the value's bytes: tells a duplicate from a conflict
}

// Position names one entry of the log.
type Position struct {
	Partition int
	Offset    int64
}

// Answer is everything that a side must answer. The tables and maps are the caller's.
type Answer struct {
	Windows     view.Table[view.WindowKey, view.Window]
	Alerts      view.Table[view.AlertKey, view.Alert]
	Trips       view.Table[view.TripKey, view.Trip] // empty when they are not kept
	Counters    view.Counters
	DeadLetters map[Position]event.Reason // every event that no view may count, and why
	Late        map[Position]bool         // every event that windows and alerts dropped late; true
	LateTrips   map[Position]bool         // every event that the trips dropped late; true
	Watermarks  []int64                   // per partition, Unix ms; math.MinInt64 when nothing was read
}

// An Oracle keeps the log, so that it can be asked for the truth at several boundaries.
type Oracle struct {
	cfg     Config
	entries []Entry
	cars    map[string]string // one copy of every car_id: the log names a car once per event
}

// New returns an oracle of an empty log, or an error that names the field that cannot work.
func New(cfg Config) (*Oracle, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Oracle{cfg: cfg, cars: map[string]string{}}, nil
}

// Add adds the next entry of its partition; e.Event is copied.
func (o *Oracle) Add(e Entry) {
	if e.Event != nil {
		copied := *e.Event
		if _, known := o.cars[copied.CarID]; !known {
			o.cars[copied.CarID] = copied.CarID
		}
		copied.CarID = o.cars[copied.CarID]
		e.Event = &copied
	}
	o.entries = append(o.entries, e)
}

// Len is the number of entries so far.
func (o *Oracle) Len() int { return len(o.entries) }

// TruthA holds every reading that decodes and passes the skew guard, once.
func (o *Oracle) TruthA() Answer { return o.Lambda(o.everywhere(math.MaxInt64)) }

// TruthB is truth A without the readings that were late in log order: what Kappa must answer.
func (o *Oracle) TruthB() Answer { return o.Lambda(o.everywhere(0)) }

// Lambda is what Lambda must answer when its batch view covers [0, boundary[p]) of every
// partition p: A below the boundary, B from there on. It panics when offsets do not grow within a
// partition or the boundary is not one per partition: then there is no truth to tell.
func (o *Oracle) Lambda(boundary []int64) Answer {
	f, err := NewFold(o.cfg, boundary)
	if err != nil {
		panic(err) // the configuration was validated by New; what is left is the caller's mistake
	}
	for _, e := range o.entries {
		f.Add(e)
	}
	return f.Answer()
}

// Until is the oracle of the log as it was when it ended at end[p] in every partition p. It panics when
// the end is not one per partition.
func (o *Oracle) Until(end []int64) *Oracle {
	if len(end) != o.cfg.Partitions {
		panic(fmt.Sprintf("oracle: an end of %d partitions, of %d", len(end), o.cfg.Partitions))
	}
	before := &Oracle{cfg: o.cfg, cars: o.cars}
	for _, e := range o.entries {
		if e.Offset < end[e.Partition] {
			before.entries = append(before.entries, e)
		}
	}
	return before
}

func (o *Oracle) everywhere(offset int64) []int64 {
	return everywhere(offset, o.cfg.Partitions)
}

func everywhere(offset int64, partitions int) []int64 {
	boundary := make([]int64, partitions)
	for p := range boundary {
		boundary[p] = offset
	}
	return boundary
}

func (c Config) validate() error {
	if c.WindowMs <= 0 {
		return fmt.Errorf("window %d ms: must be above 0", c.WindowMs)
	}
	if c.Partitions <= 0 {
		return fmt.Errorf("partitions %d: must be above 0", c.Partitions)
	}
	if c.Trips && (c.TripGapMs < 0 || c.IntervalMs <= 0) {
		return fmt.Errorf("trip gap %d ms, reading interval %d ms: must not be negative, must be above 0",
			c.TripGapMs, c.IntervalMs)
	}
	for _, version := range []string{c.Version, c.above()} {
		if _, err := logicOf(version); err != nil {
			return err
		}
	}
	return nil
}

// above is the version of the logic from the boundary on.
func (c Config) above() string {
	if c.Above == "" {
		return c.Version
	}
	return c.Above
}
