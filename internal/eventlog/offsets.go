package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/listoffsets"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// StartOffsets returns the first offset of every partition.
func (l *Log) StartOffsets(ctx context.Context, topic string) ([]int64, error) {
	return l.listOffsets(ctx, topic, kafka.FirstOffset, readCommitted)
}

// EndOffsets returns the exclusive end of every partition, as far as it can be read: where there are
// transactions, the last stable offset.
func (l *Log) EndOffsets(ctx context.Context, topic string) ([]int64, error) {
	return l.listOffsets(ctx, topic, kafka.LastOffset, readCommitted)
}

// AppendedOffsets returns the exclusive end of every partition with all that was appended and acknowledged: also what
// cannot be read yet because of a transaction that is open. Who needs all that somebody has written, and not only what can
// be read by now, reads up to there.
func (l *Log) AppendedOffsets(ctx context.Context, topic string) ([]int64, error) {
	return l.listOffsets(ctx, topic, kafka.LastOffset, readUncommitted)
}

// AwaitStable waits until nothing of what a topic has now is part of a transaction that is open. Apache Kafka
// answers a commit when it is decided, and readers of one partition may see it before those of another.
func (l *Log) AwaitStable(ctx context.Context, topic string) error {
	appended, err := l.AppendedOffsets(ctx, topic)
	if err != nil {
		return err
	}
	for {
		stable, err := l.EndOffsets(ctx, topic)
		if err != nil {
			return err
		}
		if reaches(stable, appended) {
			return nil
		}
		if err := pause(ctx, firstBackoff); err != nil {
			return err
		}
	}
}

func reaches(offsets, ends []int64) bool {
	for i, end := range ends {
		if offsets[i] < end {
			return false
		}
	}
	return true
}

// OffsetsAt returns, per partition, the first offset whose append time is at or after t, or the
// end offset when there is none.
func (l *Log) OffsetsAt(ctx context.Context, topic string, t time.Time) ([]int64, error) {
	if t.UnixMilli() < 0 {
		return nil, fmt.Errorf("offsets of %s at %s: before 1970", topic, t.Format(time.RFC3339))
	}
	// The ends are asked first: what is appended in between is not "none".
	ends, err := l.EndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	offsets, err := l.listOffsets(ctx, topic, t.UnixMilli(), readCommitted)
	if err != nil {
		return nil, err
	}
	for i := range offsets {
		if offsets[i] < 0 {
			offsets[i] = ends[i]
		}
	}
	return offsets, nil
}

// listOffsets asks for one offset per partition: at a time (Unix ms), or at one of kafka-go's
// marks, as a reader of that isolation. -1 stands for "no such offset".
func (l *Log) listOffsets(ctx context.Context, topic string, at int64, isolation int8) ([]int64, error) {
	full, err := l.name("topic", topic)
	if err != nil {
		return nil, err
	}
	var offsets []int64
	err = l.retry(ctx, func(ctx context.Context) error {
		m, err := l.topicMetadata(ctx, full)
		if err != nil {
			return err
		}
		offsets = make([]int64, len(m.Topics[0].Partitions))
		return l.listOffsetsOf(ctx, full, at, isolation, offsets)
	})
	if err != nil {
		return nil, fmt.Errorf("list offsets of %s: %w", topic, err)
	}
	return offsets, nil
}

// listOffsetsOf fills offsets. It goes below kafka-go's Client, whose answer cannot tell the
// offset -1 of a time that nothing reaches from the end of the partition.
func (l *Log) listOffsetsOf(ctx context.Context, full string, at int64, isolation int8, offsets []int64) error {
	partitions := make([]listoffsets.RequestPartition, len(offsets))
	for i := range partitions {
		partitions[i] = listoffsets.RequestPartition{
			Partition: int32(i), CurrentLeaderEpoch: -1, Timestamp: at,
		}
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	m, err := l.transport.RoundTrip(ctx, l.client.Addr, &listoffsets.Request{
		ReplicaID: -1, IsolationLevel: isolation,
		Topics: []listoffsets.RequestTopic{{Topic: full, Partitions: partitions}},
	})
	if err != nil {
		return err
	}
	seen := 0
	for _, t := range m.(*listoffsets.Response).Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 {
				return kafka.Error(p.ErrorCode)
			}
			offsets[p.Partition] = p.Offset
			seen++
		}
	}
	if seen != len(offsets) {
		return kafka.UnknownTopicOrPartition // its cached picture lacks some of them
	}
	return nil
}

// DeleteRecords deletes everything before the given offset of every partition. Where that is gone
// already nothing happens. The error is an [ErrRefused] when the topic's policy is compact alone, or when we have
// no right to.
func (l *Log) DeleteRecords(ctx context.Context, topic string, before []int64) error {
	full, err := l.name("topic", topic)
	if err != nil {
		return err
	}
	starts, err := l.StartOffsets(ctx, topic)
	if err != nil {
		return err
	}
	offsets := kadm.Offsets{}
	for partition, offset := range before {
		// Apache Kafka takes an offset before the start of the log, the embedded broker refuses it.
		if partition >= len(starts) || offset > starts[partition] {
			offsets.AddOffset(full, int32(partition), offset, -1)
		}
	}
	if len(offsets) == 0 {
		return nil
	}
	// kafka-go has no DeleteRecords.
	client, err := l.asker()
	if err != nil {
		return fmt.Errorf("delete records of %s: %w", topic, err)
	}
	responses, err := kadm.NewClient(client).DeleteRecords(ctx, offsets)
	err = errors.Join(err, responses.Error())
	if errors.Is(err, kerr.PolicyViolation) || errors.Is(err, kerr.TopicAuthorizationFailed) {
		err = errors.Join(ErrRefused, err)
	}
	if err != nil {
		return fmt.Errorf("delete records of %s: %w", topic, err)
	}
	return nil
}
