package eventlog_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/eventlog/logtest"
)

func transactor(t testing.TB, l *eventlog.Log, id string) *eventlog.Transactor {
	t.Helper()
	x, err := l.Transactor(t.Context(), id)
	require.NoError(t, err)
	t.Cleanup(x.Close)
	return x
}

func appendIn(t require.TestingT, x *eventlog.Transactor, topic string, records []eventlog.Record) {
	_, err := x.Append(context.Background(), topic, 0, records)
	require.NoError(t, err)
}

func texts(records []eventlog.Record) (all []string) {
	for _, r := range records {
		all = append(all, string(r.Value))
	}
	return all
}

// Ensure that what was appended in a transaction is seen with its commit, position included, and not
// before; and that the end of the log, for whoever reads it, does not lie beyond it.
func TestTransactionBecomesVisibleAtOnce(t *testing.T) {
	l := newLog(t, "cars", 1)
	createTopic(t, l, "rows", 1)
	createTopic(t, l, "alerts", 1)
	g := joinGroup(t, l)
	eventually(t, func() bool { return g.member(0) != nil })
	x := transactor(t, l, "kappa-v1-0")
	require.NoError(t, x.Begin())
	first, err := x.Append(t.Context(), "rows", 0, values(0, 3))
	require.NoError(t, err)
	require.Zero(t, first)
	appendIn(t, x, "alerts", values(10, 1))

	require.Empty(t, readAll(t, l, "rows", 0, 0))
	ends, err := l.EndOffsets(t.Context(), "rows")
	require.NoError(t, err)
	require.Equal(t, []int64{0}, ends)
	commits, err := l.Committed(t.Context(), "kappa", "cars")
	require.NoError(t, err)
	require.EqualValues(t, -1, commits[0].Offset)

	committed := eventlog.Commit{Offset: 7, Metadata: "seven"}
	require.NoError(t, x.Commit(t.Context(), g.member(0), 0, committed))
	require.Equal(t, []string{"v0", "v1", "v2"}, texts(readAll(t, l, "rows", 0, 0)))
	require.Equal(t, []string{"v10"}, texts(readAll(t, l, "alerts", 0, 0)))
	commits, err = l.Committed(t.Context(), "kappa", "cars")
	require.NoError(t, err)
	require.Equal(t, []eventlog.Commit{committed}, commits)
	commit, err := x.Committed(t.Context(), "kappa", "cars", 0)
	require.NoError(t, err)
	require.Equal(t, committed, commit)

	// The next one goes on behind the mark of the first.
	require.NoError(t, x.Begin())
	first, err = x.Append(t.Context(), "rows", 0, values(3, 1))
	require.NoError(t, err)
	require.EqualValues(t, 4, first)
	require.NoError(t, x.Commit(t.Context(), g.member(0), 0, eventlog.Commit{Offset: 8}))
	require.Len(t, readAll(t, l, "rows", 0, 0), 4)
	g.leave(t)
}

// Ensure that a new holder of an id ends what the last one has left open, at once, and that the last
// one can neither write nor commit any more.
func TestNextHolderFences(t *testing.T) {
	l := newLog(t, "cars", 1)
	createTopic(t, l, "rows", 1)
	g := joinGroup(t, l)
	eventually(t, func() bool { return g.member(0) != nil })
	zombie := transactor(t, l, "kappa-v1-0")
	require.NoError(t, zombie.Begin())
	appendIn(t, zombie, "rows", values(0, 3))

	start := time.Now()
	next := transactor(t, l, "kappa-v1-0")
	require.Less(t, time.Since(start), 5*time.Second, "waited for the timeout of the transaction")
	_, err := zombie.Append(t.Context(), "rows", 0, values(3, 1))
	require.ErrorIs(t, err, eventlog.ErrNotMember)
	require.Error(t, zombie.Commit(t.Context(), g.member(0), 0, eventlog.Commit{Offset: 99}))

	require.NoError(t, next.Begin())
	appendIn(t, next, "rows", values(10, 2))
	require.NoError(t, next.Commit(t.Context(), g.member(0), 0, eventlog.Commit{Offset: 5}))
	require.Equal(t, []string{"v10", "v11"}, texts(readAll(t, l, "rows", 0, 0)))
	commits, err := l.Committed(t.Context(), "kappa", "cars")
	require.NoError(t, err)
	require.EqualValues(t, 5, commits[0].Offset)
	g.leave(t)
}

// Ensure that a member of an old generation commits nothing, nor anything it has written.
func TestTransactionOfAnOldGeneration(t *testing.T) {
	l := newLog(t, "cars", 1)
	createTopic(t, l, "rows", 1)
	g := joinGroup(t, l)
	eventually(t, func() bool { return g.member(0) != nil })
	old := g.member(0)
	x := transactor(t, l, "kappa-v1-0")
	require.NoError(t, x.Begin())
	appendIn(t, x, "rows", values(0, 3))
	g.leave(t)
	h := joinGroup(t, l)
	eventually(t, func() bool { return h.member(0) != nil })
	require.ErrorIs(t, x.Commit(t.Context(), old, 0, eventlog.Commit{Offset: 3}), eventlog.ErrNotMember)
	x.Close()
	transactor(t, l, "kappa-v1-0") // ends what was left
	require.Empty(t, readAll(t, l, "rows", 0, 0))
	h.leave(t)
}

// Ensure that a reader hands out what franz-go's, which is not ours, hands out of a log that is written
// by transactions that are committed, given up and mixed with one another and with plain appends,
// from any offset on.
func TestReaderReadsWhatWasCommitted(t *testing.T) {
	cfg := logtest.Config(t)
	l := logtest.Open(t, cfg)
	createTopic(t, l, "cars", 1)
	g := joinGroup(t, l)
	eventually(t, func() bool { return g.member(0) != nil })
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		topic := fmt.Sprintf("rows-%d", run)
		createTopic(t, l, topic, 1)
		script := rapid.SliceOfN(rapid.SampledFrom([]string{"append 0", "append 1", "end 0", "end 1", "drop 0", "drop 1", "plain"}), 1, 12).Draw(rt, "script")
		holders := [2]*eventlog.Transactor{}
		said := 0
		for _, line := range script {
			var what string
			var who int
			fmt.Sscan(line, &what, &who)
			id := fmt.Sprintf("holder-%d-%d", run, who)
			x := holders[who]
			switch {
			case what == "plain":
				_, err := l.Append(t.Context(), topic, 0, values(said, 2))
				require.NoError(rt, err)
				said += 2
			case what == "append":
				if x == nil {
					x = transactor(t, l, id)
					require.NoError(rt, x.Begin())
					holders[who] = x
				}
				appendIn(rt, x, topic, values(said, 2))
				said += 2
			case x == nil:
			case what == "end":
				require.NoError(rt, x.Commit(t.Context(), g.member(0), 0, eventlog.Commit{Offset: int64(said)}))
				x.Close()
				holders[who] = nil
			case what == "drop":
				x.Close()
				transactor(t, l, id).Close()
				holders[who] = nil
			}
		}
		from := rapid.Int64Range(0, int64(said)).Draw(rt, "from")
		ends, err := l.EndOffsets(t.Context(), topic)
		require.NoError(rt, err)
		want := franzReads(t, cfg, topic, from, ends[0])
		if from < ends[0] {
			require.Equal(rt, want, texts(readAll(t, l, topic, 0, from)))
		}
		for who, x := range holders {
			if x != nil { // or it would stay open, and the group's commit with it
				x.Close()
				transactor(t, l, fmt.Sprintf("holder-%d-%d", run, who)).Close()
			}
		}
	})
	g.leave(t)
}

// franzReads reads what was committed between two offsets, with franz-go.
func franzReads(t *testing.T, cfg eventlog.Config, topic string, from, end int64) (all []string) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(cfg.Brokers...), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{cfg.Prefix + topic: {0: kgo.NewOffset().At(from)}}),
	)
	require.NoError(t, err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	for from < end { // every transaction before it ends with a mark, so there is something at end-1
		require.NoError(t, ctx.Err())
		for _, r := range client.PollFetches(ctx).Records() {
			if from = r.Offset + 1; !r.Attrs.IsControl() {
				all = append(all, string(r.Value))
			}
		}
	}
	return all
}
