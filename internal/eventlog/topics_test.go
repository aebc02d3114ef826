package eventlog_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/eventlog/logtest"
)

func TestTopics(t *testing.T) {
	l := logtest.Open(t, logtest.Config(t))
	partitions := func() int {
		n, err := l.Partitions(t.Context(), "cars")
		require.NoError(t, err)
		return n
	}
	require.Zero(t, partitions())
	createTopic(t, l, "cars", 3)
	require.Equal(t, 3, partitions())
	createTopic(t, l, "cars", 3)
	err := l.CreateTopics(t.Context(), eventlog.TopicSpec{Name: "cars", Partitions: 4})
	require.ErrorContains(t, err, "create topic cars: it exists with 3 partitions, not 4")

	names, err := l.Topics(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"cars"}, names)
	require.NoError(t, l.DeleteTopics(t.Context(), "cars", "trucks"))
	require.Zero(t, partitions())
	createTopic(t, l, "cars", 2)
	_, err = l.Append(t.Context(), "cars", 1, values(0, 1))
	require.NoError(t, err)
	require.Equal(t, 2, partitions())
}

func TestTopicRefusals(t *testing.T) {
	t.Parallel()
	l := logtest.Open(t, logtest.Config(t))
	f := func(want string, spec eventlog.TopicSpec) {
		t.Helper()
		require.ErrorContains(t, l.CreateTopics(t.Context(), spec), want)
	}
	f("topic name is empty", eventlog.TopicSpec{Partitions: 1})
	f(`topic name "a/b": only letters, digits`, eventlog.TopicSpec{Name: "a/b", Partitions: 1})
	f("longer than 249 bytes", eventlog.TopicSpec{Name: strings.Repeat("x", 250), Partitions: 1})
	f("0 partitions: must be at least 1", eventlog.TopicSpec{Name: "cars"})

	_, err := l.EndOffsets(t.Context(), "trucks")
	require.ErrorContains(t, err, "list offsets of trucks")
	_, err = l.Append(t.Context(), "trucks", 0, values(0, 1))
	require.ErrorContains(t, err, "append to trucks/0")
	n, err := l.Partitions(t.Context(), "trucks")
	require.NoError(t, err)
	require.Zero(t, n, "asking for a topic does not create it")
}

// Ensure that a topic that another process created a moment ago is there for us: kafka-go's
// picture of the cluster may be 6 s old.
func TestTopicOfAnotherProcess(t *testing.T) {
	b := startBroker(t)
	l, other := open(t, b), open(t, b)
	createTopic(t, l, "trucks", 1)
	_, err := l.Append(t.Context(), "trucks", 0, values(0, 1)) // now l has a picture
	require.NoError(t, err)

	createTopic(t, other, "cars", 1)
	start := time.Now()
	_, err = l.Append(t.Context(), "cars", 0, values(0, 1))
	require.NoError(t, err)
	require.Less(t, time.Since(start), 2*time.Second)
	ends, err := l.EndOffsets(t.Context(), "cars")
	require.NoError(t, err)
	require.Equal(t, []int64{1}, ends)
}

// Ensure that a large record travels, and that one that no broker takes is refused at once.
func TestLargeRecords(t *testing.T) {
	l := newLog(t, "cars", 1)
	large := []eventlog.Record{{Value: make([]byte, 4<<20)}, {Value: []byte("small")}}
	first, err := l.Append(t.Context(), "cars", 0, large)
	require.NoError(t, err)
	require.Zero(t, first)
	all := readAll(t, l, "cars", 0, 0)
	require.Len(t, all, 2)
	require.Len(t, all[0].Value, 4<<20)

	_, err = l.Append(t.Context(), "cars", 0, []eventlog.Record{{Value: make([]byte, 9<<20)}})
	require.ErrorIs(t, err, kafka.MessageSizeTooLarge)
	_, err = l.Append(t.Context(), "cars", 0, nil)
	require.ErrorContains(t, err, "no records")
}

// Ensure that compaction keeps the last record of every key (it may keep more: nobody compacts the
// newest records), that a tombstone reads as a nil
// value, and that a reader's position reaches the end over the gaps.
func TestCompaction(t *testing.T) {
	b := startBroker(t)
	l := open(t, b)
	require.NoError(t, l.CreateTopics(t.Context(),
		eventlog.TopicSpec{Name: "changelog", Partitions: 1, Compacted: true}))
	appendKeys := func(keys string) {
		for _, key := range keys {
			r := eventlog.Record{Key: []byte(string(key)), Value: []byte("x")}
			if key == '-' {
				r = eventlog.Record{Key: []byte("a")} // a tombstone
			}
			_, err := l.Append(t.Context(), "changelog", 0, []eventlog.Record{r})
			require.NoError(t, err)
		}
	}
	appendKeys("abcabb-")
	require.NoError(t, b.Compact(t.Context()))
	read := func(offset int64) []eventlog.Record {
		r, err := l.CompactedReader(t.Context(), "changelog", 0, offset)
		require.NoError(t, err)
		return drain(t, r)
	}
	latest := map[string]string{}
	all := read(0)
	for _, r := range all {
		latest[string(r.Key)] = string(r.Value)
	}
	require.Equal(t, map[string]string{"a": "", "b": "x", "c": "x"}, latest)
	require.Nil(t, all[len(all)-1].Value)
	require.Less(t, len(all), 7, "nothing was compacted")
	require.Less(t, len(read(3)), len(all), "a reader that starts in a gap")

	appendKeys("c")
	after := read(0)
	require.EqualValues(t, 7, after[len(after)-1].Offset)
}

// Ensure that a broker asked to compact while a transaction is open waits for its end, and compacts then.
func TestCompactionWaitsForTransactions(t *testing.T) {
	b := startBroker(t)
	l := open(t, b)
	require.NoError(t, l.CreateTopics(t.Context(), eventlog.TopicSpec{Name: "rows", Partitions: 1, Compacted: true}))
	row := func(value string) []eventlog.Record {
		return []eventlog.Record{{Key: []byte("car"), Value: []byte(value)}}
	}
	for _, value := range []string{"superseded", "committed"} {
		_, err := l.Append(t.Context(), "rows", 0, row(value))
		require.NoError(t, err)
	}
	x := transactor(t, l, "kappa-v1-0")
	require.NoError(t, x.Begin())
	appendIn(t, x, "rows", row("aborted"))
	appendIn(t, x, "rows", row("aborted as well")) // the newest batch is never compacted
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.Error(t, b.Compact(ctx))
	require.Equal(t, []string{"superseded", "committed"}, texts(readAll(t, l, "rows", 0, 0)))
	compacted := make(chan error, 1)
	go func() { compacted <- b.Compact(t.Context()) }()
	transactor(t, l, "kappa-v1-0") // the next owner aborts it
	require.NoError(t, <-compacted)
	require.Equal(t, []string{"committed"}, texts(readAll(t, l, "rows", 0, 1)))
}
