package eventlog_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/eventlog/logtest"
)

// soon is when a test gives up waiting for what should happen at once.
const soon = 20 * time.Second

// startBroker starts an embedded broker on a folder of its own, for the length of a test that is about
// it.
func startBroker(t testing.TB) *eventlog.Broker {
	t.Helper()
	logtest.EmbeddedOnly(t, "it is about the embedded broker")
	return logtest.Broker(t)
}

// open opens a log on a broker, for the length of a test.
func open(t testing.TB, b *eventlog.Broker) *eventlog.Log {
	t.Helper()
	l, err := eventlog.Open(t.Context(), eventlog.Config{
		Brokers: []string{b.Addr()}, Registry: b.RegistryURL(), Prefix: "test.",
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// newLog is a log on a broker of its own, with one topic.
func newLog(t testing.TB, topic string, partitions int) *eventlog.Log {
	t.Helper()
	l := logtest.Open(t, logtest.Config(t))
	createTopic(t, l, topic, partitions)
	return l
}

func createTopic(t testing.TB, l *eventlog.Log, topic string, partitions int) {
	t.Helper()
	require.NoError(t, l.CreateTopics(t.Context(), eventlog.TopicSpec{Name: topic, Partitions: partitions}))
}

// values are n records whose values count from first.
func values(first, n int) []eventlog.Record {
	records := make([]eventlog.Record, n)
	for i := range records {
		records[i] = eventlog.Record{AppendTime: int64(1000 + first + i), Value: fmt.Appendf(nil, "v%d", first+i)}
	}
	return records
}

// readAll reads a partition from offset to its end, and copies what it reads.
func readAll(t testing.TB, l *eventlog.Log, topic string, partition int, offset int64) []eventlog.Record {
	t.Helper()
	r, err := l.Reader(t.Context(), topic, partition, offset)
	require.NoError(t, err)
	return drain(t, r)
}

// drain reads to the end of the partition, copies what it reads, and closes the reader.
func drain(t testing.TB, r *eventlog.Reader) []eventlog.Record {
	t.Helper()
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	var all []eventlog.Record
	for {
		b, err := r.Read(ctx, time.Millisecond)
		require.NoError(t, err)
		for _, rec := range b.Records {
			all = append(all, clone(rec))
		}
		if b.Next >= b.End {
			return all
		}
	}
}

func clone(r eventlog.Record) eventlog.Record {
	copied := func(b []byte) []byte {
		if b == nil {
			return nil
		}
		return append([]byte{}, b...)
	}
	r.Key, r.Value = copied(r.Key), copied(r.Value)
	headers := r.Headers
	r.Headers = nil
	for _, h := range headers {
		r.Headers = append(r.Headers, eventlog.Header{Key: h.Key, Value: copied(h.Value)})
	}
	return r
}
