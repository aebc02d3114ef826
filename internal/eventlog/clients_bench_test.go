package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"lambdakappa/internal/eventlog"
)

// BenchmarkClients holds the three ways to fetch with kafka-go side by side, without decoding the
// events: why Reader parses the response itself.
func BenchmarkClients(b *testing.B) {
	for _, client := range []struct {
		name string
		read func(ctx context.Context, addr string, l *eventlog.Log, n int64) error
	}{
		{"eventlog.Reader", withReader},
		{"Conn.ReadBatch", withConn},
		{"Client.Fetch", withFetch},
	} {
		b.Run(client.name, func(b *testing.B) {
			broker, addr := startBrokerProcess(b, eventlog.BrokerConfig{Dir: b.TempDir()})
			l := openAt(b, addr)
			createTopic(b, l, "cars", 1)
			fill(b, l, 1)
			meter := startMeter(b, broker)
			require.NoError(b, client.read(b.Context(), addr.Broker, l, int64(b.N)))
			meter.report()
		})
	}
}

func withReader(ctx context.Context, _ string, l *eventlog.Log, n int64) error {
	r, err := l.Reader(ctx, "cars", 0, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	for next := int64(0); next < n; {
		batch, err := r.Read(ctx, time.Second)
		if err != nil {
			return err
		}
		next = batch.Next
	}
	return nil
}

func withConn(ctx context.Context, addr string, _ *eventlog.Log, n int64) error {
	conn, err := kafka.DialLeader(ctx, "tcp", addr, "test.cars", 0)
	if err != nil {
		return err
	}
	defer conn.Close()
	for next := int64(0); next < n; {
		batch := conn.ReadBatchWith(kafka.ReadBatchConfig{MinBytes: 1, MaxBytes: 1 << 20, MaxWait: time.Second})
		for {
			m, err := batch.ReadMessage()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			next = m.Offset + 1
		}
		if err := batch.Close(); err != nil {
			return err
		}
	}
	return nil
}

func withFetch(ctx context.Context, addr string, _ *eventlog.Log, n int64) error {
	client := &kafka.Client{Addr: kafka.TCP(addr)}
	var key, value []byte
	for next := int64(0); next < n; {
		res, err := client.Fetch(ctx, &kafka.FetchRequest{
			Topic: "test.cars", Offset: next, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: time.Second,
		})
		if err != nil {
			return err
		}
		for {
			r, err := res.Records.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			if key, err = readInto(key, r.Key); err != nil {
				return err
			}
			if value, err = readInto(value, r.Value); err != nil {
				return err
			}
			next = r.Offset + 1
		}
	}
	return nil
}

func readInto(buf []byte, from kafka.Bytes) ([]byte, error) {
	if n := from.Len(); n > cap(buf) {
		buf = make([]byte, n)
	}
	buf = buf[:from.Len()]
	_, err := io.ReadFull(from, buf)
	return buf, errors.Join(err, from.Close())
}

// BenchmarkSyncWrites is what an fsync per batch would cost the embedded broker: why it has none.
func BenchmarkSyncWrites(b *testing.B) {
	for _, sync := range []bool{false, true} {
		b.Run(fmt.Sprint(sync), func(b *testing.B) {
			options := []kfake.Opt{kfake.NumBrokers(1), kfake.DataDir(b.TempDir())}
			if sync {
				options = append(options, kfake.SyncWrites())
			}
			cluster, err := kfake.NewCluster(options...)
			require.NoError(b, err)
			defer cluster.Close()
			l := openAt(b, address{Broker: cluster.ListenAddrs()[0]})
			createTopic(b, l, "cars", 1)
			records := values(0, 1)
			for b.Loop() {
				_, err := l.Append(b.Context(), "cars", 0, records)
				require.NoError(b, err)
			}
		})
	}
}
