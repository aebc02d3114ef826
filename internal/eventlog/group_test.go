package eventlog_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/eventlog/logtest"
)

// A groupMember is one call of RunGroup whose tasks only hold their partitions.
type groupMember struct {
	cancel context.CancelFunc
	done   chan error

	mu      sync.Mutex
	members map[int]*eventlog.Member // by the partition that is held now
}

func joinGroup(t *testing.T, l *eventlog.Log) *groupMember {
	ctx, cancel := context.WithCancel(t.Context())
	g := &groupMember{cancel: cancel, done: make(chan error, 1), members: map[int]*eventlog.Member{}}
	go func() { g.done <- l.RunGroup(ctx, "kappa", "cars", g.hold) }()
	t.Cleanup(func() { cancel() })
	return g
}

func (g *groupMember) hold(ctx context.Context, m *eventlog.Member, partition int) error {
	g.set(partition, m)
	<-ctx.Done()
	g.set(partition, nil)
	return ctx.Err()
}

func (g *groupMember) set(partition int, m *eventlog.Member) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if m == nil {
		delete(g.members, partition)
		return
	}
	g.members[partition] = m
}

func (g *groupMember) member(partition int) *eventlog.Member {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.members[partition]
}

// holds returns the partitions that the member has now, ascending.
func (g *groupMember) holds() []int {
	g.mu.Lock()
	defer g.mu.Unlock()
	var held []int
	for p := range g.members {
		held = append(held, p)
	}
	slices.Sort(held)
	return held
}

func (g *groupMember) leave(t *testing.T) {
	g.cancel()
	require.NoError(t, <-g.done)
}

func eventually(t *testing.T, condition func() bool, what ...any) {
	t.Helper()
	require.Eventually(t, condition, soon, 5*time.Millisecond, what...)
}

// Ensure that two members share the partitions, and that the one that stays takes over what the
// other leaves, long before the session timeout.
func TestMembersSharePartitions(t *testing.T) {
	l := newLog(t, "cars", 4)
	all := []int{0, 1, 2, 3}
	a := joinGroup(t, l)
	eventually(t, func() bool { return slices.Equal(a.holds(), all) })

	b := joinGroup(t, l)
	eventually(t, func() bool {
		held := append(a.holds(), b.holds()...)
		slices.Sort(held)
		return len(a.holds()) == 2 && len(b.holds()) == 2 && slices.Equal(held, all)
	})

	start := time.Now()
	a.leave(t)
	require.Empty(t, a.holds())
	eventually(t, func() bool { return slices.Equal(b.holds(), all) })
	require.Less(t, time.Since(start), eventlog.DefaultSessionTimeout)
	b.leave(t)

	// Everybody left in good order, so the next start waits for nobody.
	start = time.Now()
	c := joinGroup(t, l)
	eventually(t, func() bool { return slices.Equal(c.holds(), all) })
	require.Less(t, time.Since(start), eventlog.DefaultSessionTimeout)
	c.leave(t)
}

// Ensure that offset and metadata of a commit come back, and that nothing was committed shows.
func TestCommit(t *testing.T) {
	l := newLog(t, "cars", 2)
	none, err := l.Committed(t.Context(), "kappa", "cars")
	require.NoError(t, err, "a group that nobody has joined")
	require.Equal(t, []eventlog.Commit{{Offset: -1}, {Offset: -1}}, none)

	a := joinGroup(t, l)
	eventually(t, func() bool { return len(a.holds()) == 2 })

	metadata := `{"watermark":1700000000000,"text":"ä` + strings.Repeat("x", 4000) + `"}`
	require.NoError(t, a.member(1).Commit(t.Context(), 1, eventlog.Commit{Offset: 42, Metadata: metadata}))
	commits, err := l.Committed(t.Context(), "kappa", "cars")
	require.NoError(t, err)
	require.Equal(t, []eventlog.Commit{{Offset: -1}, {Offset: 42, Metadata: metadata}}, commits)

	err = a.member(1).Commit(t.Context(), 1, eventlog.Commit{Offset: 43, Metadata: strings.Repeat("x", 4097)})
	require.ErrorContains(t, err, "4097 bytes of metadata")
	a.leave(t)
}

// Ensure that a member of an old generation commits nothing: its partition may be another's.
func TestCommitOfAnOldGenerationFails(t *testing.T) {
	l := newLog(t, "cars", 1)
	a := joinGroup(t, l)
	eventually(t, func() bool { return a.member(0) != nil })
	old := a.member(0)
	a.leave(t)
	b := joinGroup(t, l)
	eventually(t, func() bool { return b.member(0) != nil })
	require.NoError(t, b.member(0).Commit(t.Context(), 0, eventlog.Commit{Offset: 7}))

	require.ErrorIs(t, old.Commit(t.Context(), 0, eventlog.Commit{Offset: 3}), eventlog.ErrNotMember)
	commits, err := l.Committed(t.Context(), "kappa", "cars")
	require.NoError(t, err)
	require.EqualValues(t, 7, commits[0].Offset)
	b.leave(t)
}

// Ensure that a member learns whether a partition is still its own: not when it is another's, and
// not when the group has gone on without it.
func TestConfirm(t *testing.T) {
	l := newLog(t, "cars", 2)
	a := joinGroup(t, l)
	eventually(t, func() bool { return len(a.holds()) == 2 })
	alone := a.member(0)
	require.NoError(t, alone.Confirm(t.Context(), 0))
	require.NoError(t, alone.Confirm(t.Context(), 1))
	require.ErrorIs(t, alone.Confirm(t.Context(), 2), eventlog.ErrNotMember)

	b := joinGroup(t, l)
	eventually(t, func() bool { return len(a.holds()) == 1 && len(b.holds()) == 1 })
	mine, theirs := a.holds()[0], b.holds()[0]
	require.NoError(t, a.member(mine).Confirm(t.Context(), mine))
	require.ErrorIs(t, a.member(mine).Confirm(t.Context(), theirs), eventlog.ErrNotMember)
	require.NoError(t, b.member(theirs).Confirm(t.Context(), theirs))
	a.leave(t)
	eventually(t, func() bool { return len(b.holds()) == 2 })
	require.ErrorIs(t, alone.Confirm(t.Context(), mine), eventlog.ErrNotMember)
	b.leave(t)
	require.ErrorIs(t, alone.Confirm(t.Context(), mine), eventlog.ErrNotMember)
}

// Ensure that a member that dies while it joins is thrown out, and that its partitions are somebody's again.
func TestMemberDiesWhileItJoins(t *testing.T) {
	logtest.EmbeddedOnly(t, "it is about the embedded broker")
	cfg := logtest.Config(t)
	cfg.SessionTimeout = time.Second
	l := logtest.Open(t, cfg)
	createTopic(t, l, "cars", 2)
	a := joinGroup(t, l)
	eventually(t, func() bool { return len(a.holds()) == 2 })
	for range 2 {
		dieJoining(t, cfg)
		eventually(t, func() bool { return len(a.holds()) == 1 })
		eventually(t, func() bool { return len(a.holds()) == 2 })
	}
	a.leave(t)
}

// dieJoining asks to join the group, and is gone before there is an answer.
func dieJoining(t *testing.T, cfg eventlog.Config) {
	t.Helper()
	about := kmsg.NewConsumerMemberMetadata()
	about.Topics = []string{cfg.Prefix + "cars"}
	join := kmsg.NewPtrJoinGroupRequest()
	join.Version = 1
	join.Group, join.ProtocolType = cfg.Prefix+"kappa", "consumer"
	join.SessionTimeoutMillis, join.RebalanceTimeoutMillis = 1000, 2000
	join.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range", Metadata: about.AppendTo(nil)}}
	conn, err := net.Dial("tcp", cfg.Brokers[0])
	require.NoError(t, err)
	_, err = conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, join, 1))
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}

// Ensure that a task may still commit after its context has ended, before RunGroup leaves.
func TestLastCommitOnTheWayOut(t *testing.T) {
	l := newLog(t, "cars", 1)
	ctx, cancel := context.WithCancel(t.Context())
	err := l.RunGroup(ctx, "kappa", "cars", func(task context.Context, m *eventlog.Member, p int) error {
		cancel()
		<-task.Done()
		return m.Commit(context.WithoutCancel(task), p, eventlog.Commit{Offset: 5})
	})
	require.NoError(t, err)
	commits, err := l.Committed(t.Context(), "kappa", "cars")
	require.NoError(t, err)
	require.EqualValues(t, 5, commits[0].Offset)
}

// Ensure that the first error of a task ends the other tasks and comes back, and that the member
// has left the group by then.
func TestTaskErrorEndsRunGroup(t *testing.T) {
	l := newLog(t, "cars", 2)
	broken := errors.New("broken")
	err := l.RunGroup(t.Context(), "kappa", "cars", func(ctx context.Context, _ *eventlog.Member, p int) error {
		if p == 1 {
			return broken
		}
		<-ctx.Done()
		return errors.New("an error on the way out does not count")
	})
	require.ErrorIs(t, err, broken)

	start := time.Now()
	a := joinGroup(t, l)
	eventually(t, func() bool { return len(a.holds()) == 2 })
	require.Less(t, time.Since(start), eventlog.DefaultSessionTimeout)
	a.leave(t)
}

// Ensure that a task that is done keeps its membership: the others are not disturbed.
func TestTaskThatIsDoneStaysMember(t *testing.T) {
	l := newLog(t, "cars", 2)
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	runs := map[int]int{}
	err := l.RunGroup(ctx, "kappa", "cars", func(ctx context.Context, m *eventlog.Member, p int) error {
		mu.Lock()
		runs[p]++
		mu.Unlock()
		if p == 0 {
			return nil
		}
		// Long enough for a heartbeat or two to notice a rebalance, which would end ctx.
		for start, offset := time.Now(), int64(0); time.Since(start) < time.Second; offset++ {
			if err := m.Commit(ctx, p, eventlog.Commit{Offset: offset}); err != nil {
				return err
			}
		}
		cancel()
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, map[int]int{0: 1, 1: 1}, runs)
}

func TestRunGroupRefusals(t *testing.T) {
	l := newLog(t, "cars", 1)
	never := func(context.Context, *eventlog.Member, int) error { panic("not called") }
	require.ErrorContains(t, l.RunGroup(t.Context(), "kappa", "trucks", never), "topic trucks does not exist")
	require.ErrorContains(t, l.RunGroup(t.Context(), "a/b", "cars", never), `group name "a/b"`)
}

// Ensure that a session that the broker does not allow is refused by the name of the broker's setting.
func TestSessionTimeoutThatIsRefused(t *testing.T) {
	for _, assignment := range []eventlog.Assignment{eventlog.Eager, eventlog.Cooperative} {
		cfg := logtest.Config(t)
		cfg.SessionTimeout, cfg.Assignment = 100*time.Millisecond, assignment
		l := logtest.Open(t, cfg)
		createTopic(t, l, "cars", 1)
		err := l.RunGroup(t.Context(), "kappa", "cars", func(context.Context, *eventlog.Member, int) error { return nil })
		require.ErrorContains(t, err, "it is 100ms, and has to be between the brokers' group.min.session.timeout.ms")
	}
}
