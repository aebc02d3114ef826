package eventlog_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
)

// Ensure that a reader that was overtaken by the log's start says what it has lost, whether it had
// begun or not.
func TestLost(t *testing.T) {
	t.Parallel()
	l := newLog(t, "cars", 2)
	_, err := l.Append(t.Context(), "cars", 1, values(0, 10))
	require.NoError(t, err)
	r, err := l.Reader(t.Context(), "cars", 1, 2)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	require.NoError(t, l.DeleteRecords(t.Context(), "cars", []int64{0, 7}))

	_, err = r.Read(t.Context(), time.Second)
	var lost *eventlog.Lost
	require.ErrorAs(t, err, &lost)
	require.Equal(t, eventlog.Lost{Topic: "cars", Partition: 1, From: 2, To: 7}, *lost)
	require.ErrorIs(t, err, eventlog.ErrOutOfRange)
	require.EqualError(t, err, "read cars/1: lost: offsets [2, 7) of cars/1, 5 events: "+
		"the log was cut before they were read")
	require.Len(t, readAll(t, l, "cars", 1, 7), 3)
	require.NoError(t, eventlog.LostBefore("cars", 1, 7, 7))
}

// Ensure that the embedded broker compacts when it is asked to over HTTP, and its registry goes on.
func TestCompactOverHTTP(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	l := open(t, b)
	spec := eventlog.TopicSpec{Name: "table", Partitions: 1, Compacted: true}
	require.NoError(t, l.CreateTopics(t.Context(), spec))
	for i := range 10 {
		record := eventlog.Record{AppendTime: int64(i), Key: []byte("k"), Value: []byte{byte(i)}}
		_, err := l.Append(t.Context(), "table", 0, []eventlog.Record{record})
		require.NoError(t, err)
	}
	res, err := http.Post(b.RegistryURL()+eventlog.CompactPath, "", nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
	starts, err := l.StartOffsets(t.Context(), "table")
	require.NoError(t, err)
	require.Positive(t, starts[0])
	_, err = l.RegisterSchema(t.Context(), "s", `"string"`)
	require.NoError(t, err)
}
