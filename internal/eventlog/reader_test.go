package eventlog_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
)

func openReader(t testing.TB, l *eventlog.Log, offset int64) *eventlog.Reader {
	t.Helper()
	r, err := l.Reader(t.Context(), "cars", 0, offset)
	require.NoError(t, err)
	t.Cleanup(func() { r.Close() })
	return r
}

// Ensure that a Read that waits returns with the first record, long before maxWait.
func TestReadReturnsWithTheFirstRecord(t *testing.T) {
	l := newLog(t, "cars", 1)
	r := openReader(t, l, 0)
	read := make(chan eventlog.Batch)
	go func() {
		b, err := r.Read(t.Context(), time.Minute)
		if err != nil {
			t.Error(err)
		}
		read <- b
	}()
	_, err := l.Append(t.Context(), "cars", 0, values(0, 1))
	require.NoError(t, err)
	select {
	case b := <-read:
		require.Len(t, b.Records, 1)
		require.EqualValues(t, 1, b.Next)
		require.EqualValues(t, 1, b.End)
	case <-time.After(soon):
		t.Fatal("still waiting")
	}
}

// Ensure that a Gather returns all that has come until its time is over, and not with the first.
func TestGather(t *testing.T) {
	l := newLog(t, "cars", 1)
	r := openReader(t, l, 0)
	_, err := l.Append(t.Context(), "cars", 0, values(0, 1))
	require.NoError(t, err)
	began := time.Now()
	appended := make(chan error, 1)
	go func() {
		_, err := l.Append(t.Context(), "cars", 0, values(1, 3))
		appended <- err
	}()
	const wait = 300 * time.Millisecond
	b, err := r.Gather(t.Context(), wait)
	require.NoError(t, err)
	require.NoError(t, <-appended)
	require.GreaterOrEqual(t, time.Since(began), wait)
	require.EqualValues(t, b.End, b.Next)
	require.Greater(t, len(b.Records), 1)

	b, err = r.Gather(t.Context(), 0)
	require.NoError(t, err)
	require.Empty(t, b.Records)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.Gather(ctx, time.Hour)
	require.ErrorIs(t, err, context.Canceled)
}

func TestReadWithoutWaiting(t *testing.T) {
	l := newLog(t, "cars", 1)
	r := openReader(t, l, 0)
	b, err := r.Read(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, eventlog.Batch{Records: b.Records, Next: 0, End: 0}, b)
	require.Empty(t, b.Records)
}

// Ensure that ctx ends a Read that waits, and that the reader is of use afterwards.
func TestReadEndsWithItsContext(t *testing.T) {
	l := newLog(t, "cars", 1)
	r := openReader(t, l, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := r.Read(ctx, time.Minute)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(start), soon)

	_, err = l.Append(t.Context(), "cars", 0, values(0, 3))
	require.NoError(t, err)
	b, err := r.Read(t.Context(), time.Minute)
	require.NoError(t, err)
	require.Len(t, b.Records, 3)
}

// Ensure that a long partition arrives whole and in order, over many fetches.
func TestReadManyFetches(t *testing.T) {
	l := newLog(t, "cars", 1)
	const n = 50_000
	records := values(0, n)
	for i := range records {
		records[i].Key = make([]byte, 100)
	}
	first, err := l.Append(t.Context(), "cars", 0, records)
	require.NoError(t, err)
	require.Zero(t, first)
	r := openReader(t, l, 0)
	next, reads := int64(0), 0
	for next < n {
		b, err := r.Read(t.Context(), time.Second)
		require.NoError(t, err)
		require.EqualValues(t, n, b.End)
		for _, rec := range b.Records {
			require.Equal(t, next, rec.Offset)
			require.Equal(t, fmt.Sprint("v", next), string(rec.Value))
			next++
		}
		require.Equal(t, next, b.Next)
		reads++
	}
	require.Greater(t, reads, 3)
}

// Ensure that a steady stream of reads allocates per read and not per record.
func TestReadAllocatesNothingPerRecord(t *testing.T) {
	l := newLog(t, "cars", 1)
	_, err := l.Append(t.Context(), "cars", 0, values(0, 5000))
	require.NoError(t, err)
	allocations := func(offset int64) float64 {
		return testing.AllocsPerRun(10, func() {
			r := openReader(t, l, offset)
			_, err := r.Read(t.Context(), time.Second)
			require.NoError(t, err)
		})
	}
	few, many := allocations(4900), allocations(0)
	require.Less(t, many-few, 100.0, "4,900 records more")
}

func TestReaderRefusals(t *testing.T) {
	t.Parallel()
	l := newLog(t, "cars", 1)
	_, err := l.Reader(t.Context(), "cars", 1, 0)
	require.ErrorContains(t, err, "read cars/1")
	require.ErrorIs(t, err, kafka.UnknownTopicOrPartition)
	_, err = l.Reader(t.Context(), "a b", 0, 0)
	require.ErrorContains(t, err, `topic name "a b"`)
	r := openReader(t, l, 5)
	_, err = r.Read(t.Context(), time.Second)
	require.ErrorIs(t, err, eventlog.ErrOutOfRange)
	require.ErrorContains(t, err, "read cars/0: offset is out of range: offset 5")
}

// Ensure that a reader does not wait for ever for a topic that was deleted under it.
func TestTopicIsDeletedUnderAReader(t *testing.T) {
	t.Parallel()
	l := newLog(t, "cars", 1)
	r := openReader(t, l, 0)
	require.NoError(t, l.DeleteTopics(t.Context(), "cars"))
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	_, err := r.Read(ctx, time.Second)
	require.ErrorIs(t, err, kafka.UnknownTopicOrPartition)
}

// Ensure that what other producers compress is read.
func TestReadCompressed(t *testing.T) {
	for _, codec := range []kafka.Compression{kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
		t.Run(codec.String(), func(t *testing.T) {
			b := startBroker(t)
			l := open(t, b)
			createTopic(t, l, "cars", 1)
			client := &kafka.Client{Addr: kafka.TCP(b.Addr())}
			want := 0
			for range 2 { // two batches, so that a buffer per batch shows
				var records []kafka.Record
				for range 100 {
					records = append(records, kafka.Record{
						Key: kafka.NewBytes([]byte("key")), Value: kafka.NewBytes(fmt.Append(nil, want)),
						Headers: []kafka.Header{{Key: "h", Value: []byte("x")}},
					})
					want++
				}
				res, err := client.Produce(t.Context(), &kafka.ProduceRequest{
					Topic: "test.cars", RequiredAcks: kafka.RequireAll, Compression: codec,
					Records: kafka.NewRecordReader(records...),
				})
				require.NoError(t, err)
				require.NoError(t, res.Error)
			}
			all := readAll(t, l, "cars", 0, 0)
			require.Len(t, all, want)
			for i, rec := range all {
				require.Equal(t, fmt.Sprint(i), string(rec.Value))
				require.Equal(t, "x", string(rec.Header("h")))
				require.Nil(t, rec.Header("none"))
			}
		})
	}
}
