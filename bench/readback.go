package bench

import (
	"bytes"
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"lambdakappa/bench/oracle"
	"lambdakappa/bench/witness"
	"lambdakappa/datagen"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

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
	blocks chan []witness.Entry
	block  []witness.Entry
	wake   wake // empty unless events may come twice
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
		t := &tape{blocks: make(chan []witness.Entry, 4), block: since.forgotten[p]}
		r.partitions = append(r.partitions, t)
		g.Go(func() error {
			defer close(t.blocks)
			return witness.Read(ctx, log, p, since.from(p), end[p], t.blocks)
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
		e, err := r.again(t, func(e *witness.Entry) error { return r.same(&p, e) }, keep)
		if err != nil {
			return err
		}
		if e == nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("lost: %s/%d (%s) is not on the log", p.Event.CarID, p.Event.Seq, p.Kind)
		}
		keep(&e.Truth)
	}
	if s, ok := plan.(interface{ Err() error }); ok && s.Err() != nil {
		return s.Err()
	}
	for _, t := range r.partitions {
		if r.past.redriven {
			t.rest(keep)
			continue
		}
		_, err := r.again(t, func(e *witness.Entry) error {
			return fmt.Errorf("unplanned: partition %d offset %d holds %s, which nobody planned",
				e.Truth.Partition, e.Truth.Offset, e.Key)
		}, keep)
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// same checks one record against its plan.
func (r *readback) same(p *datagen.Planned, e *witness.Entry) error {
	var err error
	if r.want, err = p.Append(r.want[:0], r.encoder); err != nil {
		return err
	}
	switch {
	case string(e.Key) != p.Event.CarID || !bytes.Equal(e.Value, r.want):
		return fmt.Errorf("partition %d offset %d holds %s, planned was %s/%d (%s): lost, doubled or moved",
			e.Truth.Partition, e.Truth.Offset, describe(e), p.Event.CarID, p.Event.Seq, p.Kind)
	case e.Sent != p.Intended || !r.past.stamped && e.Truth.AppendTime != p.Intended/1e6:
		return fmt.Errorf("partition %d offset %d (%s): intended %d and append time %d, planned was %d",
			e.Truth.Partition, e.Truth.Offset, describe(e), e.Sent, e.Truth.AppendTime, p.Intended)
	}
	return nil
}

func describe(e *witness.Entry) string {
	if e.Truth.Event == nil {
		return fmt.Sprintf("a %s event of %s", e.Truth.Reject, e.Key)
	}
	return fmt.Sprintf("%s/%d", e.Event.CarID, e.Event.Seq)
}

// next returns the next entry of the partition, valid until the next call; false at its end.
func (t *tape) next() (*witness.Entry, bool) {
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
		keep(&e.Truth)
	}
}
