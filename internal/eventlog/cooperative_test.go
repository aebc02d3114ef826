package eventlog_test

import (
	"context"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

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

// Ensure that the task of a cooperative member that is cut off ends while it is, as an eager one's does: whoever has
// its partition after its session must not find it still at work.
func TestACooperativeMemberIsCutOff(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(time.Second))
	require.NoError(t, err)
	defer cluster.Close()
	broker := cluster.ListenAddrs()[0]
	var w wire
	l, err := eventlog.Open(t.Context(), eventlog.Config{
		Brokers: []string{broker}, Dial: map[string]string{broker: w.to(t, broker)},
		Assignment: eventlog.Cooperative, SessionTimeout: time.Second,
	})
	require.NoError(t, err)
	defer l.Close()
	createTopic(t, l, "cars", 1)
	begun, ended := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- l.RunGroup(ctx, "kappa", "cars", func(ctx context.Context, _ *eventlog.Member, _ int) error {
			close(begun)
			<-ctx.Done()
			close(ended)
			return nil
		})
	}()
	select {
	case <-begun:
	case err := <-done:
		t.Fatal(err)
	}
	w.cut(true)
	select {
	case <-ended:
	case <-time.After(soon):
		t.Error("the task lives on")
	}
	cancel()
	w.cut(false)
	require.NoError(t, <-done)
}

// A wire carries connections, and can be cut: then it swallows all that is said.
type wire struct {
	mu     sync.Mutex
	broken bool
	ends   []net.Conn
}

// cut cuts the wire, or mends it for new connections.
func (w *wire) cut(broken bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = broken
	for _, end := range w.ends {
		if !broken {
			end.Close()
		}
	}
}

// to returns an address where connections are carried on to another.
func (w *wire) to(t *testing.T, addr string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close(); w.cut(false) })
	go func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", addr)
			if err != nil {
				near.Close()
				continue
			}
			w.mu.Lock()
			w.ends = append(w.ends, near, far)
			w.mu.Unlock()
			go func() { io.Copy(end{near, w}, far); near.Close() }()
			go func() { io.Copy(end{far, w}, near); far.Close() }()
		}
	}()
	return ln.Addr().String()
}

type end struct {
	conn net.Conn
	wire *wire
}

// Write is io.Writer's.
func (e end) Write(b []byte) (int, error) {
	e.wire.mu.Lock()
	broken := e.wire.broken
	e.wire.mu.Unlock()
	if broken {
		return len(b), nil
	}
	return e.conn.Write(b)
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
