// Package witness reads the log for the truth: with a reader and a decoder of its own, so that what a side has
// misread is not confirmed.
package witness

import (
	"context"
	"errors"
	"strconv"
	"time"

	"lambdakappa/bench/oracle"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// Wait is how long a read waits for a record that must be there.
const Wait = time.Second

// An Entry is one record with what it decodes to.
type Entry struct {
	Truth oracle.Entry
	Event event.CarSensor // what Truth.Event points to
	Key   []byte
	Value []byte
	Sent  int64 // the intended header, Unix ns; -1 when there is none
}

// Settle makes the truth about an entry point to the entry's own event, after it was copied.
func (e *Entry) Settle() {
	if e.Truth.Event != nil {
		e.Truth.Event = &e.Event
	}
}

// Read reads one partition of the input from an offset to end and sends it in blocks, which are the receiver's.
func Read(
	ctx context.Context, log *eventlog.Log, partition int, from, end int64, blocks chan<- []Entry,
) error {
	reader, err := log.Reader(ctx, eventlog.CarsTopic, partition, from)
	if err != nil {
		return err
	}
	defer reader.Close()
	decoder := event.NewDecoder(log)
	for at := from; at < end; {
		batch, err := reader.Read(ctx, Wait)
		if err != nil {
			return err
		}
		block, err := Decode(decoder, partition, batch.Records, end)
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

// Decode copies and decodes what one read returned, up to end. Its error is a registry that does not answer: what does not
// decode is an entry that says why.
func Decode(d *event.Decoder, partition int, records []eventlog.Record, end int64) ([]Entry, error) {
	block := make([]Entry, 0, len(records))
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
		block = append(block, Entry{Key: key, Value: arena[len(arena)-len(r.Value):], Sent: intendedOf(r)})
		e := &block[len(block)-1]
		e.Truth = oracle.Entry{
			Partition: partition, Offset: r.Offset, AppendTime: r.AppendTime,
			Fingerprint: event.Fingerprint(r.Value),
		}
		var reject *event.Reject
		switch err := d.Decode(e.Key, e.Value, &e.Event); {
		case err == nil:
			e.Truth.Event = &e.Event
		case errors.As(err, &reject):
			e.Truth.Reject = reject.Reason
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
