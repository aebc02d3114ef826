package eventlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// A housekeeper keeps house in the embedded broker, every interval: it deletes what retention.ms says, and compacts.
//
// It does the former itself. The broker's own retention begins behind the *last* batch whose records are too old, and
// one that is appended with the append time of long ago (a dead letter that is sent again) would take all that is
// newer with it. And it empties a partition that has been quiet for long, which has then forgotten its end when
// the broker starts again. Like Kafka's, this one goes from the beginning of the log to the first record that is
// young enough, and leaves the newest.
type housekeeper struct {
	broker *Broker
	admin  *kadm.Client
	path   string

	// keep is the retention.ms of topics, taken over from their settings, where the broker would find it.
	keep map[string]int64
}

// retentionFile is where a housekeeper remembers, in the broker's folder, the retention of topics.
const retentionFile = "retention.json"

func newHousekeeper(b *Broker, dir string) (*housekeeper, error) {
	h := &housekeeper{
		broker: b, admin: kadm.NewClient(b.client),
		path: filepath.Join(dir, retentionFile), keep: map[string]int64{},
	}
	text, err := os.ReadFile(h.path)
	if err == nil {
		err = json.Unmarshal(text, &h.keep)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w", h.path, err)
	}
	return h, nil
}

// run keeps house every interval until ctx ends. What fails is told, and tried again.
func (h *housekeeper) run(ctx context.Context, interval time.Duration, notify func(fact string, fields ...any)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		began := time.Now()
		err := h.keepHouse(ctx)
		switch {
		case notify == nil || ctx.Err() != nil:
		case err != nil:
			notify("housekeeping failed", "error", err.Error())
		default:
			notify("housekeeping", "ms", time.Since(began).Milliseconds())
		}
	}
}

// keepHouse does it once.
func (h *housekeeper) keepHouse(ctx context.Context) error {
	topics, err := h.broker.topics(ctx)
	if err != nil {
		return err
	}
	if err := h.takeOver(ctx, topics); err != nil {
		return fmt.Errorf("take over retention: %w", err)
	}
	if err := h.shorten(ctx, topics); err != nil {
		return fmt.Errorf("shorten segments: %w", err)
	}
	for topic, keep := range h.keep {
		if err := h.forget(ctx, topic, time.Duration(keep)*time.Millisecond); err != nil {
			return fmt.Errorf("apply the retention of %s: %w", topic, err)
		}
	}
	if err := h.broker.compactor.now(ctx); !errors.Is(err, errTransacting) {
		return err
	}
	return nil // there is a next time
}

// takeOver takes the retention of topics over: first it is remembered, then the broker's own is switched off.
func (h *housekeeper) takeOver(ctx context.Context, topics []string) error {
	var taken []string
	left := map[string]int64{}
	for _, topic := range topics {
		if keep, known := h.keep[topic]; known {
			left[topic] = keep
		}
		if keep := h.setting(topic, "retention.ms"); keep >= 0 {
			left[topic] = keep
			taken = append(taken, topic)
		}
	}
	if len(taken) == 0 && len(left) == len(h.keep) {
		return nil
	}
	h.keep = left
	text, err := json.Marshal(h.keep)
	if err == nil {
		err = h.remember(text)
	}
	if err != nil {
		return err
	}
	return h.set(ctx, taken, "retention.ms", -1)
}

// keptSegmentBytes are the segments of topics that are trimmed by who writes them and not compacted, see [Short]. The index of
// a segment, some 80 B for each batch, grows until the segment is full, and alerts come in batches of a few hundred bytes:
// they take half an hour to fill what Kafka demands. Unlike Kafka's, this broker's batches may be larger than its segments,
// since it closes one behind the batch that fills it.
const keptSegmentBytes = 1 << 20

// shorten makes the segments of such topics shorter. Those of compacted topics are written anew by every compaction, and
// those of topics with a retention are full soon enough.
func (h *housekeeper) shorten(ctx context.Context, topics []string) error {
	var long []string
	for _, topic := range topics {
		_, forgets := h.keep[topic]
		compacted := strings.Contains(h.text(topic, "cleanup.policy"), "compact")
		if !forgets && !compacted && h.setting(topic, "segment.bytes") == shortSegmentBytes {
			long = append(long, topic)
		}
	}
	return h.set(ctx, long, "segment.bytes", keptSegmentBytes)
}

// set sets one setting of topics, of those that are still there.
func (h *housekeeper) set(ctx context.Context, topics []string, name string, value int64) error {
	if len(topics) == 0 {
		return nil
	}
	text := strconv.FormatInt(value, 10)
	done, err := h.admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: name, Value: &text}}, topics...)
	for _, topic := range done {
		if !errors.Is(topic.Err, kerr.UnknownTopicOrPartition) {
			err = errors.Join(err, topic.Err)
		}
	}
	return err
}

// remember writes the retention of topics aside and renames: a broker that is killed meanwhile starts with one or the other.
func (h *housekeeper) remember(text []byte) error {
	aside := h.path + ".new"
	if err := os.WriteFile(aside, text, 0o644); err != nil {
		return err
	}
	return os.Rename(aside, h.path)
}

// setting is a number among a topic's settings; -1 is none.
func (h *housekeeper) setting(topic, name string) int64 {
	number, err := strconv.ParseInt(h.text(topic, name), 10, 64)
	if err != nil {
		return -1
	}
	return number
}

// text is one of a topic's settings as it was given; "" is none.
func (h *housekeeper) text(topic, name string) string {
	info := h.broker.cluster.TopicInfo(topic)
	if info == nil || info.Configs[name] == nil {
		return ""
	}
	return *info.Configs[name]
}

// forget deletes the first records of every partition of a topic that are older than keep, but for the newest.
func (h *housekeeper) forget(ctx context.Context, topic string, keep time.Duration) error {
	young, err := h.admin.ListOffsetsAfterMilli(ctx, time.Now().Add(-keep).UnixMilli(), topic)
	if err = errors.Join(err, young.Error()); err != nil {
		return err
	}
	for _, p := range h.broker.cluster.PartitionInfos(topic) {
		first, known := young.Lookup(topic, p.Partition)
		to := min(first.Offset, p.HighWatermark-1)
		if !known || to <= p.LogStartOffset {
			continue
		}
		if err := h.broker.cluster.DeleteRecords(topic, p.Partition, to); err != nil {
			return fmt.Errorf("partition %d: %w", p.Partition, err)
		}
	}
	return nil
}
