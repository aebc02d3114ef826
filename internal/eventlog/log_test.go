package eventlog_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/eventlog/logtest"
)

// Ensure that everything of a record comes back as it was appended, with offsets counted by
// partition, whichever client appends it; append times lie years back, and need not ascend.
func TestAppendAndRead(t *testing.T) {
	for _, client := range []string{eventlog.KafkaGo, eventlog.FranzGo} {
		t.Run(client, func(t *testing.T) { testAppendAndRead(t, client) })
	}
}

func testAppendAndRead(t *testing.T, client string) {
	cfg := logtest.Config(t)
	cfg.Client = client
	l := logtest.Open(t, cfg)
	createTopic(t, l, "cars", 2)
	records := []eventlog.Record{
		{AppendTime: 1_000, Key: []byte("car-1"), Value: []byte("a"), Headers: []eventlog.Header{
			{Key: eventlog.IntendedHeader, Value: []byte("1000000000")}, {Key: "empty", Value: []byte{}}, {Key: "none"},
		}},
		{AppendTime: 999, Key: []byte{}, Value: nil},
		{AppendTime: 1_572_044_400_000, Key: nil, Value: []byte{}},
	}
	first, err := l.Append(t.Context(), "cars", 1, records)
	require.NoError(t, err)
	require.EqualValues(t, 0, first)
	first, err = l.Append(t.Context(), "cars", 1, records)
	require.NoError(t, err)
	require.EqualValues(t, 3, first)

	all := readAll(t, l, "cars", 1, 0)
	require.Len(t, all, 6)
	for i, got := range all {
		want := records[i%3]
		want.Offset = int64(i)
		require.Equal(t, want, got)
	}
	require.Empty(t, readAll(t, l, "cars", 0, 0))
	require.Equal(t, all[4:], readAll(t, l, "cars", 1, 4), "a reader that starts inside a batch")
}

// Ensure that a record larger than a batch is meant to be is appended, and that what takes more than one
// batch keeps its order, whichever client appends it.
func TestAppendMuch(t *testing.T) {
	for _, client := range []string{eventlog.KafkaGo, eventlog.FranzGo} {
		t.Run(client, func(t *testing.T) {
			cfg := logtest.Config(t)
			cfg.Client = client
			l := logtest.Open(t, cfg)
			createTopic(t, l, "cars", 1)
			records := values(0, 12)
			for i := range records {
				records[i].Value = bytes.Repeat([]byte{byte('a' + i)}, 900_000)
			}
			records[5].Value = bytes.Repeat([]byte("f"), 3_000_000)
			first, err := l.Append(t.Context(), "cars", 0, records)
			require.NoError(t, err)
			require.Zero(t, first)
			all := readAll(t, l, "cars", 0, 0)
			require.Len(t, all, len(records))
			for i := range all {
				require.True(t, bytes.Equal(records[i].Value, all[i].Value), "record %d", i)
			}
		})
	}
}

func TestSchemas(t *testing.T) {
	l := newLog(t, "cars", 1)
	id, err := l.RegisterSchema(t.Context(), event.Subject, event.Schema)
	require.NoError(t, err)
	again, err := l.RegisterSchema(t.Context(), event.Subject, event.Schema)
	require.NoError(t, err)
	require.Equal(t, id, again)
	text, err := l.SchemaByID(id)
	require.NoError(t, err)
	require.JSONEq(t, event.Schema, text)
	_, err = l.SchemaByID(id + 1)
	require.ErrorIs(t, err, event.ErrNoSchema)
}

func TestOffsets(t *testing.T) {
	l := newLog(t, "cars", 2)
	_, err := l.Append(t.Context(), "cars", 0, values(0, 10))
	require.NoError(t, err)

	start, err := l.StartOffsets(t.Context(), "cars")
	require.NoError(t, err)
	require.Equal(t, []int64{0, 0}, start)
	end, err := l.EndOffsets(t.Context(), "cars")
	require.NoError(t, err)
	require.Equal(t, []int64{10, 0}, end)
	at := func(ms int64) []int64 {
		offsets, err := l.OffsetsAt(t.Context(), "cars", time.UnixMilli(ms))
		require.NoError(t, err)
		return offsets
	}
	require.Equal(t, []int64{0, 0}, at(0))
	require.Equal(t, []int64{5, 0}, at(1005))
	require.Equal(t, []int64{10, 0}, at(1010))

	require.NoError(t, l.DeleteRecords(t.Context(), "cars", []int64{4, 0}))
	require.NoError(t, l.DeleteRecords(t.Context(), "cars", []int64{0, 0}), "gone already")
	start, err = l.StartOffsets(t.Context(), "cars")
	require.NoError(t, err)
	require.Equal(t, []int64{4, 0}, start)
	r, err := l.Reader(t.Context(), "cars", 0, 0)
	require.NoError(t, err)
	defer r.Close()
	_, err = r.Read(t.Context(), time.Second)
	require.ErrorIs(t, err, eventlog.ErrOutOfRange)
}
