package cluster_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/eventlog/logtest"
)

// console runs Kafka's own console tools, which are Java's client, against a cluster.
func console(t *testing.T, brokers []string, input, class string, args ...string) string {
	t.Helper()
	args = append([]string{"-cp", filepath.Join(logtest.Jars(t), "*"), class, "--bootstrap-server", strings.Join(brokers, ",")}, args...)
	cmd := exec.CommandContext(t.Context(), "java", args...)
	cmd.Dir, cmd.Stdin = t.TempDir(), strings.NewReader(input) // it leaves a log where it runs
	var errors strings.Builder
	cmd.Stderr = &errors
	said, err := cmd.Output()
	require.NoError(t, err, errors.String())
	return string(said)
}

const (
	consumerTool = "org.apache.kafka.tools.consumer.ConsoleConsumer"
	producerTool = "org.apache.kafka.tools.ConsoleProducer"
)

// Ensure that other people's clients put a key where we put it: Java's producer sends keys, and we find
// each of them in the partition that we would have chosen.
func TestKeysGoWhereJavaPutsThem(t *testing.T) {
	c := startCluster(t, 1)
	log := openLog(t, c)
	const partitions, keys = 7, 500
	require.NoError(t, log.CreateTopics(t.Context(), eventlog.TopicSpec{Name: "keys", Partitions: partitions}))
	var input strings.Builder
	for i := range keys {
		fmt.Fprintf(&input, "car-%05d\tx\n", i*i)
	}
	console(t, c.Brokers(), input.String(), producerTool, "--topic", "keys",
		"--reader-property", "parse.key=true", "--reader-property", "key.separator=\t")
	found := 0
	for p := range partitions {
		reader, err := log.Reader(t.Context(), "keys", p, 0)
		require.NoError(t, err)
		defer reader.Close()
		b, err := reader.Read(t.Context(), time.Second)
		require.NoError(t, err)
		for _, r := range b.Records {
			require.Equal(t, eventlog.PartitionOf(r.Key, partitions), p, "%s", r.Key)
			found++
		}
		require.Equal(t, b.End, b.Next)
	}
	require.Equal(t, keys, found)
}

// Ensure that Java's consumer reads what we write: keys, values, headers and times; and of transactions,
// what was committed.
func TestJavaReadsWhatWeWrite(t *testing.T) {
	c := startCluster(t, 1)
	log := openLog(t, c)
	require.NoError(t, log.CreateTopics(t.Context(), eventlog.TopicSpec{Name: "rows", Partitions: 1, Compacted: true}))
	at := time.Date(2019, 6, 1, 12, 0, 0, 0, time.UTC).UnixMilli()
	record := func(value string) []eventlog.Record {
		return []eventlog.Record{{
			AppendTime: at, Key: []byte("car-00042"), Value: []byte(value),
			Headers: []eventlog.Header{{Key: eventlog.IntendedHeader, Value: []byte("7")}},
		}}
	}
	_, err := log.Append(t.Context(), "rows", 0, record("plain"))
	require.NoError(t, err)
	given, err := log.Transactor(t.Context(), "one")
	require.NoError(t, err)
	require.NoError(t, given.Begin())
	_, err = given.Append(t.Context(), "rows", 0, record("given up"))
	require.NoError(t, err)
	given.Close()
	next, err := log.Transactor(t.Context(), "one") // ends it
	require.NoError(t, err)
	defer next.Close()
	_, err = log.Append(t.Context(), "rows", 0, record("last"))
	require.NoError(t, err)

	said := console(t, c.Brokers(), "", consumerTool, "--topic", "rows", "--from-beginning", "--timeout-ms", "5000",
		"--isolation-level", "read_committed",
		"--formatter-property", "print.key=true", "--formatter-property", "print.headers=true",
		"--formatter-property", "print.timestamp=true", "--formatter-property", "print.partition=true")
	// That its time is up the consumer says on stdout as well.
	rows := slices.DeleteFunc(strings.Split(strings.TrimSpace(said), "\n"), func(s string) bool {
		return !strings.HasPrefix(s, "CreateTime:")
	})
	line := fmt.Sprintf("CreateTime:%d\tPartition:0\tintended:7\tcar-00042\t", at)
	require.Equal(t, []string{line + "plain", line + "last"}, rows)
}
