package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The clients that can append.
const (
	KafkaGo = "kafka-go" // the default: fast, and not idempotent
	FranzGo = "franz-go" // idempotent: a batch whose acknowledgement was lost is on the log once
)

// franz returns a client of franz-go, for what kafka-go cannot do: transactions, an idempotent
// producer, cooperative groups, and a few requests of administrators.
func (l *Log) franz(options ...kgo.Opt) (*kgo.Client, error) {
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(l.cfg.Brokers...), kgo.ClientID(clientID),
		kgo.Dialer(l.cfg.dial), kgo.RetryTimeout(patience),
		kgo.RequestTimeoutOverhead(produceTimeout - ackTimeout),
		// It asks who leads a partition no sooner than this after it has asked before. With its 5 s, two brokers
		// that die one after the other can each time be gone again when it has heard of them, until patience ends.
		kgo.MetadataMinAge(maxBackoff),
	}, options...)...)
	if err != nil {
		return nil, fmt.Errorf("open a client: %w", err)
	}
	return client, nil
}

// idempotent returns the client that appends for the whole log, which it opens when it is first asked.
func (l *Log) idempotent() (*kgo.Client, error) {
	// It gives up a batch when its caller does, who may append it again then.
	return l.once(&l.producer, append(l.producerOptions(), kgo.AllowIdempotentProduceCancellation())...)
}

// asker returns the client for what is asked again and again.
func (l *Log) asker() (*kgo.Client, error) { return l.once(&l.asking) }

// once returns a client that the log keeps until it is closed, and opens it when it is not there yet.
func (l *Log) once(client **kgo.Client, options ...kgo.Opt) (*kgo.Client, error) {
	l.opening.Lock()
	defer l.opening.Unlock()
	if *client != nil {
		return *client, nil
	}
	var err error
	*client, err = l.franz(options...)
	return *client, err
}

// producerOptions are those of every client that appends what callers have batched.
func (l *Log) producerOptions() []kgo.Opt {
	compression := kgo.NoCompression()
	if l.cfg.Compression == Zstd {
		compression = kgo.ZstdCompression()
	}
	return []kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0),
		kgo.ProduceRequestTimeout(ackTimeout),
		// It has no way to let only a single large record be larger than other batches.
		kgo.ProducerBatchMaxBytes(maxBatchBytes), kgo.MaxBufferedRecords(maxBuffered),
		kgo.ProducerBatchCompression(compression),
	}
}

// maxBuffered is how many records may be on their way at once: more than any one flush has.
const maxBuffered = 1 << 20

// appendBy appends records with a client of franz-go and returns the offset of the first. Their bytes
// are the caller's again when it returns. giveUp, if there is one, makes the client forget what is on its
// way: a transactional one does not by itself once a batch was sent, whoever waits.
func appendBy(
	ctx context.Context, client *kgo.Client, topic string, partition int, records []Record, giveUp func(),
) (int64, error) {
	// kgo.RecordDeliveryTimeout counts from a record's time, which is its append time and may lie years
	// back.
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if giveUp != nil {
		stop := context.AfterFunc(ctx, giveUp)
		defer stop()
	}
	batch := make([]*kgo.Record, len(records))
	all := make([]kgo.Record, len(records))
	for i := range records {
		r := &records[i]
		all[i] = kgo.Record{
			Topic: topic, Partition: int32(partition), Timestamp: time.UnixMilli(r.AppendTime),
			Key: r.Key, Value: r.Value,
		}
		for _, h := range r.Headers {
			all[i].Headers = append(all[i].Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		batch[i] = &all[i]
	}
	err := client.ProduceSync(ctx, batch...).FirstErr()
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return 0, fmt.Errorf("nobody has acknowledged it for %s: %w", patience, err)
	}
	if err != nil {
		return 0, err
	}
	return all[0].Offset, nil
}
