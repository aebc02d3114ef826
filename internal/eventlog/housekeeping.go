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
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
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
	client *kgo.Client
	admin  *kadm.Client
	path   string

	// keep is the retention.ms of topics, taken over from their settings, where the broker would find it.
	keep map[string]int64
}

// retentionFile is where a housekeeper remembers, in the broker's folder, the retention of topics.
const retentionFile = "retention.json"

func newHousekeeper(b *Broker, dir string) (*housekeeper, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.ClientID(clientID))
	if err != nil {
		return nil, fmt.Errorf("keep house: %w", err)
	}
	h := &housekeeper{
		broker: b, client: client, admin: kadm.NewClient(client),
		path: filepath.Join(dir, retentionFile), keep: map[string]int64{},
	}
	text, err := os.ReadFile(h.path)
	if err == nil {
		err = json.Unmarshal(text, &h.keep)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		client.Close()
		return nil, fmt.Errorf("read %s: %w", h.path, err)
	}
	return h, nil
}

// run keeps house every interval until ctx ends. What fails is told, and tried again.
func (h *housekeeper) run(ctx context.Context, interval time.Duration, notify func(fact string, fields ...any)) {
	defer h.client.Close()
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
	if err := h.takeOver(ctx); err != nil {
		return fmt.Errorf("look up retention: %w", err)
	}
	for topic, keep := range h.keep {
		if err := h.forget(ctx, topic, time.Duration(keep)*time.Millisecond); err != nil {
			return fmt.Errorf("apply the retention of %s: %w", topic, err)
		}
	}
	if !h.transacting(ctx) {
		h.broker.Compact()
	}
	return nil
}

// transacting reports whether a transaction is open: this broker's compaction would take what was committed for what the
// transaction has written, and lose it when that is aborted.
func (h *housekeeper) transacting(ctx context.Context) bool {
	topics, err := h.admin.ListTopics(ctx)
	if err != nil {
		return true // who knows
	}
	for topic := range topics {
		for _, p := range h.broker.cluster.PartitionInfos(topic) {
			if p.LastStableOffset < p.HighWatermark {
				return true
			}
		}
	}
	return false
}

// takeOver takes the retention of topics over: first it is remembered, then the broker's own is switched off.
func (h *housekeeper) takeOver(ctx context.Context) error {
	topics, err := h.admin.ListTopics(ctx)
	if err != nil {
		return err
	}
	var taken []string
	left := map[string]int64{}
	for topic := range topics {
		if keep, known := h.keep[topic]; known {
			left[topic] = keep
		}
		if keep := h.setting(topic); keep >= 0 {
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
	if err != nil || len(taken) == 0 {
		return err
	}
	off := "-1"
	done, err := h.admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &off}}, taken...)
	for _, topic := range done {
		err = errors.Join(err, topic.Err)
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

// setting is the retention.ms among a topic's settings; -1 is none.
func (h *housekeeper) setting(topic string) int64 {
	info := h.broker.cluster.TopicInfo(topic)
	if info == nil || info.Configs["retention.ms"] == nil {
		return -1
	}
	keep, err := strconv.ParseInt(*info.Configs["retention.ms"], 10, 64)
	if err != nil {
		return -1
	}
	return keep
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
