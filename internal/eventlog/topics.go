package eventlog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
)

// Sizes of topics, bytes.
const (
	// maxBatchBytes is what the broker takes as one batch: room for one large record beside
	// batchBytes, which is what Append aims for.
	maxBatchBytes = 8 << 20

	// Kafka keeps whole segments; large ones mean few files. It never compacts the newest
	// segment, so compacted topics have smaller ones.
	segmentBytes          = 1 << 30
	compactedSegmentBytes = 64 << 20

	// shortSegmentBytes is for topics whose beginning goes: disk is given back by whole segments, so a partition
	// takes what is kept and up to one segment more. A batch has to fit a segment, and clients that batch by
	// themselves make them as large as the broker takes; it is a minute of a partition at 2,000 events/s over two.
	shortSegmentBytes = maxBatchBytes
)

// Short are the settings of a topic that is trimmed by who writes it and is to take little room.
func Short() map[string]string {
	return map[string]string{"segment.bytes": strconv.Itoa(shortSegmentBytes)}
}

// Forgetting are the settings of a topic whose broker deletes what was appended longer ago than keep. Kafka deletes
// whole segments whose newest record is older, and never the newest segment: a segment is closed after an
// eighth of keep, so that at most that much more is kept. It compares append times with the broker's clock: what is
// appended with append times of long ago goes soon.
func Forgetting(keep time.Duration) map[string]string {
	settings := Short()
	settings["retention.ms"] = strconv.FormatInt(keep.Milliseconds(), 10)
	settings["segment.ms"] = strconv.FormatInt(max(keep/8, time.Second).Milliseconds(), 10)
	return settings
}

// A TopicSpec describes a topic. Time and size retention are off unless Settings say otherwise.
type TopicSpec struct {
	Name       string
	Partitions int
	Compacted  bool
	// Trimmed topics are compacted, and their oldest records may be deleted as well: Apache Kafka has
	// DeleteRecords only where the cleanup policy says so.
	Trimmed bool
	// Settings of the topic, as Kafka names them, which replace those that it would have.
	Settings map[string]string
}

// ErrSettings says that the cluster refuses a topic's settings.
var ErrSettings = errors.New("the cluster refuses its settings")

// CreateTopics creates the topics that do not exist; one that exists with another number of
// partitions is an error.
func (l *Log) CreateTopics(ctx context.Context, topics ...TopicSpec) error {
	for _, t := range topics {
		if err := l.createTopic(ctx, t); err != nil {
			return fmt.Errorf("create topic %s: %w", t.Name, err)
		}
	}
	return nil
}

func (l *Log) createTopic(ctx context.Context, spec TopicSpec) error {
	full, err := l.name("topic", spec.Name)
	if err != nil {
		return err
	}
	if spec.Partitions < 1 {
		return fmt.Errorf("%d partitions: must be at least 1", spec.Partitions)
	}
	err = l.retry(ctx, func(ctx context.Context) error {
		res, err := l.client.CreateTopics(ctx, &kafka.CreateTopicsRequest{
			Topics: []kafka.TopicConfig{spec.config(full)},
		})
		if err != nil {
			return err
		}
		return res.Errors[full]
	})
	if errors.Is(err, kafka.InvalidConfiguration) {
		return fmt.Errorf("%w: %w", ErrSettings, err)
	}
	if errors.Is(err, kafka.TopicAuthorizationFailed) || errors.Is(err, kafka.ClusterAuthorizationFailed) {
		// Who may not create topics may find them there, created by somebody else.
		if n, lookup := l.Partitions(ctx, spec.Name); lookup != nil || n == 0 {
			return err
		}
		err = nil
	}
	if err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
		return err
	}
	return l.checkPartitions(ctx, full, spec.Partitions)
}

// checkPartitions waits until every broker knows the topic and holds its partitions against n: each follows
// the controller at its own pace, and one that is behind tells whoever asks it that there is no such topic.
func (l *Log) checkPartitions(ctx context.Context, full string, n int) error {
	return l.retry(ctx, func(ctx context.Context) error {
		m, err := l.topicMetadata(ctx, full)
		if missing(err) {
			return notYet(err)
		}
		if err != nil {
			return err
		}
		if have := len(m.Topics[0].Partitions); have != n {
			return fmt.Errorf("it exists with %d partitions, not %d", have, n)
		}
		return l.knownTo(ctx, full, addrsOf(m))
	})
}

// knownTo returns a temporary error while one of the brokers does not know the topic. One that does not
// answer misleads nobody.
func (l *Log) knownTo(ctx context.Context, full string, brokers []string) error {
	for _, addr := range brokers {
		m, err := l.brokerMetadata(ctx, addr, []string{full})
		if err != nil {
			continue
		}
		if len(m.Topics) != 1 || missing(kafka.Error(m.Topics[0].ErrorCode)) {
			return notYet(fmt.Errorf("%s does not know it", addr))
		}
	}
	return ctx.Err()
}

// notYet makes what a broker says of a topic that was just created temporary.
func notYet(err error) error { return fmt.Errorf("%v yet: %w", err, kafka.LeaderNotAvailable) }

// config spells out every setting that a broker's defaults could otherwise decide. Kafka's time
// retention compares CreateTime, which may lie years back here, with the wall clock.
func (s TopicSpec) config(full string) kafka.TopicConfig {
	policy, segment := "delete", segmentBytes
	switch {
	case s.Trimmed:
		policy, segment = "compact,delete", compactedSegmentBytes
	case s.Compacted:
		policy, segment = "compact", compactedSegmentBytes
	}
	settings := map[string]string{
		"cleanup.policy":         policy,
		"retention.ms":           "-1",
		"retention.bytes":        "-1",
		"segment.bytes":          strconv.Itoa(segment),
		"max.message.bytes":      strconv.Itoa(maxBatchBytes),
		"message.timestamp.type": "CreateTime",
		"compression.type":       "producer",
	}
	maps.Copy(settings, s.Settings)
	config := kafka.TopicConfig{
		Topic:             full,
		NumPartitions:     s.Partitions,
		ReplicationFactor: -1, // the broker's default
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		config.ConfigEntries = append(config.ConfigEntries, kafka.ConfigEntry{ConfigName: name, ConfigValue: settings[name]})
	}
	return config
}

// DeleteTopics deletes the topics; one that does not exist is not an error.
func (l *Log) DeleteTopics(ctx context.Context, names ...string) error {
	var errs []error
	for _, name := range names {
		if err := l.deleteTopic(ctx, name); err != nil {
			errs = append(errs, fmt.Errorf("delete topic %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

func (l *Log) deleteTopic(ctx context.Context, name string) error {
	full, err := l.name("topic", name)
	if err != nil {
		return err
	}
	err = l.retry(ctx, func(ctx context.Context) error {
		res, err := l.client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{full}})
		if err != nil {
			return err
		}
		if err := res.Errors[full]; !errors.Is(err, kafka.UnknownTopicOrPartition) {
			return err
		}
		return nil
	})
	l.forgetCluster()
	return err
}

// Topics lists the topics that there are, by the names that this log gives them: of a shared cluster,
// those under its own prefix.
func (l *Log) Topics(ctx context.Context) ([]string, error) {
	var names []string
	err := l.retry(ctx, func(ctx context.Context) error {
		m, err := l.clusterMetadata(ctx, nil)
		if err != nil {
			return err
		}
		names = nil
		for _, t := range m.Topics {
			if name, own := strings.CutPrefix(t.Name, l.cfg.Prefix); own && !t.IsInternal {
				names = append(names, name)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	return names, nil
}

// Partitions returns the number of partitions of a topic; 0 when the topic does not exist.
func (l *Log) Partitions(ctx context.Context, topic string) (int, error) {
	full, err := l.name("topic", topic)
	if err != nil {
		return 0, err
	}
	var n int
	err = l.retry(ctx, func(ctx context.Context) error {
		m, err := l.topicMetadata(ctx, full)
		if errors.Is(err, kafka.UnknownTopicOrPartition) {
			n = 0
			return nil
		}
		if err != nil {
			return err
		}
		n = len(m.Topics[0].Partitions)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("look up topic %s: %w", topic, err)
	}
	return n, nil
}
