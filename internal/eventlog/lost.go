package eventlog

import (
	"context"
	"fmt"
)

// Lost says that the log was cut before somebody has read what they had to: retention was shorter
// than the reader was behind. The events are gone, and whoever goes on without them has to say so.
// It is an [ErrOutOfRange].
type Lost struct {
	Topic     string
	Partition int
	From, To  int64 // offsets [From, To)
}

func (l *Lost) Error() string {
	return fmt.Sprintf("lost: offsets [%d, %d) of %s/%d, %d events: the log was cut before they were read",
		l.From, l.To, l.Topic, l.Partition, l.To-l.From)
}

// Unwrap makes it an [ErrOutOfRange].
func (l *Lost) Unwrap() error { return ErrOutOfRange }

// LostBefore returns an error if a log that starts at start no longer has the offset from, nil if it
// has.
func LostBefore(topic string, partition int, from, start int64) error {
	if from >= start {
		return nil
	}
	return &Lost{Topic: topic, Partition: partition, From: from, To: start}
}

// outOfRange says why the log does not have the offset that comes next.
func (r *Reader) outOfRange(ctx context.Context) error {
	starts, err := r.log.StartOffsets(ctx, r.topic)
	if err != nil {
		return err
	}
	if err := LostBefore(r.topic, r.partition, r.next, starts[r.partition]); err != nil {
		return err
	}
	return fmt.Errorf("%w: offset %d", ErrOutOfRange, r.next)
}
