// Package logtest gives a test a log of its own: on an embedded broker, or on a real Kafka cluster when
// the environment names one. So the same tests say what both of them promise.
package logtest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
)

// BrokersEnv names the cluster to test on, host:port with commas. "make test-kafka" sets it.
const BrokersEnv = "LAMBDAKAPPA_TEST_BROKERS"

// JarsEnv names the folder with Kafka's jars, for tests that start a cluster of their own. "make test-kafka"
// sets it.
const JarsEnv = "LAMBDAKAPPA_TEST_JARS"

// Jars returns the folder with Kafka's jars. It skips a test that has none: it takes minutes, and Java.
func Jars(t testing.TB) string {
	t.Helper()
	jars := os.Getenv(JarsEnv)
	if jars == "" {
		t.Skip("no Apache Kafka to test: run make test-kafka")
	}
	return jars
}

// Real reports whether tests run on a real cluster.
func Real() bool { return os.Getenv(BrokersEnv) != "" }

// Config leads to an empty log that lives as long as the test, with a schema registry. On a real
// cluster it is a prefix of its own.
func Config(t testing.TB) eventlog.Config {
	t.Helper()
	if !Real() {
		b := Broker(t)
		return eventlog.Config{Brokers: []string{b.Addr()}, Registry: b.RegistryURL()}
	}
	registry, err := eventlog.StartRegistry(eventlog.RegistryConfig{Dir: t.TempDir()})
	require.NoError(t, err)
	cfg := eventlog.Config{
		Brokers: strings.Split(os.Getenv(BrokersEnv), ","), Registry: registry.URL(), Prefix: prefix(t),
	}
	t.Cleanup(func() {
		drop(t, cfg)
		require.NoError(t, registry.Close())
	})
	return cfg
}

// Broker starts an embedded broker for the length of a test.
func Broker(t testing.TB) *eventlog.Broker {
	t.Helper()
	b, err := eventlog.StartBroker(eventlog.BrokerConfig{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// Open opens the log of Config for the length of a test.
func Open(t testing.TB, cfg eventlog.Config) *eventlog.Log {
	t.Helper()
	log, err := eventlog.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close()) })
	return log
}

// Compact compacts all compacted topics now. A real cluster does so when it sees fit: there it does
// nothing.
func Compact(cfg eventlog.Config) error {
	if Real() {
		return nil
	}
	answer, err := http.Post(cfg.Registry+eventlog.CompactPath, "", nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("compact: %s", answer.Status)
	}
	return nil
}

// EmbeddedOnly skips a test of the embedded broker itself, or of what no real cluster does when it is
// told.
func EmbeddedOnly(t testing.TB, why string) {
	t.Helper()
	if Real() {
		t.Skip("not on a real cluster: " + why)
	}
}

var (
	illegal = regexp.MustCompile(`[^a-zA-Z0-9-]+`)
	logs    atomic.Int64
)

// prefix is no other test's, in this process or in another one.
func prefix(t testing.TB) string {
	name := illegal.ReplaceAllString(t.Name(), "-")
	return fmt.Sprintf("%.60s-%d-%d-%d.", name, os.Getpid(), time.Now().UnixMilli()%1e9, logs.Add(1))
}

// drop deletes all topics of a test.
func drop(t testing.TB, cfg eventlog.Config) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	log, err := eventlog.Open(ctx, cfg)
	require.NoError(t, err)
	defer log.Close()
	names, err := log.Topics(ctx)
	require.NoError(t, err)
	require.NoError(t, log.DeleteTopics(ctx, names...))
}
