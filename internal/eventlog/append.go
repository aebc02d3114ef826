package eventlog

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// encodeBuffers holds *[]byte, so that a steady stream of appends allocates no batch.
var encodeBuffers = sync.Pool{New: func() any { return new([]byte) }}

// Append appends records to one partition in order, acknowledged by all replicas, and returns the
// offset of the first. Offset of the given records is ignored. What fits one broker batch (about
// 1 MB) is appended atomically; more is split in order. It never lingers: one call is at least one
// round trip, so callers batch.
//
// It tries again for up to 30 s when the broker cannot be reached or a leader moves. kafka-go has
// no idempotent producer, so a batch whose acknowledgement was lost is then appended *twice*:
// readers that count must tell by content; with [FranzGo] it is there once. After an error, any prefix
// of the records may have been appended.
func (l *Log) Append(ctx context.Context, topic string, partition int, records []Record) (int64, error) {
	full, err := l.name("topic", topic)
	if err != nil {
		return 0, err
	}
	if len(records) == 0 {
		return 0, fmt.Errorf("append to %s/%d: no records", topic, partition)
	}
	if l.cfg.Client == FranzGo {
		return l.appendOnce(ctx, full, partition, records)
	}
	first := int64(-1)
	for len(records) > 0 {
		offset, n, err := l.appendSome(ctx, full, partition, records)
		if err != nil {
			return 0, fmt.Errorf("append to %s/%d: %w", topic, partition, err)
		}
		if first < 0 {
			first = offset
		}
		records = records[n:]
	}
	return first, nil
}

// appendOnce appends records with the idempotent client.
func (l *Log) appendOnce(ctx context.Context, full string, partition int, records []Record) (int64, error) {
	client, err := l.idempotent()
	if err != nil {
		return 0, err
	}
	first, err := appendBy(ctx, client, full, partition, records, nil)
	if err != nil {
		return 0, fmt.Errorf("append to %s/%d: %w", full, partition, err)
	}
	return first, nil
}

// appendSome appends as many of the records as one batch takes and returns their number and the
// offset of the first.
func (l *Log) appendSome(
	ctx context.Context, full string, partition int, records []Record,
) (offset int64, n int, err error) {
	buf := encodeBuffers.Get().(*[]byte)
	*buf, n = appendBatch(append((*buf)[:0], make([]byte, setSizeBytes)...), records)
	if l.cfg.Compression == Zstd {
		if *buf, err = compressBatch(*buf, setSizeBytes); err != nil {
			return 0, 0, err
		}
	}
	offset, attempts, err := l.produce(ctx, full, partition, *buf)
	// kafka-go goes on writing a request whose context has ended. So only a buffer whose one
	// request was answered is free to be used again.
	if err == nil && attempts == 1 {
		encodeBuffers.Put(buf)
	}
	return offset, n, err
}

// setSizeBytes is the length field before the batches of a produce request. kafka-go writes it for
// its own record sets and expects it in the reader of a raw one.
const setSizeBytes = 4

// produce appends one encoded batch, with room for its size before it, and returns its base
// offset and how many requests it took.
func (l *Log) produce(
	ctx context.Context, full string, partition int, set []byte,
) (offset int64, attempts int, err error) {
	binary.BigEndian.PutUint32(set, uint32(len(set)-setSizeBytes))
	err = l.retry(ctx, func(ctx context.Context) error {
		attempts++
		ctx, cancel := context.WithTimeout(ctx, produceTimeout)
		defer cancel()
		res, err := l.client.RawProduce(ctx, &kafka.RawProduceRequest{
			Topic:        full,
			Partition:    partition,
			RequiredAcks: kafka.RequireAll,
			RawRecords:   protocol.RawRecordSet{Reader: bytes.NewReader(set)},
		})
		if err != nil {
			return l.pictured(ctx, full, partition, err)
		}
		offset = res.BaseOffset
		return res.Error
	})
	return offset, attempts, err
}

// pictured is err, unless kafka-go did not know the partition and no broker does either.
func (l *Log) pictured(ctx context.Context, full string, partition int, err error) error {
	if unpictured(err) {
		if _, now := l.leaderAddr(ctx, full, partition); now != nil {
			return now
		}
	}
	return err
}
