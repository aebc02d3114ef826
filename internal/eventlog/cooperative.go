package eventlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// An Assignment is how a group shares out partitions when members come and go.
type Assignment string

// The assignments. All members of a group must have the same.
const (
	// Eager takes all partitions away from all members and shares them out anew: everybody pauses,
	// shortly. It is what kafka-go has, and the default.
	Eager Assignment = "eager"

	// Cooperative takes away only what another member is to have (KIP-429, cooperative-sticky): who
	// keeps a partition goes on with it all the while. It is franz-go's.
	Cooperative Assignment = "cooperative"
)

func (a Assignment) validate() error {
	switch a {
	case "", Eager, Cooperative:
		return nil
	}
	return fmt.Errorf("log: assignment %q: takes %s, or %s", a, Eager, Cooperative)
}

// A cooperativeRun is one call of RunGroup with cooperative assignment. Its tasks outlive
// generations.
type cooperativeRun struct {
	*groupRun
	ctx    context.Context // of all tasks
	fail   context.CancelCauseFunc
	member *Member

	mu    sync.Mutex
	tasks map[int]*runningTask // by partition
}

type runningTask struct {
	cancel context.CancelFunc
	ended  chan struct{}
}

// runCooperative is RunGroup with cooperative assignment.
func (g *groupRun) runCooperative(ctx context.Context) error {
	r := &cooperativeRun{groupRun: g, tasks: map[int]*runningTask{}}
	r.ctx, r.fail = context.WithCancelCause(ctx)
	defer r.fail(nil)
	r.member = &Member{log: g.log, group: g.group, topic: g.topic, keeps: r.holds}
	session := g.log.cfg.SessionTimeout
	client, err := g.log.franz(
		kgo.ConsumerGroup(g.group), kgo.ConsumeTopics(g.topic), kgo.DisableAutoCommit(),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.SessionTimeout(session), kgo.HeartbeatInterval(min(heartbeatInterval, session/3)),
		kgo.RebalanceTimeout(2*session), // for tasks to end and commit
		kgo.RetryTimeoutFn(membership(session)),
		kgo.MaxConcurrentFetches(0), // it shares out partitions; tasks read them, with readers of their own
		kgo.WithHooks(groupErrors{func(err error) { r.fail(&taskError{g.refused(err)}) }}),
		kgo.OnPartitionsAssigned(func(_ context.Context, c *kgo.Client, all map[string][]int32) {
			r.begin(c, all[g.topic])
		}),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, all map[string][]int32) { r.end(all[g.topic]) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, all map[string][]int32) { r.end(all[g.topic]) }),
	)
	if err != nil {
		return err
	}
	defer client.Close() // leaves the group
	<-r.ctx.Done()
	r.endAll()
	var failed *taskError
	if errors.As(context.Cause(r.ctx), &failed) {
		return failed.err
	}
	return nil
}

// membership is how long a client asks again: a member that was not heard of for its session has lost its
// partitions, and its tasks have to end then.
func membership(session time.Duration) func(request int16) time.Duration {
	return func(request int16) time.Duration {
		switch kmsg.Key(request) {
		case kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat:
			return session
		}
		return patience
	}
}

// groupErrors hears why a client is not in its group. Nobody polls it, so it would try again for ever and say
// nothing.
type groupErrors struct{ fail func(error) }

// OnGroupManageError implements kgo.HookGroupManageError.
func (g groupErrors) OnGroupManageError(err error) {
	var refused *kerr.Error
	if errors.As(err, &refused) && !refused.Retriable && !slices.Contains(rejoinable, refused) {
		g.fail(err)
	}
}

// rejoinable are errors that another join mends.
var rejoinable = []*kerr.Error{kerr.UnknownMemberID, kerr.IllegalGeneration, kerr.RebalanceInProgress, kerr.MemberIDRequired}

// begin starts the tasks of partitions that were assigned.
func (r *cooperativeRun) begin(client *kgo.Client, partitions []int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.member.identity == nil { // before the first task, which reads it
		r.member.identity = client.GroupMetadata
		r.member.assigned = func(ctx context.Context) (assigned, error) { return r.describe(ctx, client) }
	}
	for _, p := range partitions {
		if r.ctx.Err() != nil {
			return
		}
		ctx, cancel := context.WithCancel(r.ctx)
		task := &runningTask{cancel, make(chan struct{})}
		r.tasks[int(p)] = task
		go func() {
			defer close(task.ended)
			if err := r.work(ctx, r.member, int(p)); err != nil && ctx.Err() == nil {
				r.fail(&taskError{err})
			}
		}()
	}
}

// end ends the tasks of partitions that are taken away, and waits for them: the next holder begins
// after that.
func (r *cooperativeRun) end(partitions []int32) {
	r.mu.Lock()
	var ending []*runningTask
	for _, p := range partitions {
		if task := r.tasks[int(p)]; task != nil {
			task.cancel()
			ending = append(ending, task)
		}
		delete(r.tasks, int(p))
	}
	r.mu.Unlock()
	for _, task := range ending {
		<-task.ended
	}
}

func (r *cooperativeRun) endAll() {
	r.mu.Lock()
	var all []int32
	for p := range r.tasks {
		all = append(all, int32(p))
	}
	r.mu.Unlock()
	r.end(all)
}

// holds reports whether this process still works on the partition.
func (r *cooperativeRun) holds(partition int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tasks[partition] != nil
}

// describe asks the group what this process has.
func (r *cooperativeRun) describe(ctx context.Context, client *kgo.Client) (a assigned, err error) {
	groups, err := kadm.NewClient(client).DescribeGroups(ctx, r.group)
	if err != nil {
		return a, err
	}
	g, err := groups.On(r.group, nil)
	if err == nil {
		err = g.Err
	}
	if err != nil {
		return a, err
	}
	a.settled = g.State == stable
	id, _ := client.GroupMetadata()
	for _, m := range g.Members {
		if c, ok := m.Assigned.AsConsumer(); ok && m.MemberID == id {
			for _, t := range c.Topics {
				for _, p := range t.Partitions {
					a.partitions = append(a.partitions, int(p))
				}
			}
		}
	}
	return a, nil
}

// waitOut waits a moment after a request was refused because the group is between two generations, since
// when says since. A generation is known from the answer to a join, but good only when the group has
// agreed on it, so the same one may be good a moment later. It fails with [ErrNotMember] where a new
// generation means new tasks, and when the partition is another's.
func (m *Member) waitOut(ctx context.Context, partition int, since time.Time, why error) error {
	if m.keeps == nil || !m.keeps(partition) || time.Since(since) > patience {
		return fmt.Errorf("%w: %w", ErrNotMember, why)
	}
	return pause(ctx, firstBackoff)
}
