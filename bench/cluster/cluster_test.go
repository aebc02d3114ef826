package cluster_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/cluster"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/eventlog/logtest"
)

func startCluster(t *testing.T, nodes int) *cluster.Cluster {
	t.Helper()
	cfg := cluster.DefaultConfig()
	cfg.Dir, cfg.Jars, cfg.Nodes, cfg.HeapMiB = t.TempDir(), logtest.Jars(t), nodes, 256
	c, err := cluster.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Stop(context.Background())) })
	return c
}

func openLog(t *testing.T, c *cluster.Cluster) *eventlog.Log {
	t.Helper()
	log, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: c.Brokers()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close()) })
	return log
}

// read returns the values of a partition, from its start to its end.
func read(t *testing.T, log *eventlog.Log, topic string, partition int) (values []string) {
	t.Helper()
	ends, err := log.EndOffsets(t.Context(), topic)
	require.NoError(t, err)
	reader, err := log.Reader(t.Context(), topic, partition, 0)
	require.NoError(t, err)
	defer reader.Close()
	for next := int64(0); next < ends[partition]; {
		b, err := reader.Read(t.Context(), time.Second)
		require.NoError(t, err)
		for _, r := range b.Records {
			values = append(values, string(r.Value))
		}
		next = b.Next
	}
	return values
}

// Ensure that a cluster outlives the loss of any one of its nodes: whatever was acknowledged before,
// meanwhile and after is there, and the node that comes back takes part again.
func TestAnyNodeMayDie(t *testing.T) {
	c := startCluster(t, 3)
	log := openLog(t, c)
	require.NoError(t, log.CreateTopics(t.Context(), eventlog.TopicSpec{Name: "cars", Partitions: 3}))
	acknowledged := make([][]string, 3)
	send := func(n int) {
		for i := range n {
			p := i % 3
			value := fmt.Sprintf("%d-%d", p, len(acknowledged[p]))
			_, err := log.Append(t.Context(), "cars", p, []eventlog.Record{{AppendTime: 1, Value: []byte(value)}})
			require.NoError(t, err)
			acknowledged[p] = append(acknowledged[p], value)
		}
	}
	send(30)
	for _, n := range c.Nodes() {
		require.NoError(t, n.Kill())
		require.False(t, n.Running())
		send(30) // each partition was led by one of them
		require.NoError(t, n.Start(t.Context()))
		require.NoError(t, c.Ready(t.Context()))
	}
	send(30)
	for p := range acknowledged {
		// A batch whose acknowledgement was lost may be there twice, one after the other.
		var distinct []string
		for _, v := range read(t, log, "cars", p) {
			if len(distinct) == 0 || distinct[len(distinct)-1] != v {
				distinct = append(distinct, v)
			}
		}
		require.Equal(t, acknowledged[p], distinct)
	}
}

// Ensure that a cluster has all that the components need, and that a probe leaves nothing behind.
func TestClusterHasWhatIsNeeded(t *testing.T) {
	c := startCluster(t, 1)
	log := openLog(t, c)
	require.NoError(t, log.Probe(t.Context()))
	has, err := log.HasTiers(t.Context())
	require.NoError(t, err)
	require.False(t, has)
	require.Eventually(t, func() bool {
		names, err := log.Topics(t.Context())
		return err == nil && len(names) == 0
	}, 10*time.Second, 50*time.Millisecond)
}

// Ensure that a broker that joins later serves, and that a cluster goes on with its data after a stop.
func TestClusterGoesOn(t *testing.T) {
	jars := logtest.Jars(t)
	c := startCluster(t, 1)
	added, err := c.Add(t.Context())
	require.NoError(t, err)
	require.True(t, added.Running())
	log := openLog(t, c)
	require.NoError(t, log.CreateTopics(t.Context(), eventlog.TopicSpec{Name: "cars", Partitions: 1}))
	_, err = log.Append(t.Context(), "cars", 0, []eventlog.Record{{AppendTime: 1, Value: []byte("kept")}})
	require.NoError(t, err)
	dir := filepath.Dir(filepath.Dir(added.Log()))
	require.NoError(t, c.Stop(t.Context()))
	for _, n := range c.Nodes() {
		require.False(t, n.Running())
	}

	cfg := cluster.DefaultConfig()
	cfg.Dir, cfg.Jars, cfg.HeapMiB = dir, jars, 256
	again, err := cluster.Start(t.Context(), cfg)
	require.NoError(t, err)
	require.Len(t, again.Nodes(), 2, "it is the one that was there, whatever the configuration says")
	require.Equal(t, []string{"kept"}, read(t, openLog(t, again), "cars", 0))
	require.ErrorContains(t, again.Remove(), "is running")
	require.NoError(t, again.Stop(t.Context()))
	require.NoError(t, again.Remove())
	require.NoDirExists(t, dir)
}

// Ensure that what is missing is named, with what to do.
func TestRefusals(t *testing.T) {
	start := func(change func(*cluster.Config)) error {
		cfg := cluster.DefaultConfig()
		cfg.Dir, cfg.Jars = filepath.Join(t.TempDir(), "kafka"), t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(cfg.Jars, "kafka_2.13-0.0.0.jar"), nil, 0o644))
		change(&cfg)
		_, err := cluster.Start(t.Context(), cfg)
		require.NoDirExists(t, cfg.Dir, "a start that is refused leaves nothing")
		return err
	}
	f := func(want string, change func(*cluster.Config)) {
		t.Helper()
		require.ErrorContains(t, start(change), want)
	}
	f("dir: give the folder", func(c *cluster.Config) { c.Dir = "" })
	f("nodes 0: must be at least 1", func(c *cluster.Config) { c.Nodes = 0 })
	f("port 65534: must leave room", func(c *cluster.Config) { c.Port = 65534 })
	f("heap 1 MiB: a node needs at least 128", func(c *cluster.Config) { c.HeapMiB = 1 })
	noJars := func(c *cluster.Config) { c.Jars = t.TempDir() }
	f("make kafka-jars fetches them", noJars)
	require.ErrorIs(t, start(noJars), cluster.ErrNoKafka)
	noJava := func(c *cluster.Config) { c.Java = filepath.Join(t.TempDir(), "java") }
	f("install version 17 or later", noJava)
	require.ErrorIs(t, start(noJava), cluster.ErrNoKafka)

	_, err := cluster.Find(filepath.Join(t.TempDir(), "nothing"))
	require.ErrorContains(t, err, "no cluster in")
}

// Ensure that a leader that is cut off from the others, and not from clients, acknowledges nothing that is
// lost: whatever was acknowledged before, meanwhile and after is there when it is back.
func TestALeaderIsCutOff(t *testing.T) {
	cfg := cluster.DefaultConfig()
	cfg.Dir, cfg.Jars, cfg.HeapMiB, cfg.Links = t.TempDir(), logtest.Jars(t), 256, true
	c, err := cluster.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Stop(context.Background())) })
	log := openLog(t, c)
	require.NoError(t, log.Probe(t.Context()), "nodes say something to each other that is not carried")
	require.NoError(t, log.CreateTopics(t.Context(), eventlog.TopicSpec{Name: "cars", Partitions: 1}))
	var acknowledged []string
	send := func(n int) {
		for range n {
			value := fmt.Sprint(len(acknowledged))
			_, err := log.Append(t.Context(), "cars", 0, []eventlog.Record{{AppendTime: 1, Value: []byte(value)}})
			require.NoError(t, err)
			acknowledged = append(acknowledged, value)
		}
	}
	send(10)
	addr, err := log.Leader(t.Context(), "cars", 0)
	require.NoError(t, err)
	first := c.NodeAt(addr)
	require.NoError(t, first.Isolate())
	send(10)
	// Asked of the others: who is isolated knows of no election.
	others, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: slices.DeleteFunc(c.Brokers(), func(addr string) bool {
		return addr == first.Addr()
	})})
	require.NoError(t, err)
	defer others.Close()
	addr, err = others.Leader(t.Context(), "cars", 0)
	require.NoError(t, err)
	require.NotEqual(t, first.Addr(), addr, "nobody else was elected")
	require.NoError(t, first.Rejoin())
	require.NoError(t, c.Ready(t.Context()))
	send(10)
	// A batch whose acknowledgement was lost may be there twice, one after the other.
	require.Equal(t, acknowledged, slices.Compact(read(t, log, "cars", 0)))
}

// Ensure that a compaction that is asked for reaches every topic that keeps the newest row of a key, those of which old
// rows are deleted besides among them, and that their settings are as before.
func TestCompactReachesBothKindsOfViews(t *testing.T) {
	log := openLog(t, startCluster(t, 1))
	views := []eventlog.TopicSpec{
		{Name: "changelog", Partitions: 1, Compacted: true}, {Name: "speed-view", Partitions: 1, Trimmed: true},
	}
	require.NoError(t, log.CreateTopics(t.Context(), views...))
	say := func(n int) {
		for _, v := range views {
			var rows []eventlog.Record
			for range n {
				rows = append(rows, eventlog.Record{AppendTime: time.Now().UnixMilli(), Key: []byte("car"), Value: []byte("row")})
			}
			_, err := log.Append(t.Context(), v.Name, 0, rows)
			require.NoError(t, err)
		}
	}
	say(1_000)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		defer cancel()
		done <- log.Compact(ctx)
	}()
	for ctx.Err() == nil { // a segment is closed by the next append
		say(1)
		time.Sleep(100 * time.Millisecond)
	}
	require.NoError(t, <-done)
	for _, v := range views {
		require.Less(t, len(read(t, log, v.Name, 0)), 1_000, v.Name)
	}
}

// Ensure that closed segments move to the second tier, are read from there as if nothing had happened, and
// that a compacted topic is refused one.
func TestTiers(t *testing.T) {
	cfg := cluster.DefaultConfig()
	cfg.Dir, cfg.Jars, cfg.HeapMiB, cfg.Nodes, cfg.Tiered = t.TempDir(), logtest.Jars(t), 256, 1, true
	c, err := cluster.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Stop(context.Background())) })
	log := openLog(t, c)
	has, err := log.HasTiers(t.Context())
	require.NoError(t, err)
	require.True(t, has)
	require.NoError(t, log.CreateTopics(t.Context(), eventlog.TopicSpec{Name: "cars", Partitions: 1, Settings: eventlog.Tiered}))
	var sent []string
	for i := range 60 {
		value := fmt.Sprintf("%d %s", i, strings.Repeat("x", 100_000))
		_, err := log.Append(t.Context(), "cars", 0, []eventlog.Record{{AppendTime: time.Now().UnixMilli(), Value: []byte(value)}})
		require.NoError(t, err)
		sent = append(sent, value)
	}
	local := func() int64 {
		sizes, err := log.Bytes(t.Context())
		require.NoError(t, err)
		return sizes["cars"]
	}
	require.Greater(t, local(), int64(500_000))
	require.Eventually(t, func() bool { return local() < 1<<20 }, time.Minute, 200*time.Millisecond)
	require.Equal(t, sent, read(t, log, "cars", 0))
	starts, err := log.StartOffsets(t.Context(), "cars")
	require.NoError(t, err)
	require.Equal(t, []int64{0}, starts)

	err = log.CreateTopics(t.Context(), eventlog.TopicSpec{Name: "rows", Partitions: 1, Compacted: true, Settings: eventlog.Tiered})
	require.ErrorIs(t, err, eventlog.ErrSettings)
	require.ErrorContains(t, err, "cleanup.policy=delete")
}
