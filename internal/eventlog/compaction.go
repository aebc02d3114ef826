package eventlog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// eager are settings under which a cluster compacts a topic as soon as it can: the newest segment, which is
// never compacted, is closed by the next append, and no share of the log is too small to be worth it.
var eager = map[string]string{"segment.ms": "100", "min.cleanable.dirty.ratio": "0"}

// compactLimit is how long a cluster may take. It looks every log.cleaner.backoff.ms (15 s by default).
const compactLimit = 90 * time.Second

// Compact has a cluster compact our compacted topics now, while somebody appends to them, and returns when it
// has dropped records and goes on to drop none. Their settings are as before then. The embedded broker has
// [CompactPath] for that.
func (l *Log) Compact(ctx context.Context) error {
	client, err := l.franz()
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	topics, err := l.compacted(ctx, admin)
	if err != nil || len(topics) == 0 {
		return err
	}
	before, err := l.heldBy(ctx, topics)
	if err != nil {
		return err
	}
	if err := l.configure(ctx, admin, topics, kadm.SetConfig, eager); err != nil {
		return err
	}
	if err = l.awaitCompaction(ctx, before); err != nil {
		err = fmt.Errorf("compact %s: %w", strings.Join(topics, ", "), err)
	}
	// The topics are as before, whatever became of it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return errors.Join(err, l.configure(ctx, admin, topics, kadm.DeleteConfig, eager))
}

// compacted are the names of our topics that are compacted, those that are trimmed as well among them.
func (l *Log) compacted(ctx context.Context, admin *kadm.Client) ([]string, error) {
	all, err := l.fullTopics(ctx)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	described, err := admin.DescribeTopicConfigs(ctx, all...)
	if err != nil {
		return nil, fmt.Errorf("look which topics are compacted: %w", err)
	}
	var names []string
	for _, topic := range described {
		for _, c := range topic.Configs {
			if c.Key == "cleanup.policy" && strings.Contains(c.MaybeValue(), "compact") {
				names = append(names, strings.TrimPrefix(topic.Name, l.cfg.Prefix))
			}
		}
	}
	return names, nil
}

func (l *Log) configure(
	ctx context.Context, admin *kadm.Client, topics []string, op kadm.IncrementalOp, settings map[string]string,
) error {
	var changes []kadm.AlterConfig
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		value := settings[name]
		changes = append(changes, kadm.AlterConfig{Op: op, Name: name, Value: &value})
	}
	full := make([]string, len(topics))
	for i, topic := range topics {
		full[i] = l.cfg.Prefix + topic
	}
	done, err := admin.AlterTopicConfigs(ctx, changes, full...)
	for _, topic := range done {
		err = errors.Join(err, topic.Err)
	}
	if err != nil {
		return fmt.Errorf("change the settings of %s: %w", strings.Join(topics, ", "), err)
	}
	return nil
}

// A held is what a partition has: the offsets of its records, ascending.
type held struct {
	topic     string
	partition int
	offsets   []int64
}

// awaitCompaction waits until records are gone that were held, and no more of them are a moment later.
func (l *Log) awaitCompaction(ctx context.Context, before []held) error {
	gone := 0
	for start := time.Now(); time.Since(start) < compactLimit; {
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
		now := 0
		for _, h := range before {
			n, err := l.dropped(ctx, h)
			if err != nil {
				return err
			}
			now += n
		}
		if now > 0 && now == gone {
			return nil
		}
		gone = now
	}
	if gone > 0 {
		return nil
	}
	return fmt.Errorf("after %s nothing has been dropped", compactLimit)
}

// dropped counts the records that were held and are gone. What lies before the partition's start does not count:
// it was trimmed.
func (l *Log) dropped(ctx context.Context, h held) (int, error) {
	if len(h.offsets) == 0 {
		return 0, nil
	}
	starts, err := l.StartOffsets(ctx, h.topic)
	if err != nil {
		return 0, err
	}
	first, _ := slices.BinarySearch(h.offsets, starts[h.partition])
	had := h.offsets[first:]
	if len(had) == 0 {
		return 0, nil
	}
	has, err := l.offsets(ctx, h.topic, h.partition, had[0], had[len(had)-1]+1)
	return len(had) - len(has), err
}

// heldBy is what every partition of the topics has.
func (l *Log) heldBy(ctx context.Context, topics []string) (all []held, err error) {
	for _, topic := range topics {
		starts, err := l.StartOffsets(ctx, topic)
		if err != nil {
			return nil, err
		}
		ends, err := l.EndOffsets(ctx, topic)
		if err != nil {
			return nil, err
		}
		for p := range ends {
			offsets, err := l.offsets(ctx, topic, p, starts[p], ends[p])
			if err != nil {
				return nil, err
			}
			all = append(all, held{topic, p, offsets})
		}
	}
	return all, nil
}

// offsets are those of the records of a partition in [from, end).
func (l *Log) offsets(ctx context.Context, topic string, partition int, from, end int64) (all []int64, err error) {
	if from >= end {
		return nil, nil
	}
	reader, err := l.CompactedReader(ctx, topic, partition, from)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	for next := from; next < end; {
		b, err := reader.Read(ctx, 0)
		if err != nil {
			return nil, err
		}
		for i := range b.Records {
			if at := b.Records[i].Offset; at >= from && at < end {
				all = append(all, at)
			}
		}
		if next = b.Next; len(b.Records) == 0 && b.Next >= b.End {
			break // the rest was dropped
		}
	}
	return all, nil
}
