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

// newHolder is a log with somebody who holds the one partition of cars, and a topic for rows.
func newHolder(t *testing.T) (*eventlog.Log, *groupMember) {
	t.Helper()
	l := newLog(t, "cars", 1)
	createTopic(t, l, "rows", 1)
	g := joinGroup(t, l)
	eventually(t, func() bool { return g.member(0) != nil })
	return l, g
}

func appendIn(t require.TestingT, x *eventlog.Transactor, topic string, records []eventlog.Record) {
	_, err := x.Append(context.Background(), topic, 0, records)
	require.NoError(t, err)
}

// awaitCommitted waits until the group's position is told: Apache Kafka answers a commit when it is decided, and
// writes its marks a moment later.
func awaitCommitted(t *testing.T, l *eventlog.Log, want int64) []eventlog.Commit {
	t.Helper()
	var commits []eventlog.Commit
	eventually(t, func() bool {
		var err error
		commits, err = l.Committed(t.Context(), "kappa", "cars")
		require.NoError(t, err)
		return commits[0].Offset == want
	})
	return commits
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
	l, g := newHolder(t)
	createTopic(t, l, "alerts", 1)
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
	require.Equal(t, []eventlog.Commit{committed}, awaitCommitted(t, l, 7))
	seen := func(topic string) []string { return texts(readAll(t, l, topic, 0, 0)) }
	eventually(t, func() bool { return seen("rows") != nil && seen("alerts") != nil })
	require.Equal(t, []string{"v0", "v1", "v2"}, seen("rows"))
	require.Equal(t, []string{"v10"}, seen("alerts"))
	commit, err := x.Committed(t.Context(), "kappa", "cars", 0)
	require.NoError(t, err)
	require.Equal(t, committed, commit)

	// The next one goes on behind the mark of the first.
	require.NoError(t, x.Begin())
	first, err = x.Append(t.Context(), "rows", 0, values(3, 1))
	require.NoError(t, err)
	require.EqualValues(t, 4, first)
	require.NoError(t, x.Commit(t.Context(), g.member(0), 0, eventlog.Commit{Offset: 8}))
	eventually(t, func() bool { return len(seen("rows")) == 4 })
	g.leave(t)
}

// Ensure that a new holder of an id ends what the last one has left open, at once, and that the last
// one can neither write nor commit any more.
func TestNextHolderFences(t *testing.T) {
	l, g := newHolder(t)
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
	awaitCommitted(t, l, 5)
	eventually(t, func() bool { return len(readAll(t, l, "rows", 0, 0)) == 2 })
	require.Equal(t, []string{"v10", "v11"}, texts(readAll(t, l, "rows", 0, 0)))
	g.leave(t)
}

// Ensure that what was given up stays unseen when more follows than one fetch takes, and in batches larger
// than that.
func TestAbortedBeforeMuchElse(t *testing.T) {
	l, g := newHolder(t)
	given := transactor(t, l, "kappa-v1-0")
	require.NoError(t, given.Begin())
	appendIn(t, given, "rows", values(0, 3))
	kept := transactor(t, l, "kappa-v1-0") // ends it
	for i := range 6 {
		require.NoError(t, kept.Begin())
		large := values(100+i, 1)
		large[0].Value = append(large[0].Value, make([]byte, 600_000*(1+i%3))...)
		appendIn(t, kept, "rows", large)
		require.NoError(t, kept.Commit(t.Context(), g.member(0), 0, eventlog.Commit{Offset: int64(i)}))
	}
	awaitCommitted(t, l, 5)
	var seen []eventlog.Record
	eventually(t, func() bool { // and no Len, which would print megabytes
		seen = readAll(t, l, "rows", 0, 0)
		return len(seen) >= 6
	})
	require.Equal(t, 6, len(seen))
	require.Equal(t, "v100", string(seen[0].Value[:4]))
	g.leave(t)
}

// Ensure that the position that a group has committed is not told while another one is on its way.
func TestCommittedIsStable(t *testing.T) {
	l, g := newHolder(t)
	ending := transactor(t, l, "kappa-v1-0")
	require.NoError(t, ending.Begin())
	appendIn(t, ending, "rows", values(0, 1))
	next := eventlog.Commit{Offset: 7}
	require.NoError(t, ending.Stage(t.Context(), g.member(0), 0, next))

	other := transactor(t, l, "kappa-v1-1") // not the same id: that would give up what is open
	hurried, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := other.Committed(hurried, "kappa", "cars", 0)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, ending.Commit(t.Context(), g.member(0), 0, next))
	got, err := other.Committed(t.Context(), "kappa", "cars", 0)
	require.NoError(t, err)
	require.Equal(t, next, got)
	g.leave(t)
}

// Ensure that a member of an old generation commits nothing, nor anything it has written.
func TestTransactionOfAnOldGeneration(t *testing.T) {
	l, g := newHolder(t)
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
		stable, err := l.EndOffsets(t.Context(), topic)
		require.NoError(rt, err)
		early := readFrom(t, l, topic, from)
		for who, x := range holders {
			if x != nil { // or it would stay open, and the group's commit with it
				x.Close()
				transactor(t, l, fmt.Sprintf("holder-%d-%d", run, who)).Close()
			}
		}
		require.NoError(rt, l.AwaitStable(t.Context(), topic))
		ends, err := l.EndOffsets(t.Context(), topic)
		require.NoError(rt, err)
		want := franzReads(t, cfg, topic, from, ends[0])
		require.Equal(rt, want, readFrom(t, l, topic, from))
		// What was before the end while transactions were open is what it stays. (On a busy machine one of them may
		// have timed out before it was read, which showed more.)
		before := func(all []place) (some []place) {
			for _, p := range all {
				if p.offset < stable[0] {
					some = append(some, p)
				}
			}
			return some
		}
		require.Equal(rt, before(want), before(early))
	})
	g.leave(t)
}

// A place is a record and where it is.
type place struct {
	offset int64
	value  string
}

// readFrom reads what was committed, from an offset on.
func readFrom(t *testing.T, l *eventlog.Log, topic string, from int64) (all []place) {
	t.Helper()
	ends, err := l.EndOffsets(t.Context(), topic)
	require.NoError(t, err)
	if from >= ends[0] {
		return nil
	}
	for _, r := range readAll(t, l, topic, 0, from) {
		all = append(all, place{r.Offset, string(r.Value)})
	}
	return all
}

// franzReads reads what was committed between two offsets, with franz-go. No transaction may be open.
func franzReads(t *testing.T, cfg eventlog.Config, topic string, from, end int64) (all []place) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(cfg.Brokers...), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{cfg.Prefix + topic: {0: kgo.NewOffset().At(from)}}),
	)
	require.NoError(t, err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	for from < end { // the last that was said is a plain record or the mark of a transaction
		require.NoError(t, ctx.Err())
		for _, r := range client.PollFetches(ctx).Records() {
			if from = r.Offset + 1; !r.Attrs.IsControl() {
				all = append(all, place{r.Offset, string(r.Value)})
			}
		}
	}
	return all
}
