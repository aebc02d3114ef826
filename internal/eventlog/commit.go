package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// maxMetadataBytes is Kafka's offset.metadata.max.bytes.
const maxMetadataBytes = 4096

// ErrNotMember says that the group has moved on to another generation: the partition may belong
// to somebody else by now.
var ErrNotMember = errors.New("no longer a member of this generation of the group")

// A Commit is a committed position of a group with what belongs to it.
type Commit struct {
	Offset   int64  // next offset to read; -1 when nothing was committed
	Metadata string // at most 4096 bytes
}

// Commit commits the position of a partition that this member holds. It fails with [ErrNotMember]
// when the group has moved on to another generation.
func (m *Member) Commit(ctx context.Context, partition int, c Commit) error {
	if err := m.commit(ctx, partition, c); err != nil {
		return fmt.Errorf("commit offset %d of %s/%d: %w", c.Offset, m.topic, partition, err)
	}
	return nil
}

func (m *Member) commit(ctx context.Context, partition int, c Commit) error {
	if len(c.Metadata) > maxMetadataBytes {
		return fmt.Errorf("%d bytes of metadata, at most %d are kept", len(c.Metadata), maxMetadataBytes)
	}
	// Generation.CommitOffsets has no metadata, so the request is made by hand.
	return m.log.retry(ctx, func(ctx context.Context) error {
		for start := time.Now(); ; {
			err := m.commitOnce(ctx, partition, c)
			if !movedOn(err) {
				return err
			}
			if err := m.waitOut(ctx, partition, start, err); err != nil {
				return err
			}
		}
	})
}

// commitOnce commits under the member's generation of now.
func (m *Member) commitOnce(ctx context.Context, partition int, c Commit) error {
	id, generation, err := m.now()
	if err != nil {
		return err
	}
	res, err := m.log.client.OffsetCommit(ctx, &kafka.OffsetCommitRequest{
		GroupID: m.group, GenerationID: int(generation), MemberID: id,
		Topics: map[string][]kafka.OffsetCommit{
			m.topic: {{Partition: partition, Offset: c.Offset, Metadata: c.Metadata}},
		},
	})
	if err != nil {
		return err
	}
	for _, p := range res.Topics[m.topic] {
		if p.Error != nil {
			return p.Error
		}
	}
	return nil
}

func movedOn(err error) bool {
	return errors.Is(err, kafka.IllegalGeneration) || errors.Is(err, kafka.UnknownMemberId) ||
		errors.Is(err, kafka.RebalanceInProgress)
}

// Committed returns what a group has committed, per partition of topic; offsets of -1 for a group
// that does not exist (kfake says that it does not, Apache Kafka says offset -1).
func (l *Log) Committed(ctx context.Context, group, topic string) ([]Commit, error) {
	fullGroup, err := l.name("group", group)
	if err != nil {
		return nil, err
	}
	n, err := l.Partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	var commits []Commit
	err = l.retry(ctx, func(ctx context.Context) error {
		commits, err = l.committed(ctx, fullGroup, l.cfg.Prefix+topic, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("offsets of group %s: %w", group, err)
	}
	return commits, nil
}

func (l *Log) committed(ctx context.Context, group, topic string, n int) ([]Commit, error) {
	commits := make([]Commit, n)
	partitions := make([]int, n)
	for i := range partitions {
		commits[i].Offset, partitions[i] = -1, i
	}
	res, err := l.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{
		GroupID: group, Topics: map[string][]int{topic: partitions},
	})
	if err != nil {
		return nil, err
	}
	if errors.Is(res.Error, kafka.GroupIdNotFound) {
		return commits, nil // nobody has joined it yet, so nothing was committed
	}
	if res.Error != nil {
		return nil, res.Error
	}
	for _, p := range res.Topics[topic] {
		if p.Error != nil {
			return nil, p.Error
		}
		commits[p.Partition] = Commit{p.CommittedOffset, p.Metadata}
	}
	return commits, nil
}
