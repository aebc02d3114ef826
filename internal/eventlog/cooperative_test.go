package eventlog_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/eventlog/logtest"
)

// A steadyGroup has members whose tasks commit one offset after the other for as long as they hold
// their partitions.
type steadyGroup struct {
	log *eventlog.Log

	mu      sync.Mutex
	offsets map[int]int64 // the last that was committed, by partition
}

// A steadyMember is one call of RunGroup.
type steadyMember struct {
	group  *steadyGroup
	cancel context.CancelFunc
	done   chan error

	member *eventlog.Member

	begun map[int]int  // tasks, by partition
	held  map[int]bool // partitions that have a task now
}

func (g *steadyGroup) join(t *testing.T) *steadyMember {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	m := &steadyMember{
		group: g, cancel: cancel, done: make(chan error, 1), begun: map[int]int{}, held: map[int]bool{},
	}
	go func() { m.done <- g.log.RunGroup(ctx, "kappa", "cars", m.commitOn) }()
	return m
}

// commitOn fails when a commit does, or the group says that the partition is another's, while it is not
// taken away: that ends the member with an error, which leave finds.
func (m *steadyMember) commitOn(ctx context.Context, member *eventlog.Member, partition int) error {
	m.note(func() { m.member = member; m.begun[partition]++; m.held[partition] = true })
	defer m.note(func() { delete(m.held, partition) })
	for ctx.Err() == nil {
		offset := m.group.committed(partition) + 1
		if err := member.Commit(context.WithoutCancel(ctx), partition, eventlog.Commit{Offset: offset}); err != nil {
			return err
		}
		m.note(func() { m.group.offsets[partition] = offset })
		if err := member.Confirm(context.WithoutCancel(ctx), partition); err != nil {
			return err
		}
	}
	return nil
}

func (m *steadyMember) note(what func()) {
	m.group.mu.Lock()
	defer m.group.mu.Unlock()
	what()
}

func (g *steadyGroup) committed(partition int) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.offsets[partition]
}

// holds returns the partitions that the member has now, ascending.
func (m *steadyMember) holds() (held []int) {
	m.note(func() {
		for p := range m.held {
			held = append(held, p)
		}
	})
	slices.Sort(held)
	return held
}

func (m *steadyMember) leave(t *testing.T) {
	m.cancel()
	require.NoError(t, <-m.done)
}

// requireUninterrupted requires that each of the partitions has had one task, and that it goes on
// committing.
func (m *steadyMember) requireUninterrupted(t *testing.T, partitions []int) {
	t.Helper()
	for _, p := range partitions {
		before := m.group.committed(p)
		eventually(t, func() bool { return m.group.committed(p) > before }, "partition %d stands still", p)
		m.note(func() { require.Equal(t, 1, m.begun[p], "partition %d was interrupted", p) })
	}
}

// Ensure that with cooperative assignment a member that joins takes only what it is to have: who keeps a
// partition goes on with it in the same task, and commits while generations change. What a member
// leaves goes back, long before the session timeout. No two ever hold the same.
func TestCooperativeMembersKeepWhatStays(t *testing.T) {
	cfg := logtest.Config(t)
	cfg.Assignment = eventlog.Cooperative
	l := logtest.Open(t, cfg)
	createTopic(t, l, "cars", 4)
	group := &steadyGroup{log: l, offsets: map[int]int64{}}
	all := []int{0, 1, 2, 3}
	a := group.join(t)
	eventually(t, func() bool { return slices.Equal(a.holds(), all) })

	b := group.join(t)
	eventually(t, func() bool { return len(a.holds()) == 2 && len(b.holds()) == 2 })
	kept := a.holds()
	both := slices.Sorted(slices.Values(append(b.holds(), kept...)))
	require.Equal(t, all, both)
	a.requireUninterrupted(t, kept)
	b.requireUninterrupted(t, b.holds())
	require.ErrorIs(t, a.member.Confirm(t.Context(), b.holds()[0]), eventlog.ErrNotMember)

	start := time.Now()
	b.leave(t)
	require.Empty(t, b.holds())
	eventually(t, func() bool { return slices.Equal(a.holds(), all) })
	require.Less(t, time.Since(start), eventlog.DefaultSessionTimeout)
	a.requireUninterrupted(t, kept)

	a.leave(t)
	commits, err := l.Committed(t.Context(), "kappa", "cars")
	require.NoError(t, err)
	for p, c := range commits {
		require.Equal(t, group.committed(p), c.Offset, "partition %d", p)
	}
}
