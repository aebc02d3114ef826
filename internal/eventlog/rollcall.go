package eventlog

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A rollCall removes members from groups that kfake does not watch: of a client whose connection was gone when
// it was told of its membership, kfake expects no sign of life (group.reply, in the version of go.mod), and
// its partitions would be nobody's until somebody else joins or leaves. Apache Kafka waits a session for it,
// and so does the roll call. It works only after joins: a group whose members have all answered is left alone.
type rollCall struct {
	cluster *kfake.Cluster
	client  *kgo.Client
	stop    context.CancelFunc
	ended   chan struct{}

	mu      sync.Mutex
	groups  map[string]time.Duration // that were joined since all have answered; the longest session
	answers map[string]bool          // members that have said something since they last joined
}

// callEvery is how often a group is looked at that was joined.
const callEvery = 500 * time.Millisecond

// callRoll begins, and goes on until close. The client is of the cluster.
func callRoll(cluster *kfake.Cluster, client *kgo.Client) *rollCall {
	ctx, stop := context.WithCancel(context.Background())
	r := &rollCall{
		cluster: cluster, client: client, stop: stop, ended: make(chan struct{}),
		groups: map[string]time.Duration{}, answers: map[string]bool{},
	}
	for _, key := range []kmsg.Key{kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat} {
		cluster.ControlKey(int16(key), r.listen)
	}
	go r.run(ctx)
	return r
}

// close is to be called before the cluster's and the client's.
func (r *rollCall) close() {
	r.stop()
	<-r.ended
}

// listen takes note of a request; kfake answers it.
func (r *rollCall) listen(request kmsg.Request) (kmsg.Response, error, bool) {
	r.cluster.KeepControl()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch q := request.(type) {
	case *kmsg.JoinGroupRequest:
		r.groups[q.Group] = max(r.groups[q.Group], time.Duration(q.SessionTimeoutMillis)*time.Millisecond)
		delete(r.answers, q.MemberID)
	case *kmsg.SyncGroupRequest:
		r.answers[q.MemberID] = true
	case *kmsg.HeartbeatRequest:
		r.answers[q.MemberID] = true
	}
	return nil, nil, false
}

func (r *rollCall) run(ctx context.Context) {
	defer close(r.ended)
	missing := map[string]map[string]time.Time{} // members of groups, since when
	for pause(ctx, callEvery) == nil {
		for group, session := range r.take() {
			silent, settled, err := r.silent(ctx, group)
			if err != nil {
				break // the broker ends
			}
			if !settled || len(silent) > 0 {
				r.again(group, session)
			}
			since := map[string]time.Time{} // whoever has answered is missed no more
			for _, member := range silent {
				since[member] = time.Now()
				if before, known := missing[group][member]; known {
					since[member] = before
				}
				if time.Since(since[member]) >= session {
					r.remove(ctx, group, member)
				}
			}
			missing[group] = since
		}
	}
}

// take are the groups that have to be looked at. Whoever joins from here on is a reason to look again.
func (r *rollCall) take() map[string]time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.groups
	r.groups = map[string]time.Duration{}
	return all
}

// again has a group looked at once more.
func (r *rollCall) again(group string, session time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.groups[group] = max(r.groups[group], session)
}

// silent are the members of a group that have not answered since they joined. It is not settled while it is
// shared out anew: then kfake itself waits for those who have to join or sync.
func (r *rollCall) silent(ctx context.Context, group string) (all []string, settled bool, err error) {
	described, err := kadm.NewClient(r.client).DescribeGroups(ctx, group)
	if err != nil {
		return nil, false, err
	}
	g := described[group]
	if g.State == "PreparingRebalance" || g.State == "CompletingRebalance" {
		return nil, false, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range g.Members {
		if !r.answers[m.MemberID] {
			all = append(all, m.MemberID)
		}
	}
	return all, true, nil
}

// remove has a member leave; an error means that the broker ends.
func (r *rollCall) remove(ctx context.Context, group, member string) {
	leave := kmsg.NewPtrLeaveGroupRequest()
	leave.Group = group
	leave.Members = []kmsg.LeaveGroupRequestMember{{MemberID: member}}
	_, _ = leave.RequestWith(ctx, r.client)
}
