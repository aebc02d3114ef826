package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"lambdakappa/bench/oracle"
	"lambdakappa/datagen"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// readbackWait is how long a read waits for a record that must be there.
const readbackWait = time.Second

// A readback reads the whole input log in the order in which it was planned, with readers and
// decoders of its own, and checks it event by event: every planned event is there exactly once,
// byte by byte, and the events of a partition are in the order in which they were sent.
type readback struct {
	partitions []*tape
	encoder    *event.Encoder
	past       *past
	want       []byte // scratch
}

// A tape is one partition as a readback sees it.
type tape struct {
	blocks chan []entry
	block  []entry
	wake   wake // empty unless events may come twice
}

// An entry is one record with what it decodes to.
type entry struct {
	truth oracle.Entry
	event event.CarSensor // what truth.Event points to
	key   []byte
	value []byte
	sent  int64 // the intended header, Unix ns
}

// readBack hands every entry of [0, end) to keep and returns an error that names the first event
// that is lost, doubled, changed or out of order.
func readBack(
	ctx context.Context, log *eventlog.Log, plan datagen.Source, end []int64, since *past,
	keep func(*oracle.Entry),
) error {
	ids, err := log.RegisterSchemas(ctx, event.Subject, event.Schemas[:]...)
	if err != nil {
		return fmt.Errorf("look up schema: %w", err)
	}
	if s, ok := plan.(*datagen.Stream); ok {
		s.UseSchemas(ids...)
	}
	r := &readback{encoder: event.NewEncoder(ids...), past: since}
	since.repeated = 0
	g, ctx := errgroup.WithContext(ctx)
	for p := range end {
		t := &tape{blocks: make(chan []entry, 4), block: since.forgotten[p]}
		r.partitions = append(r.partitions, t)
		g.Go(func() error {
			defer close(t.blocks)
			return readTape(ctx, log, p, since.from(p), end[p], t.blocks)
		})
	}
	g.Go(func() error { return r.compare(ctx, plan, keep) })
	if err := g.Wait(); err != nil {
		return fmt.Errorf("read log back: %w", err)
	}
	return nil
}

// compare walks the plan and the log side by side.
func (r *readback) compare(ctx context.Context, plan datagen.Source, keep func(*oracle.Entry)) error {
	var p datagen.Planned
	for plan.Next(&p) {
		t := r.partitions[eventlog.PartitionOf([]byte(p.Event.CarID), len(r.partitions))]
		e, err := r.again(t, func(e *entry) error { return r.same(&p, e) }, keep)
		if err != nil {
			return err
		}
		if e == nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("lost: %s/%d (%s) is not on the log", p.Event.CarID, p.Event.Seq, p.Kind)
		}
		keep(&e.truth)
	}
	if s, ok := plan.(interface{ Err() error }); ok && s.Err() != nil {
		return s.Err()
	}
	for _, t := range r.partitions {
		if r.past.redriven {
			t.rest(keep)
			continue
		}
		_, err := r.again(t, func(e *entry) error {
			return fmt.Errorf("unplanned: partition %d offset %d holds %s, which nobody planned",
				e.truth.Partition, e.truth.Offset, e.key)
		}, keep)
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// same checks one record against its plan.
func (r *readback) same(p *datagen.Planned, e *entry) error {
	var err error
	if r.want, err = p.Append(r.want[:0], r.encoder); err != nil {
		return err
	}
	switch {
	case string(e.key) != p.Event.CarID || !bytes.Equal(e.value, r.want):
		return fmt.Errorf("partition %d offset %d holds %s, planned was %s/%d (%s): lost, doubled or moved",
			e.truth.Partition, e.truth.Offset, describe(e), p.Event.CarID, p.Event.Seq, p.Kind)
	case e.sent != p.Intended || !r.past.stamped && e.truth.AppendTime != p.Intended/1e6:
		return fmt.Errorf("partition %d offset %d (%s): intended %d and append time %d, planned was %d",
			e.truth.Partition, e.truth.Offset, describe(e), e.sent, e.truth.AppendTime, p.Intended)
	}
	return nil
}

func describe(e *entry) string {
	if e.truth.Event == nil {
		return fmt.Sprintf("a %s event of %s", e.truth.Reject, e.key)
	}
	return fmt.Sprintf("%s/%d", e.event.CarID, e.event.Seq)
}

// next returns the next entry of the partition, valid until the next call; false at its end.
func (t *tape) next() (*entry, bool) {
	for len(t.block) == 0 {
		block, ok := <-t.blocks
		if !ok {
			return nil, false
		}
		t.block = block
	}
	e := &t.block[0]
	t.block = t.block[1:]
	return e, true
}

// rest hands on everything that is left of a partition.
func (t *tape) rest(keep func(*oracle.Entry)) {
	for e, ok := t.next(); ok; e, ok = t.next() {
		keep(&e.truth)
	}
}

// readTape reads one partition from an offset to end in blocks.
func readTape(
	ctx context.Context, log *eventlog.Log, partition int, from, end int64, blocks chan<- []entry,
) error {
	reader, err := log.Reader(ctx, eventlog.CarsTopic, partition, from)
	if err != nil {
		return err
	}
	defer reader.Close()
	decoder := event.NewDecoder(log)
	for at := from; at < end; {
		batch, err := reader.Read(ctx, readbackWait)
		if err != nil {
			return err
		}
		block, err := decodeBlock(decoder, partition, batch.Records, end)
		if err != nil {
			return err
		}
		at = batch.Next
		select {
		case blocks <- block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// decodeBlock copies and decodes what one read returned, up to end.
func decodeBlock(d *event.Decoder, partition int, records []eventlog.Record, end int64) ([]entry, error) {
	block := make([]entry, 0, len(records))
	var size int
	for i := range records {
		size += len(records[i].Key) + len(records[i].Value)
	}
	arena := make([]byte, 0, size)
	for i := range records {
		r := &records[i]
		if r.Offset >= end {
			break
		}
		arena = append(arena, r.Key...)
		key := arena[len(arena)-len(r.Key):]
		arena = append(arena, r.Value...)
		block = append(block, entry{key: key, value: arena[len(arena)-len(r.Value):], sent: intendedOf(r)})
		e := &block[len(block)-1]
		e.truth = oracle.Entry{
			Partition: partition, Offset: r.Offset, AppendTime: r.AppendTime,
			Fingerprint: event.Fingerprint(r.Value),
		}
		var reject *event.Reject
		switch err := d.Decode(e.key, e.value, &e.event); {
		case err == nil:
			e.truth.Event = &e.event
		case errors.As(err, &reject):
			e.truth.Reject = reject.Reason
		default:
			return nil, err
		}
	}
	return block, nil
}

// intendedOf returns the intended send time of a record, -1 when its header is missing or broken.
func intendedOf(r *eventlog.Record) int64 {
	for _, h := range r.Headers {
		if h.Key != eventlog.IntendedHeader {
			continue
		}
		if n, err := strconv.ParseInt(string(h.Value), 10, 64); err == nil {
			return n
		}
	}
	return -1
}
