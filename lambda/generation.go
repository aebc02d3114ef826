package lambda

import (
	"context"
	"fmt"
	"time"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

const (
	// farBehind is how many events a task must be away from the end of its partition to count as
	// catching up. At 20,000 events/s over 4 partitions it is 2 s of input: a hiccup stays below.
	farBehind = 10_000

	// maxPending is how many rows and side outputs may wait for a flush, whatever the linger: it
	// bounds memory. 50,000 rows of 10 readings are about 5 MB on the wire.
	maxPending = 50_000
)

// A generation is one build of the speed view of one partition: it begins with the hand-over of a
// batch run and reads the log from the boundary on.
type generation struct {
	cfg       Config
	number    int64
	partition int
	boundary  int64
	views     view.Set
	logic
	decoder *event.Decoder
	event   event.CarSensor // memory for the event that is being judged
	reader  *eventlog.Reader

	*speedState
	sides  sideOutputs
	alerts []speedAlert // raised since the last flush
	rows   speedViewWriter

	durable int64     // rows and, unless they are held, side outputs of offsets below it are acknowledged
	waiting time.Time // since when there is something to flush
	behind  int64     // events between the last read and the end of the partition
}

// newGeneration is a generation at its boundary, of a version that is known. Nothing of it is durable
// yet.
func newGeneration(c Config, h handover, decoder *event.Decoder) *generation {
	logic, _ := logicOf(c.Mistakes.speedVersion(h.version))
	state := newSpeedState(h)
	state.Mistake, state.Version = c.Mistakes.ofSpeed(), c.Mistakes.PinVersion
	return &generation{
		cfg: c, number: h.generation, partition: h.partition,
		boundary:   h.boundary,
		views:      h.views,
		logic:      logic,
		decoder:    decoder,
		speedState: state,
		sides:      sideOutputs{partition: h.partition, grounds: grounds{logic.version, h.views, h.rules}},
		rows:       speedViewWriter{generation: h.generation},
		durable:    h.boundary,
	}
}

// begin starts the build of a generation from its hand-over.
func (c Config) begin(
	ctx context.Context, h handover, decoder *event.Decoder,
) (g *generation, err error) {
	if h.boundary, err = c.firstOffset(ctx, h); err != nil {
		return nil, fmt.Errorf("begin generation %d: %w", h.generation, err)
	}
	g = newGeneration(c, h, decoder)
	g.rows.begin()
	g.Build, err = c.Log.Append(ctx, SpeedViewTopic, g.partition, g.rows.records)
	if err != nil {
		return nil, fmt.Errorf("begin generation %d: %w", g.number, err)
	}
	if err := g.flush(ctx); err != nil { // serving waits for the progress even if no event comes
		return nil, fmt.Errorf("begin generation %d: %w", g.number, err)
	}
	g.reader, err = c.Log.Reader(ctx, eventlog.CarsTopic, g.partition, g.boundary)
	if err != nil {
		return nil, err
	}
	return g, nil
}

// firstOffset returns where the speed view of a generation begins: at its boundary, or at the start
// of the log when the batch view has nothing of the partition. The log may have been cut before
// anyone read it, and what nobody has read is in no view.
func (c Config) firstOffset(ctx context.Context, h handover) (int64, error) {
	starts, err := c.Log.StartOffsets(ctx, eventlog.CarsTopic)
	if err != nil {
		return 0, err
	}
	start := starts[h.partition]
	if h.boundary > 0 {
		return h.boundary, eventlog.LostBefore(eventlog.CarsTopic, h.partition, h.boundary, start)
	}
	return start, nil
}

// step reads once, waiting at most maxWait for the first event, and flushes if that is due.
func (g *generation) step(ctx context.Context, maxWait time.Duration) error {
	read := g.reader.Read
	if g.durable < g.Position && g.behind == 0 {
		read = g.reader.Gather // nothing of it would be flushed earlier
	}
	batch, err := read(ctx, min(maxWait, g.wait(time.Now())))
	if err != nil {
		return err
	}
	for i := range batch.Records {
		if err := g.judge(&batch.Records[i]); err != nil {
			g.reader.Rewind(g.Position) // a generation that is kept goes on with this event
			return err
		}
	}
	g.Position, g.behind = batch.Next, batch.End-batch.Next
	return g.settle(ctx, time.Now())
}

// wait is how long the next read may wait for an event: until a flush is due.
func (g *generation) wait(now time.Time) time.Duration {
	if g.durable == g.Position {
		return pollInterval
	}
	return max(0, g.linger()-now.Sub(g.waiting))
}

// linger is how long a change waits for company: far behind the end of the log nobody waits for
// it, and writing a window again for every few of its readings would be waste.
func (g *generation) linger() time.Duration {
	if g.behind > farBehind {
		return g.cfg.CatchUpLinger
	}
	return g.cfg.Linger
}

// settle flushes if that is due.
func (g *generation) settle(ctx context.Context, now time.Time) error {
	if g.durable == g.Position {
		return nil
	}
	if g.waiting.IsZero() {
		g.waiting = now
	}
	pending := g.rowsChanged() + len(g.alerts) + g.sides.len()
	if now.Sub(g.waiting) < g.linger() && pending < maxPending {
		return nil
	}
	if err := g.flush(ctx); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return nil
}

// flush makes everything below the position durable: first the side outputs, then the rows of
// changed windows, alerts and, last, the progress. So whoever reads the progress knows that all
// the rest is there, whatever a crash has cut off.
func (g *generation) flush(ctx context.Context) error {
	if err := g.encode(); err != nil {
		return err
	}
	if err := g.cfg.step("side outputs"); err != nil {
		return err
	}
	if err := g.sides.write(ctx, g.cfg.Log, g.Watermark); err != nil {
		return err
	}
	if err := g.cfg.step("rows"); err != nil {
		return err
	}
	_, err := g.cfg.Log.Append(ctx, SpeedViewTopic, g.partition, g.rows.records)
	if err != nil {
		return fmt.Errorf("append to %s: %w", SpeedViewTopic, err)
	}
	g.alerts = g.alerts[:0]
	g.flushed()
	g.durable, g.waiting = g.Position, time.Time{}
	return g.cfg.step("rows acknowledged")
}

// encode turns what is pending into records.
func (g *generation) encode() error {
	g.rows.reset()
	for _, w := range g.changed {
		g.rows.window(w, g.Position, g.Newest)
	}
	if g.trips != nil { //bench:change view
		g.rows.trips(g.trips, g.Position, g.Newest)
	}
	for i := range g.alerts {
		a := &g.alerts[i]
		g.rows.alert(a, g.Newest)
		if err := g.sides.alert(a, g.Newest); err != nil {
			return err
		}
	}
	return g.rows.progress(g.speedState.progress)
}

// close ends the build; what it has written stays.
func (g *generation) close() error { return g.reader.Close() }
