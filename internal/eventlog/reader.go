package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// ErrOutOfRange says that a reader asked for an offset that the log no longer has, or never had.
var ErrOutOfRange = errors.New("offset is out of range")

// A Reader reads one partition in order: what was committed, where there are transactions. It is not
// safe for concurrent use.
type Reader struct {
	log       *Log
	topic     string // as the caller says it
	full      string
	partition int
	compacted bool // see CompactedReader
	next      int64
	conn      *fetchConn // nil when it has to connect
	buf       []byte     // the last connection's buffer
	decoder   batchDecoder
	bytes     int64 // see BytesRead
}

// A Batch is what one Read returned.
type Batch struct {
	Records []Record // may be empty; records and their bytes are valid until the next Read
	Next    int64    // the offset that the next Read starts at
	End     int64    // where the partition could be read to when the broker answered
}

// Reader returns a reader of one partition that starts at offset. It fails when the topic or
// partition does not exist; the offset is not looked at before the first Read.
func (l *Log) Reader(ctx context.Context, topic string, partition int, offset int64) (*Reader, error) {
	full, err := l.name("topic", topic)
	if err != nil {
		return nil, err
	}
	r := &Reader{log: l, topic: topic, full: full, partition: partition, next: offset}
	if err := l.retry(ctx, r.connect); err != nil {
		return nil, r.wrap(err)
	}
	return r, nil
}

// Read returns what is there, waiting at most maxWait for the first record. It reconnects by
// itself when the broker goes away for a while; it returns ctx's error when ctx ends, [*Lost] when
// the log was cut beyond its offset, and [ErrOutOfRange] when it does not reach to it. After an error
// the next Read starts where this one should have.
func (r *Reader) Read(ctx context.Context, maxWait time.Duration) (Batch, error) {
	var lost loss
	for wait := firstBackoff; ; wait = min(2*wait, maxBackoff) {
		b, err := r.read(ctx, maxWait)
		if err == nil {
			return b, nil
		}
		r.disconnect()
		if ctx.Err() != nil {
			return Batch{}, ctx.Err()
		}
		if r.skipCompacted(ctx, err) {
			continue
		}
		if !retriable(err) || lost.forGood(err) {
			return Batch{}, r.wrap(err)
		}
		if err := pause(ctx, wait); err != nil {
			return Batch{}, err
		}
	}
}

// Gather returns what is there when wait is over, and all of it that fits a fetch: fewer and larger
// fetches than by Read, for a caller that is at the end of the log and can do nothing with an event
// before then.
func (r *Reader) Gather(ctx context.Context, wait time.Duration) (Batch, error) {
	if err := pause(ctx, wait); err != nil {
		return Batch{}, err
	}
	return r.Read(ctx, 0)
}

func (r *Reader) read(ctx context.Context, maxWait time.Duration) (Batch, error) {
	if r.conn == nil {
		if err := r.connect(ctx); err != nil {
			return Batch{}, err
		}
	}
	f, err := r.conn.fetch(ctx, r.next, maxWait)
	if errors.Is(err, kafka.OffsetOutOfRange) {
		return Batch{}, r.outOfRange(ctx)
	}
	if err != nil {
		return Batch{}, err
	}
	r.bytes += f.size
	r.decoder.reset()
	next, err := r.decoder.decode(f.set, r.next, f.aborted)
	if err != nil {
		return Batch{}, err
	}
	r.next = next
	return Batch{Records: r.decoder.records, Next: next, End: f.end}, nil
}

// Rewind lets the next Read start at offset, which an earlier one has passed.
func (r *Reader) Rewind(offset int64) { r.next = offset }

// BytesRead returns how many bytes the broker has sent in answer to all Reads: whole responses, also
// the part of a batch that was before the offset that was asked for.
func (r *Reader) BytesRead() int64 { return r.bytes }

// connect dials the partition's present leader.
func (r *Reader) connect(ctx context.Context) error {
	addr, err := r.log.leaderAddr(ctx, r.full, r.partition)
	if err != nil {
		return err
	}
	conn, err := r.log.cfg.dial(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	r.conn = newFetchConn(conn, r.full, r.partition)
	r.conn.buf = r.buf
	return nil
}

func (r *Reader) disconnect() error {
	if r.conn == nil {
		return nil
	}
	err := r.conn.conn.Close()
	r.buf, r.conn = r.conn.buf, nil
	return err
}

// Close closes the reader's connection.
func (r *Reader) Close() error { return r.disconnect() }

func (r *Reader) wrap(err error) error {
	return fmt.Errorf("read %s/%d: %w", r.topic, r.partition, err)
}
