package eventlog_test

import (
	"io/fs"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
)

// diskBytes is what a folder takes.
func diskBytes(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil // a file may go meanwhile
		}
		if info, err := e.Info(); err == nil {
			bytes += info.Size()
		}
		return nil
	}))
	return bytes
}

// keepingHouse starts a broker that keeps house all the time, and returns how to wait for it to have done so.
func keepingHouse(t *testing.T, dir string) (b *eventlog.Broker, kept func()) {
	t.Helper()
	var rounds atomic.Int64
	b, err := eventlog.StartBroker(eventlog.BrokerConfig{
		Dir: dir, Housekeeping: 10 * time.Millisecond,
		Notify: func(fact string, fields ...any) {
			if fact != "housekeeping" {
				t.Error(fact, fields)
			}
			rounds.Add(1)
		},
	})
	require.NoError(t, err)
	return b, func() {
		t.Helper()
		last := rounds.Load() // the round of now may have begun before
		eventually(t, func() bool { return rounds.Load() >= last+2 })
	}
}

// aged are n records of 1 kB that were appended so long ago.
func aged(from, n int, age time.Duration) []eventlog.Record {
	records := values(from, n)
	for i := range records {
		records[i].AppendTime = time.Now().Add(-age).UnixMilli()
		records[i].Key, records[i].Value = records[i].Value, make([]byte, 1000)
	}
	return records
}

// Ensure that retention moves the start of a log and gives back its disk, whatever is appended with the append time
// of long ago, and that it never takes the newest record.
func TestHousekeepingAppliesRetention(t *testing.T) {
	dir := t.TempDir()
	b, kept := keepingHouse(t, dir)
	l := open(t, b)
	spec := eventlog.TopicSpec{Name: "cars", Partitions: 2, Settings: eventlog.Forgetting(time.Hour)}
	require.NoError(t, l.CreateTopics(t.Context(), spec))
	createTopic(t, l, "kept", 1)
	appendTo := func(topic string, records []eventlog.Record) {
		t.Helper()
		_, err := l.Append(t.Context(), topic, 0, records)
		require.NoError(t, err)
	}
	starts := func() []int64 {
		t.Helper()
		offsets, err := l.StartOffsets(t.Context(), "cars")
		require.NoError(t, err)
		return offsets
	}
	for i := range 30 { // segments of 2 MB
		appendTo("cars", aged(i*1000, 1000, 2*time.Hour))
	}
	appendTo("kept", aged(0, 1000, 1000*time.Hour))
	eventually(t, func() bool { return starts()[0] == 29_999 })
	require.Less(t, diskBytes(t, dir), int64(5e6))

	appendTo("cars", aged(30_000, 10, 0))
	appendTo("cars", aged(30_010, 1, 2*time.Hour)) // sent again
	appendTo("cars", aged(30_011, 1, 0))
	eventually(t, func() bool { return starts()[0] == 30_000 })
	kept()
	require.EqualValues(t, 30_000, starts()[0])
	require.Len(t, readAll(t, l, "cars", 0, 30_000), 12)
	require.Len(t, readAll(t, l, "kept", 0, 0), 1000)

	// The other partition is quiet. It is still where it was after a restart, which knows the retention.
	_, err := l.Append(t.Context(), "cars", 1, aged(0, 5, 2*time.Hour))
	require.NoError(t, err)
	eventually(t, func() bool { return starts()[1] == 4 })
	require.NoError(t, b.Close())
	b, kept = keepingHouse(t, dir)
	defer b.Close()
	l = open(t, b)
	kept()
	ends, err := l.EndOffsets(t.Context(), "cars")
	require.NoError(t, err)
	require.Equal(t, []int64{30_012, 5}, ends)
	appendTo("cars", aged(30_012, 1, 2*time.Hour))
	appendTo("cars", aged(30_013, 1, 0))
	kept()
	require.EqualValues(t, 30_000, starts()[0])
}

// Ensure that compaction leaves one record of every key, and that what a topic's owner deletes gives back its disk.
func TestHousekeepingCompacts(t *testing.T) {
	dir := t.TempDir()
	b, kept := keepingHouse(t, dir)
	defer b.Close()
	l := open(t, b)
	spec := eventlog.TopicSpec{Name: "view", Partitions: 1, Trimmed: true, Settings: eventlog.Short()}
	require.NoError(t, l.CreateTopics(t.Context(), spec))
	for range 20 {
		_, err := l.Append(t.Context(), "view", 0, aged(0, 1000, 0))
		require.NoError(t, err)
	}
	kept()
	require.Less(t, diskBytes(t, dir), int64(3e6), "two copies: the newest batch is never compacted")
	require.NoError(t, l.DeleteRecords(t.Context(), "view", []int64{19_999}))
	kept()
	starts, err := l.StartOffsets(t.Context(), "view")
	require.NoError(t, err)
	require.GreaterOrEqual(t, starts[0], int64(19_000), "that of the batch that has what is left")
}

// Ensure that a topic whose owner trims it gives back what is trimmed long before a segment of Kafka's is full, and takes batches
// that are larger than its segments.
func TestHousekeepingShortensSegments(t *testing.T) {
	dir := t.TempDir()
	b, kept := keepingHouse(t, dir)
	defer b.Close()
	l := open(t, b)
	spec := eventlog.TopicSpec{Name: "alerts", Partitions: 1, Settings: eventlog.Short()}
	require.NoError(t, l.CreateTopics(t.Context(), spec))
	kept()
	for i := range 5 {
		_, err := l.Append(t.Context(), "alerts", 0, aged(i*1000, 1000, 0))
		require.NoError(t, err)
	}
	require.Greater(t, diskBytes(t, dir), int64(5e6))
	require.NoError(t, l.DeleteRecords(t.Context(), "alerts", []int64{4000}))
	require.Less(t, diskBytes(t, dir), int64(2.5e6))

	large := []eventlog.Record{{Key: []byte("large"), Value: make([]byte, 3<<20)}}
	_, err := l.Append(t.Context(), "alerts", 0, large)
	require.NoError(t, err)
	kept()
	require.Equal(t, large[0].Value, readAll(t, l, "alerts", 0, 5000)[0].Value)
}

// Ensure that what was committed is not compacted away in favour of what an open transaction has written, which may be aborted.
func TestHousekeepingSparesTransactions(t *testing.T) {
	b, kept := keepingHouse(t, t.TempDir())
	defer b.Close()
	l := open(t, b)
	spec := eventlog.TopicSpec{Name: "view", Partitions: 1, Trimmed: true, Settings: eventlog.Short()}
	require.NoError(t, l.CreateTopics(t.Context(), spec))
	row := func(value string) []eventlog.Record {
		return []eventlog.Record{{Key: []byte("car"), Value: []byte(value)}}
	}
	_, err := l.Append(t.Context(), "view", 0, row("committed"))
	require.NoError(t, err)
	x := transactor(t, l, "kappa-v1-0")
	require.NoError(t, x.Begin())
	appendIn(t, x, "view", row("aborted"))
	appendIn(t, x, "view", row("aborted as well")) // the newest batch is never compacted
	kept()
	transactor(t, l, "kappa-v1-0") // the next owner aborts it
	kept()
	require.Equal(t, []string{"committed"}, texts(readAll(t, l, "view", 0, 0)))
}

// Ensure that a broker that nobody has told to keeps everything.
func TestNobodyKeepsHouseUnasked(t *testing.T) {
	_, err := eventlog.StartBroker(eventlog.BrokerConfig{Dir: t.TempDir(), Housekeeping: -1})
	require.ErrorContains(t, err, "housekeeping -1ns: must not be negative")
}
