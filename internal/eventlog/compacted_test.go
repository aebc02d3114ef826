package eventlog

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Ensure that compaction under a reader, or before it starts, costs it nothing but superseded
// records, and that a plain reader is told that its offset is gone.
func TestCompactedReader(t *testing.T) {
	broker, err := StartBroker(BrokerConfig{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	ctx := t.Context()
	log, err := Open(ctx, Config{Brokers: []string{broker.Addr()}})
	require.NoError(t, err)
	defer log.Close()
	require.NoError(t, log.CreateTopics(ctx, TopicSpec{Name: "rows", Partitions: 1, Compacted: true}))
	for i := range 5 {
		_, err := log.Append(ctx, "rows", 0, []Record{{Key: []byte("a"), Value: []byte(strconv.Itoa(i))}})
		require.NoError(t, err)
	}
	require.NoError(t, broker.Compact(ctx))
	starts, err := log.StartOffsets(ctx, "rows")
	require.NoError(t, err)
	require.Positive(t, starts[0], "on this broker compaction moves the start of the log")

	plain, err := log.Reader(ctx, "rows", 0, 0)
	require.NoError(t, err)
	defer plain.Close()
	_, err = plain.Read(ctx, time.Millisecond)
	require.True(t, errors.Is(err, ErrOutOfRange), err)

	reader, err := log.CompactedReader(ctx, "rows", 0, 0)
	require.NoError(t, err)
	defer reader.Close()
	batch, err := reader.Read(ctx, time.Second)
	require.NoError(t, err)
	require.EqualValues(t, batch.End, batch.Next)
	require.Equal(t, "4", string(batch.Records[len(batch.Records)-1].Value))
}
