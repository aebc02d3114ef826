package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"lambdakappa/datagen"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// laneLimit is how many events may wait for one partition before the feeder waits too. Only an
// unpaced load reaches it; 8,192 events are about one broker batch.
const laneLimit = 8192

// A lane is the way of events to one partition: while one load is being appended, the next one
// fills up, so that a slow append costs only its own partition.
type lane struct {
	partition int
	clock     *paceClock
	lag       *hdrhistogram.Histogram // ns; owned by send

	// Of paced events, owned by send: how many were acknowledged, how many of them within a second of
	// when they were due, and the slowest, ns.
	acked, prompt, slowest int64
	slow                   map[int64]int64 // the slowest of a second, Unix, above slowAck

	mu      sync.Mutex
	changed *sync.Cond
	filling *load // owned by the feeder until it is flushed
	waiting *load // flushed, not yet taken by send; nil when there is none
	closed  bool
}

// A load is what one append takes.
type load struct {
	records  []eventlog.Record
	intended []int64 // Unix ns, one per record
	headers  []eventlog.Header
	arena    []byte // keys, values and header values; grows, never moves what records point to
}

func newLane(partition int, clock *paceClock) *lane {
	l := &lane{partition: partition, clock: clock, lag: newHistogram(), filling: new(load), slow: map[int64]int64{}}
	l.changed = sync.NewCond(&l.mu)
	return l
}

// add encodes the event into the load that is being filled.
func (l *lane) add(ctx context.Context, p *datagen.Planned, enc *event.Encoder) error {
	if err := l.filling.add(p, enc); err != nil {
		return err
	}
	if len(l.filling.records) < laneLimit {
		return nil
	}
	l.drain()
	return ctx.Err()
}

// drain flushes once there is room for it; it gives up when the lane is closed.
func (l *lane) drain() {
	l.mu.Lock()
	for l.waiting != nil && !l.closed {
		l.changed.Wait()
	}
	l.mu.Unlock()
	l.flush()
}

func (b *load) add(p *datagen.Planned, enc *event.Encoder) error {
	from := len(b.arena)
	b.arena = append(b.arena, p.Event.CarID...)
	key := b.arena[from:len(b.arena):len(b.arena)]
	from = len(b.arena)
	var err error
	if b.arena, err = p.Append(b.arena, enc); err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	value := b.arena[from:len(b.arena):len(b.arena)]
	var header eventlog.Header
	b.arena, header = intendedHeader(b.arena, p.Intended)
	b.headers = append(b.headers, header)
	b.records = append(b.records, eventlog.Record{
		AppendTime: p.Intended / 1e6, Key: key, Value: value,
		Headers: b.headers[len(b.headers)-1 : len(b.headers) : len(b.headers)],
	})
	b.intended = append(b.intended, p.Intended)
	return nil
}

// flush makes what was filled available to send, together with what still waits. It never waits
// itself: when too much is waiting already, the filling goes on and the next flush takes it.
func (l *lane) flush() {
	if len(l.filling.records) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting == nil {
		l.waiting, l.filling = l.filling, new(load)
	} else if len(l.waiting.records) < laneLimit {
		l.waiting.records = append(l.waiting.records, l.filling.records...)
		l.waiting.intended = append(l.waiting.intended, l.filling.intended...)
		l.filling = new(load)
	}
	l.changed.Broadcast()
}

// close says that nothing more comes.
func (l *lane) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.changed.Broadcast()
}

// send appends loads until the lane is closed and empty.
func (l *lane) send(ctx context.Context, log *eventlog.Log) error {
	defer l.close() // releases a feeder that waits for room
	stop := context.AfterFunc(ctx, l.close)
	defer stop()
	for {
		b := l.take()
		if b == nil {
			return ctx.Err()
		}
		l.measure(b)
		if _, err := log.Append(ctx, eventlog.CarsTopic, l.partition, b.records); err != nil {
			return fmt.Errorf("append to partition %d: %w", l.partition, err)
		}
		l.acknowledge(b)
	}
}

// take waits for the next load; nil when the lane is closed and empty.
func (l *lane) take() *load {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.waiting == nil && !l.closed {
		l.changed.Wait()
	}
	b := l.waiting
	l.waiting = nil
	l.changed.Broadcast()
	return b
}

// acknowledge notes when the events of a load were acknowledged.
func (l *lane) acknowledge(b *load) {
	if l.clock.speedup == 0 {
		return
	}
	now := time.Now().UnixNano()
	for _, intended := range b.intended {
		if intended < l.clock.live {
			continue
		}
		due := l.clock.moment(intended)
		late := max(now-due, 0)
		l.acked++
		if late <= int64(time.Second) {
			l.prompt++
		}
		l.slowest = max(l.slowest, late)
		if late > int64(slowAck) {
			second := due / int64(time.Second)
			l.slow[second] = max(l.slow[second], late)
		}
	}
}

// measure notes how late the events of a load are as they are handed to the log.
func (l *lane) measure(b *load) {
	if l.clock.speedup == 0 {
		return
	}
	now := time.Now().UnixNano()
	for _, intended := range b.intended {
		if intended >= l.clock.live {
			record(l.lag, max(now-l.clock.moment(intended), 0))
		}
	}
}
