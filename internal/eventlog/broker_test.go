package eventlog_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// Ensure that a broker that was closed goes on where it was: records, committed positions, schema
// ids, and the next id is a new one.
func TestBrokerRestart(t *testing.T) {
	cfg := eventlog.BrokerConfig{Dir: t.TempDir()}
	b, err := eventlog.StartBroker(cfg)
	require.NoError(t, err)
	l := open(t, b)
	createTopic(t, l, "cars", 1)
	_, err = l.Append(t.Context(), "cars", 0, values(0, 10))
	require.NoError(t, err)
	a := joinGroup(t, l)
	eventually(t, func() bool { return a.member(0) != nil })
	committed := eventlog.Commit{Offset: 4, Metadata: "four"}
	require.NoError(t, a.member(0).Commit(t.Context(), 0, committed))
	a.leave(t)
	id, err := l.RegisterSchema(t.Context(), event.Subject, event.Schema)
	require.NoError(t, err)
	shared, err := l.RegisterSchema(t.Context(), "trucks-value", event.Schema)
	require.NoError(t, err)
	require.NoError(t, b.Close())
	require.NoFileExists(t, filepath.Join(cfg.Dir, "broker.lock"))

	b, err = eventlog.StartBroker(cfg)
	require.NoError(t, err)
	defer b.Close()
	l = open(t, b)
	require.Len(t, readAll(t, l, "cars", 0, 0), 10)
	commits, err := l.Committed(t.Context(), "kappa", "cars")
	require.NoError(t, err)
	require.Equal(t, []eventlog.Commit{committed}, commits)
	text, err := l.SchemaByID(id)
	require.NoError(t, err)
	require.Equal(t, event.Schema, text)
	again, err := l.RegisterSchema(t.Context(), "trucks-value", event.Schema)
	require.NoError(t, err)
	require.Equal(t, shared, again)
	other, err := l.RegisterSchema(t.Context(), event.Subject, `{"type":"string"}`)
	require.NoError(t, err)
	require.Greater(t, other, max(id, shared))
}

func TestTwoBrokersNeverShareAFolder(t *testing.T) {
	cfg := eventlog.BrokerConfig{Dir: t.TempDir()}
	b, err := eventlog.StartBroker(cfg)
	require.NoError(t, err)
	_, err = eventlog.StartBroker(cfg)
	require.ErrorContains(t, err, cfg.Dir)
	require.ErrorContains(t, err, "another broker is running on it")
	require.NoError(t, b.Close())

	// The lock of a broker that was killed is nobody's.
	killed, _ := startBrokerProcess(t, cfg)
	_, err = eventlog.StartBroker(cfg)
	require.ErrorContains(t, err, "another broker")
	killed.kill()
	require.FileExists(t, filepath.Join(cfg.Dir, "broker.lock"))
	b, err = eventlog.StartBroker(cfg)
	require.NoError(t, err)
	require.NoError(t, b.Close())
}

// Ensure that a port that is taken is named together with what to do, and that the failed start
// leaves no lock behind.
func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	port := portOf(t, taken.Addr().String())
	dir := t.TempDir()

	_, err = eventlog.StartBroker(eventlog.BrokerConfig{Dir: dir, Port: port})
	require.ErrorContains(t, err, fmt.Sprint(port))
	require.ErrorContains(t, err, "choose another --port")
	_, err = eventlog.StartBroker(eventlog.BrokerConfig{Dir: dir, RegistryPort: port})
	require.ErrorContains(t, err, "choose another --registry-port")
	b, err := eventlog.StartBroker(eventlog.BrokerConfig{Dir: dir})
	require.NoError(t, err)
	require.NoError(t, b.Close())
}

func TestBrokerConfigRefusals(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	broken := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(broken, "schemas.json"), []byte("{"), 0o644))
	for want, cfg := range map[string]eventlog.BrokerConfig{
		"no folder given":               {},
		"--port 70000":                  {Dir: t.TempDir(), Port: 70000},
		"--registry-port -1":            {Dir: t.TempDir(), RegistryPort: -1},
		"create broker folder":          {Dir: file},
		"schemas.json: unexpected end ": {Dir: broken},
	} {
		_, err := eventlog.StartBroker(cfg)
		require.ErrorContains(t, err, want)
	}
}

// Ensure that an unreachable log and registry fail within seconds and say what to do.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := closed.Addr().String()
	closed.Close()

	start := time.Now()
	_, err = eventlog.Open(t.Context(), eventlog.Config{Brokers: []string{addr}})
	require.ErrorContains(t, err, "log "+addr+" cannot be reached")
	require.ErrorContains(t, err, `start one with "lambdakappa broker" or check --brokers`)
	require.Less(t, time.Since(start), 5*time.Second)

	b := startBroker(t)
	l, err := eventlog.Open(t.Context(), eventlog.Config{
		Brokers: []string{addr, b.Addr()}, Registry: "http://" + addr,
	})
	require.NoError(t, err, "the second broker answers")
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = l.RegisterSchema(ctx, event.Subject, event.Schema)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = l.SchemaByID(1)
	require.ErrorContains(t, err, "schema registry http://"+addr+" cannot be reached")
	require.NotErrorIs(t, err, event.ErrNoSchema)
}

// Ensure that something that accepts connections but is no broker is found out.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	_, err = eventlog.Open(t.Context(), eventlog.Config{Brokers: []string{silent.Addr().String()}})
	require.ErrorContains(t, err, "cannot be reached")
}

func TestConfigRefusals(t *testing.T) {
	for want, cfg := range map[string]eventlog.Config{
		"no broker given":               {},
		`broker "localhost"`:            {Brokers: []string{"localhost"}},
		`prefix "a/b"`:                  {Brokers: []string{"localhost:9092"}, Prefix: "a/b"},
		"session timeout":               {Brokers: []string{"localhost:9092"}, SessionTimeout: -1},
		`schema registry "localhost:1"`: {Brokers: []string{"localhost:9092"}, Registry: "localhost:1"},
	} {
		_, err := eventlog.Open(t.Context(), cfg)
		require.ErrorContains(t, err, want)
	}
}
