package eventlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Timing of group membership. A member learns of a rebalance with its next heartbeat, so that a
// join or a clean leave takes about one heartbeat interval; it costs two small requests a second.
const (
	heartbeatInterval = 500 * time.Millisecond
	joinBackoff       = 200 * time.Millisecond
)

// A Member is one process's membership in a group: in one generation of it, or in all of them where
// assignment is cooperative.
type Member struct {
	log   *Log
	group string // full name
	topic string // full name

	identity func() (id string, generation int32) // of now
	keeps    func(partition int) bool             // through generations; nil where each begins anew
	assigned func(ctx context.Context) (a assigned, err error)

	// id is that of the membership in which the task has begun. Cooperative members may be thrown out and
	// join again without a word to their tasks: what a task does under another id, it may no longer do.
	id string
}

// begun is the member as a task has it that begins now.
func (m *Member) begun() *Member {
	own := *m
	own.id, _ = m.identity()
	return &own
}

// now is the identity to act under. It fails with [ErrNotMember] when it is no longer that of the task.
func (m *Member) now() (id string, generation int32, err error) {
	id, generation = m.identity()
	if id != m.id {
		return "", 0, fmt.Errorf("%w: it was %s and is %s now", ErrNotMember, m.id, id)
	}
	return id, generation, nil
}

// assigned is what a group says that one of its members has.
type assigned struct {
	partitions []int
	settled    bool // false while the group shares them out anew: then it says nothing
}

// Confirm asks the group whether this member still holds a partition. It fails with [ErrNotMember]
// when it does not, or when the group is about to share out the partitions anew and this one does not
// stay where it is.
func (m *Member) Confirm(ctx context.Context, partition int) error {
	err := m.log.retry(ctx, func(ctx context.Context) error {
		for start := time.Now(); ; {
			a, err := m.assigned(ctx)
			switch {
			case err != nil || slices.Contains(a.partitions, partition):
				return err
			case a.settled:
				return ErrNotMember
			}
			if err := m.waitOut(ctx, partition, start, kafka.RebalanceInProgress); err != nil {
				return err
			}
		}
	})
	if err != nil {
		return fmt.Errorf("confirm %s/%d in group %s: %w", m.topic, partition, m.group, err)
	}
	return nil
}

// describe asks kafka-go for what the group says. It reads no members of other clients.
//
// A heartbeat would be the shorter question, but kafka-go's Client misreads the answer: in 0.4.51 the
// error code stands where Kafka has the throttle time.
func (m *Member) describe(ctx context.Context) (a assigned, err error) {
	res, err := m.log.client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{m.group}})
	if err != nil {
		return a, err
	}
	id, _ := m.identity()
	for _, g := range res.Groups {
		if g.Error != nil {
			return a, g.Error
		}
		a.settled = g.GroupState == stable
		for _, member := range g.Members {
			for _, t := range member.MemberAssignments.Topics {
				if member.MemberID == id && t.Topic == m.topic {
					a.partitions = t.Partitions
				}
			}
		}
	}
	return a, nil
}

// stable is the state of a group in which every member knows what it has.
const stable = "Stable"

// RunGroup joins the group as one more member and runs task once for every partition of topic
// that is assigned to it, each in a goroutine of its own. The context of a task ends when its
// partition is taken away or ctx ends; RunGroup waits for all tasks before it joins the next
// generation. A task that returns nil early is done with its partition for this generation. With
// cooperative assignment a task goes on through all generations that leave its partition where it is.
//
// A task that fails with [ErrNotMember] knows something that its group has not told this process yet, or was
// fenced by somebody who took the partition for his own. It begins again as soon as the group says that
// the partition is this member's, unless its context ends before.
//
// It returns nil when ctx ends, or the first error of a task (errors of a task whose context has
// ended do not count). Either way it leaves the group first, so that others take over at once and
// not after the session timeout. While no coordinator can be reached it goes on trying.
func (l *Log) RunGroup(
	ctx context.Context, group, topic string,
	task func(ctx context.Context, m *Member, partition int) error,
) error {
	g, err := l.newGroupRun(ctx, group, topic, task)
	if err != nil {
		return err
	}
	if l.cfg.Assignment == Cooperative {
		return g.runCooperative(ctx)
	}
	members, err := kafka.NewConsumerGroup(l.groupConfig(g.group, g.topic))
	if err != nil {
		return fmt.Errorf("join group %s: %w", group, err)
	}
	defer leave(members, l.cfg.SessionTimeout)
	for {
		generation, err := members.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !rejoins(err):
			return g.refused(err)
		case err != nil:
			continue // kafka-go backs off before it tries again
		}
		if err := g.run(ctx, generation); err != nil {
			return err
		}
	}
}

// leave leaves the group. It waits for no longer than the group would: Close waits for a join that is under
// way, whose answer may never come, and the error of a task would never be told.
func leave(members *kafka.ConsumerGroup, session time.Duration) {
	left := make(chan struct{})
	go func() {
		_ = members.Close()
		close(left)
	}()
	select {
	case <-left:
	case <-time.After(session):
	}
}

func (l *Log) groupConfig(group, topic string) kafka.ConsumerGroupConfig {
	session := l.cfg.SessionTimeout
	return kafka.ConsumerGroupConfig{
		ID:      group,
		Brokers: l.cfg.Brokers,
		Topics:  []string{topic},
		Dialer: &kafka.Dialer{
			ClientID: clientID, Timeout: dialTimeout, DialFunc: l.cfg.dial,
		},
		HeartbeatInterval: min(heartbeatInterval, session/3),
		SessionTimeout:    session,
		RebalanceTimeout:  2 * session, // for tasks to end and commit
		JoinGroupBackoff:  joinBackoff,
		Timeout:           requestTimeout,
	}
}

// rejoins reports whether joining again can help.
func rejoins(err error) bool {
	for _, k := range []error{
		kafka.RebalanceInProgress, kafka.UnknownMemberId, kafka.IllegalGeneration, kafka.MemberIDRequired,
	} {
		if errors.Is(err, k) {
			return true
		}
	}
	return retriable(err)
}

// A groupRun is one call of RunGroup.
type groupRun struct {
	log          *Log
	group, topic string // full names
	task         func(ctx context.Context, m *Member, partition int) error
}

func (l *Log) newGroupRun(
	ctx context.Context, group, topic string,
	task func(ctx context.Context, m *Member, partition int) error,
) (*groupRun, error) {
	fullGroup, err := l.name("group", group)
	if err != nil {
		return nil, err
	}
	n, err := l.Partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fmt.Errorf("join group %s: topic %s does not exist", group, topic)
	}
	return &groupRun{log: l, group: fullGroup, topic: l.cfg.Prefix + topic, task: task}, nil
}

// refused is the error of a join that another join does not mend.
func (g *groupRun) refused(err error) error {
	if errors.Is(err, kafka.InvalidSessionTimeout) || errors.Is(err, kerr.InvalidSessionTimeout) {
		err = fmt.Errorf("%w: it is %s, and has to be between the brokers' group.min.session.timeout.ms and group.max.session.timeout.ms",
			err, g.log.cfg.SessionTimeout)
	}
	return fmt.Errorf("join group %s: %w", g.group, err)
}

// run runs the tasks of one generation and returns when all of them have ended, with the first
// error of a task whose context had not ended.
func (g *groupRun) run(ctx context.Context, generation *kafka.Generation) error {
	m := &Member{
		log: g.log, group: g.group, topic: g.topic,
		identity: func() (string, int32) { return generation.MemberID, generation.ID },
	}
	m.assigned = m.describe
	ended := make(chan error, 1)
	// kafka-go ends a generation when a function given to Start returns, and joins the next one
	// only after it has; so all tasks are one such function.
	generation.Start(func(over context.Context) {
		ended <- g.runTasks(ctx, over, m, generation.Assignments[g.topic])
	})
	return <-ended
}

// runTasks returns after the generation is over (or ctx, or a task has failed) and all tasks have
// returned.
func (g *groupRun) runTasks(
	ctx, over context.Context, m *Member, assigned []kafka.PartitionAssignment,
) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(over, func() { cancel(nil) })
	defer stop()
	var tasks sync.WaitGroup
	for _, a := range assigned {
		tasks.Go(func() {
			// The first cause stands: once the context has ended, errors do not count.
			if err := g.work(ctx, m, a.ID); err != nil {
				cancel(&taskError{err})
			}
		})
	}
	<-ctx.Done()
	tasks.Wait()
	var failed *taskError
	if errors.As(context.Cause(ctx), &failed) {
		return failed.err
	}
	return nil
}

// work runs the task of a partition for as long as ctx says that it is this process's.
func (g *groupRun) work(ctx context.Context, m *Member, partition int) error {
	for {
		err := g.task(ctx, m.begun(), partition)
		if !errors.Is(err, ErrNotMember) || ctx.Err() != nil {
			return err
		}
		if !m.regains(ctx, partition) {
			return nil
		}
	}
}

// regains waits until the group says that the partition is this member's; false when ctx ends before. Its
// pause is about what a member takes to hear of a rebalance, and it keeps two who fence each other from
// doing nothing else.
func (m *Member) regains(ctx context.Context, partition int) bool {
	for pause(ctx, heartbeatInterval) == nil {
		if m.Confirm(ctx, partition) == nil {
			return true
		}
	}
	return false
}

// A taskError is why the context of all tasks of a generation ended.
type taskError struct{ err error }

func (e *taskError) Error() string { return e.err.Error() }
