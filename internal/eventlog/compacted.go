package eventlog

import (
	"context"
	"errors"
)

// CompactedReader returns a reader of one partition of a compacted topic. It starts at offset, or
// at the first one that is left when compaction has moved the start of the log beyond it: whoever
// reads a compacted topic wants the latest record of every key, and those are all still there.
//
// On the embedded broker compaction moves the start of the log; on Apache Kafka it never does.
func (l *Log) CompactedReader(
	ctx context.Context, topic string, partition int, offset int64,
) (*Reader, error) {
	r, err := l.Reader(ctx, topic, partition, offset)
	if err != nil {
		return nil, err
	}
	r.compacted = true
	return r, nil
}

// skipCompacted moves a reader that has just been told err to what compaction has left. It
// reports whether the reader can go on.
func (r *Reader) skipCompacted(ctx context.Context, err error) bool {
	if !r.compacted || !errors.Is(err, ErrOutOfRange) {
		return false
	}
	starts, err := r.log.StartOffsets(ctx, r.topic)
	if err != nil || r.partition >= len(starts) || starts[r.partition] <= r.next {
		return false
	}
	r.next = starts[r.partition]
	return true
}
