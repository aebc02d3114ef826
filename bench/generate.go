package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sync/errgroup"

	"lambdakappa/datagen"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// publishTick is how long due events wait for company before they are sent together: 500 sends a
// second are cheap enough to share two cores with what is measured, and 2 ms of lag are far below
// the 5 ms that void a run. The wait counts as latency, since that runs from the intended time.
const publishTick = 2 * time.Millisecond

// A Pace says how the schedule of a workload is kept.
type Pace struct {
	// Speedup sends that many times faster than intended, 0 as fast as the log takes it. 1 is
	// the open loop of a latency measurement.
	Speedup float64
	// LiveFrom is where the schedule begins to be measured: what is intended before it is history,
	// sent as fast as the log takes it. The zero time measures everything.
	LiveFrom time.Time
	// Shift is how far the wall clock is ahead of the schedule, at speed 1: what is intended at t is
	// sent at t + Shift. So event time can begin with the same window in every run, whenever it runs.
	Shift time.Duration
}

// Published is what a generator reports when it has sent everything.
type Published struct {
	Events  int64   `json:"events"`
	Seconds float64 `json:"seconds"`
	Lag     Lag     `json:"lag_ms"` // of the send behind its intended time; zero when unpaced
	Acked   Acked   `json:"acked"`
}

// Acked is when events were acknowledged, counted from when they were due: what a user of the log had of
// it through everything that happened to it. Zero when unpaced.
type Acked struct {
	WithinSecond float64 `json:"within_second"` // share of all events
	SlowestMs    float64 `json:"slowest_ms"`
	// Slow are the seconds of the clock (Unix) with an event that was due in them and took longer than
	// slowAck: the slowest of each, ms. On a quiet log it is empty.
	Slow map[int64]float64 `json:"slow,omitempty"`
}

// slowAck is an acknowledgement that somebody would notice.
const slowAck = 100 * time.Millisecond

// Lag is how far a generator was behind its own schedule. Milliseconds.
type Lag struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Publish sends a workload to the log's cars topic, every event acknowledged, in order within
// each partition. The loop is open: a slow log moves no event's intended time, it makes the
// generator late, and the report says how late.
func Publish(ctx context.Context, log *eventlog.Log, source datagen.Source, pace Pace) (Published, error) {
	ids, err := log.RegisterSchemas(ctx, event.Subject, event.Schemas[:]...)
	if err != nil {
		return Published{}, fmt.Errorf("register schema: %w", err)
	}
	if s, ok := source.(interface{ UseSchemas(ids ...uint32) }); ok {
		s.UseSchemas(ids...)
	}
	partitions, err := log.Partitions(ctx, eventlog.CarsTopic)
	if err != nil {
		return Published{}, fmt.Errorf("look up partitions: %w", err)
	}
	if partitions == 0 {
		return Published{}, fmt.Errorf("topic %s does not exist: create it first", eventlog.CarsTopic)
	}
	p := &publisher{source: source, encoder: event.NewEncoder(ids...), clock: newPaceClock(pace)}
	return p.run(ctx, log, partitions)
}

// publisher spreads the workload over one lane per partition.
type publisher struct {
	source  datagen.Source
	encoder *event.Encoder
	clock   paceClock
	lanes   []*lane
	events  int64
}

func (p *publisher) run(ctx context.Context, log *eventlog.Log, partitions int) (Published, error) {
	began := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for i := range partitions {
		l := newLane(i, &p.clock)
		p.lanes = append(p.lanes, l)
		g.Go(func() error { return l.send(ctx, log) })
	}
	g.Go(func() error {
		defer func() {
			for _, l := range p.lanes {
				l.close()
			}
		}()
		return p.feed(ctx)
	})
	if err := g.Wait(); err != nil {
		return Published{}, err
	}
	return Published{
		Events: p.events, Seconds: time.Since(began).Seconds(), Lag: p.lag(), Acked: p.acked(),
	}, nil
}

// feed hands every event to its lane when it is due.
func (p *publisher) feed(ctx context.Context) error {
	var planned datagen.Planned
	var due int64 // events up to this intended time may be sent now
	for p.source.Next(&planned) {
		if planned.Intended > due {
			p.flush()
			var err error
			if due, err = p.clock.wait(ctx, planned.Intended); err != nil {
				return err
			}
		}
		l := p.lanes[eventlog.PartitionOf([]byte(planned.Event.CarID), len(p.lanes))]
		if err := l.add(ctx, &planned, p.encoder); err != nil {
			return err
		}
		p.events++
	}
	for _, l := range p.lanes {
		l.drain()
	}
	// A recording ends at the first row that cannot be read.
	if r, ok := p.source.(interface{ Err() error }); ok && r.Err() != nil {
		return fmt.Errorf("read workload: %w", r.Err())
	}
	return ctx.Err()
}

func (p *publisher) flush() {
	for _, l := range p.lanes {
		l.flush()
	}
}

func (p *publisher) lag() Lag {
	sum := newHistogram()
	for _, l := range p.lanes {
		sum.Merge(l.lag)
	}
	return lagOf(sum)
}

func (p *publisher) acked() Acked {
	var all, prompt, slowest int64
	for _, l := range p.lanes {
		all, prompt, slowest = all+l.acked, prompt+l.prompt, max(slowest, l.slowest)
	}
	if all == 0 {
		return Acked{}
	}
	a := Acked{
		WithinSecond: float64(prompt) / float64(all), SlowestMs: float64(slowest) / 1e6, Slow: map[int64]float64{},
	}
	for _, l := range p.lanes {
		for second, ns := range l.slow {
			a.Slow[second] = max(a.Slow[second], float64(ns)/1e6)
		}
	}
	return a
}

func lagOf(h *hdrhistogram.Histogram) Lag {
	ms := func(ns int64) float64 { return float64(ns) / 1e6 }
	return Lag{P50: ms(h.ValueAtQuantile(50)), P99: ms(h.ValueAtQuantile(99)), Max: ms(h.Max())}
}

// paceClock maps intended times to the wall clock.
type paceClock struct {
	speedup float64
	origin  int64 // intended time of the first event; 0 before it
	began   int64 // wall clock that stands for origin, Unix ns
	live    int64 // intended times before it are history, Unix ns
	shift   int64 // ns from an intended time to the wall clock, at speed 1
}

func newPaceClock(pace Pace) paceClock {
	c := paceClock{speedup: pace.Speedup, shift: int64(pace.Shift)}
	if !pace.LiveFrom.IsZero() {
		c.live = pace.LiveFrom.UnixNano()
	}
	return c
}

// moment returns when an event is due on the wall clock, Unix ns.
//
// At speed 1 that is the intended time itself, shifted: a workload that starts in two seconds is not
// begun before. Faster than that, the first event is due at once and the rest follow it.
func (c *paceClock) moment(intended int64) int64 {
	if c.speedup == 1 {
		return intended + c.shift
	}
	if c.began == 0 {
		c.origin, c.began = intended, time.Now().UnixNano()
	}
	return c.began + int64(float64(intended-c.origin)/c.speedup)
}

// wait returns once the event is due, with the intended time up to which others are due as well.
func (c *paceClock) wait(ctx context.Context, intended int64) (int64, error) {
	if c.speedup == 0 {
		return intended, ctx.Err()
	}
	at := c.moment(intended)
	if left := time.Until(time.Unix(0, at)); left > 0 {
		select {
		case <-time.After(max(left, publishTick)):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	late := time.Now().UnixNano() - at
	return intended + int64(float64(late)*c.speedup), ctx.Err()
}

// intendedHeader returns the header that carries the intended send time.
func intendedHeader(arena []byte, intended int64) ([]byte, eventlog.Header) {
	from := len(arena)
	arena = strconv.AppendInt(arena, intended, 10)
	return arena, eventlog.Header{Key: eventlog.IntendedHeader, Value: arena[from:len(arena):len(arena)]}
}
