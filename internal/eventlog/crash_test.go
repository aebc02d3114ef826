package eventlog_test

import (
	"context"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// Ensure that everything that was acknowledged is there after the broker was killed under load,
// and that an appender and a reader that lived through it need no help.
func TestBrokerIsKilledUnderLoad(t *testing.T) {
	t.Parallel()
	cfg := eventlog.BrokerConfig{Dir: t.TempDir()}
	broker, addr := startBrokerProcess(t, cfg)
	cfg.Port, cfg.RegistryPort = portOf(t, addr.Broker), portOf(t, addr.Registry[len("http://"):])
	l := openAt(t, addr)
	createTopic(t, l, "cars", 1)
	schema, err := l.RegisterSchema(t.Context(), event.Subject, event.Schema)
	require.NoError(t, err)

	var acknowledged atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	appending := make(chan error, 1)
	go func() { appending <- appendUntil(ctx, l, &acknowledged) }()
	read := make(chan int64, 1)
	go func() { read <- readUntil(ctx, t, l) }()

	for kill := range int64(3) {
		seen := acknowledged.Load()
		eventually(t, func() bool { return acknowledged.Load() > seen+200 })
		broker.kill()
		if kill < 2 {
			broker, _ = startBrokerProcess(t, cfg)
		}
	}
	_, _ = startBrokerProcess(t, cfg)
	seen := acknowledged.Load()
	eventually(t, func() bool { return acknowledged.Load() > seen+200 })
	stop()
	require.NoError(t, <-appending)
	require.Positive(t, <-read)

	counts := map[string]int{}
	for i, r := range readAll(t, l, "cars", 0, 0) {
		require.EqualValues(t, i, r.Offset)
		counts[string(r.Value)]++
	}
	for i := range acknowledged.Load() {
		// Twice when the acknowledgement was lost, see Append.
		require.GreaterOrEqual(t, counts["v"+strconv.FormatInt(i, 10)], 1, "value %d", i)
	}
	text, err := l.SchemaByID(schema)
	require.NoError(t, err)
	require.Equal(t, event.Schema, text)
}

// appendUntil appends v0, v1, … one by one until ctx ends.
func appendUntil(ctx context.Context, l *eventlog.Log, acknowledged *atomic.Int64) error {
	for i := 0; ; i++ {
		_, err := l.Append(ctx, "cars", 0, values(i, 1))
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		acknowledged.Add(1)
	}
}

// readUntil reads until ctx ends, checks that no offset is missing, and returns how many it read.
func readUntil(ctx context.Context, t *testing.T, l *eventlog.Log) (n int64) {
	r, err := l.Reader(ctx, "cars", 0, 0)
	if err != nil {
		return 0
	}
	defer r.Close()
	for {
		b, err := r.Read(ctx, 100*time.Millisecond)
		if err != nil {
			if ctx.Err() == nil {
				t.Error(err)
			}
			return n
		}
		for _, rec := range b.Records {
			if rec.Offset != n {
				t.Errorf("offset %d after %d", rec.Offset, n)
				return n
			}
			n++
		}
	}
}

func portOf(t testing.TB, hostport string) int {
	t.Helper()
	_, port, err := net.SplitHostPort(hostport)
	require.NoError(t, err)
	n, err := strconv.Atoi(port)
	require.NoError(t, err)
	return n
}

// Ensure that the partitions of a member that was killed go to another once the session timeout
// has passed.
func TestMemberIsKilled(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	cfg := eventlog.Config{Brokers: []string{b.Addr()}, Prefix: "test.", SessionTimeout: time.Second}
	l, err := eventlog.Open(t.Context(), cfg)
	require.NoError(t, err)
	defer l.Close()
	createTopic(t, l, "cars", 2)
	other := startChild(t, "member", cfg)
	a := joinGroup(t, l)
	eventually(t, func() bool { return len(a.holds()) == 1 })
	other.kill()
	eventually(t, func() bool { return len(a.holds()) == 2 })
	a.leave(t)
}

// Ensure that a group goes on by itself after its broker was killed, and that what it had
// committed is still committed.
func TestBrokerIsKilledUnderAGroup(t *testing.T) {
	t.Parallel()
	cfg := eventlog.BrokerConfig{Dir: t.TempDir()}
	broker, addr := startBrokerProcess(t, cfg)
	cfg.Port = portOf(t, addr.Broker)
	l, err := eventlog.Open(t.Context(), eventlog.Config{
		Brokers: []string{addr.Broker}, Prefix: "test.", SessionTimeout: time.Second,
	})
	require.NoError(t, err)
	defer l.Close()
	createTopic(t, l, "cars", 1)
	a := joinGroup(t, l)
	eventually(t, func() bool { return a.member(0) != nil })
	old := a.member(0)
	committed := eventlog.Commit{Offset: 4, Metadata: "four"}
	require.NoError(t, old.Commit(t.Context(), 0, committed))
	broker.kill()
	_, _ = startBrokerProcess(t, cfg)

	eventually(t, func() bool { m := a.member(0); return m != nil && m != old })
	commits, err := l.Committed(t.Context(), "kappa", "cars")
	require.NoError(t, err)
	require.Equal(t, []eventlog.Commit{committed}, commits)
	require.NoError(t, a.member(0).Commit(t.Context(), 0, eventlog.Commit{Offset: 5}))
	a.leave(t)
}
