package bench

import (
	"context"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
)

// Ensure that what is said arrives in order and exactly the delay later, however much is on its way
// at once, also when the delay becomes shorter meanwhile.
func TestPumpDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said, src := net.Pipe()
		dst, heard := net.Pipe()
		var delay atomic.Int64
		delay.Store(int64(50 * time.Millisecond))
		go pump(dst, src, func() time.Duration { return time.Duration(delay.Load()) })
		began := time.Now()
		go func() {
			for i := range 100 { // within 10 ms: all of them are on their way before the first arrives
				if i == 90 {
					delay.Store(int64(10 * time.Millisecond))
				}
				_, _ = said.Write([]byte{byte(i)})
				time.Sleep(100 * time.Microsecond)
			}
			_ = said.Close()
		}()
		for i := range 100 {
			var one [1]byte
			_, err := heard.Read(one[:])
			require.NoError(t, err)
			require.EqualValues(t, i, one[0])
			want := 50*time.Millisecond + time.Duration(min(i, 89))*100*time.Microsecond
			require.Equal(t, want, time.Since(began), "byte %d", i)
		}
	})
}

// proxied is a log that is reached through a proxy.
func proxied(t *testing.T) (*proxy, *eventlog.Log) {
	t.Helper()
	b, err := eventlog.StartBroker(eventlog.BrokerConfig{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	p, err := startProxy(t.Context(), b.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.close()) })
	log, err := eventlog.Open(t.Context(), eventlog.Config{
		Brokers: []string{b.Addr()}, Registry: b.RegistryURL(), Dial: map[string]string{b.Addr(): p.addr()},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close()) })
	topic := eventlog.TopicSpec{Name: eventlog.CarsTopic, Partitions: 1}
	require.NoError(t, log.CreateTopics(t.Context(), topic))
	return p, log
}

// Ensure that no client of the log knows a way around the proxy: every exchange takes the delay in
// both directions, and a cut is felt by all of them.
func TestEverythingGoesThroughTheProxy(t *testing.T) {
	p, log := proxied(t)
	one := []eventlog.Record{{AppendTime: 1, Value: []byte("v")}}
	const delay = 60 * time.Millisecond
	exchanges := map[string]func(ctx context.Context) error{
		"append": func(ctx context.Context) error {
			_, err := log.Append(ctx, eventlog.CarsTopic, 0, one)
			return err
		},
		"read": func(ctx context.Context) error {
			r, err := log.Reader(ctx, eventlog.CarsTopic, 0, 0)
			if err != nil {
				return err
			}
			defer r.Close()
			_, err = r.Read(ctx, time.Second)
			return err
		},
		"offsets":    func(ctx context.Context) error { _, err := log.EndOffsets(ctx, eventlog.CarsTopic); return err },
		"partitions": func(ctx context.Context) error { _, err := log.Partitions(ctx, eventlog.CarsTopic); return err },
		"delete":     func(ctx context.Context) error { return log.DeleteRecords(ctx, eventlog.CarsTopic, []int64{1}) },
		"group": func(ctx context.Context) error {
			ctx, stop := context.WithCancel(ctx)
			return log.RunGroup(ctx, "g", eventlog.CarsTopic, func(context.Context, *eventlog.Member, int) error {
				stop()
				return nil
			})
		},
	}
	order := []string{"append", "read", "offsets", "partitions", "group", "delete"}
	require.Len(t, slices.Compact(slices.Clone(order)), len(exchanges))
	p.setDelay(delay)
	took := map[string]time.Duration{}
	for _, name := range order {
		began := time.Now()
		require.NoError(t, exchanges[name](t.Context()), name)
		took[name] = time.Since(began)
		require.GreaterOrEqual(t, took[name], 2*delay, name)
	}
	// These begin with a question by another connection, and then dial one of their own.
	require.GreaterOrEqual(t, took["read"], took["partitions"]+delay)
	require.GreaterOrEqual(t, took["group"], took["partitions"]+delay)
	require.GreaterOrEqual(t, took["delete"], took["offsets"]+delay)
	p.setDelay(0)
	p.setCut(true)
	for _, name := range order {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		err := exchanges[name](ctx)
		cancel()
		if name != "group" || err != nil { // a group whose context has ended has ended well
			require.ErrorIs(t, err, context.DeadlineExceeded, name)
		}
	}
	p.setCut(false)
	_, err := log.Append(t.Context(), eventlog.CarsTopic, 0, one)
	require.NoError(t, err, "the network is back")
}
