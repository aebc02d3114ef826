package eventlog_test

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"lambdakappa/internal/eventlog"
)

// Ensure that appends, readers and offsets follow a partition from broker to broker, as in a
// cluster whose brokers restart one after the other.
func TestLeaderMoves(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3))
	require.NoError(t, err)
	defer cluster.Close()
	l, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: cluster.ListenAddrs()})
	require.NoError(t, err)
	defer l.Close()
	createTopic(t, l, "cars", 1)
	r := openReader(t, l, 0)
	for n := range int64(6) {
		require.NoError(t, cluster.MoveTopicPartition("cars", 0, int32(n%3)))
		offset, err := l.Append(t.Context(), "cars", 0, values(int(n), 1))
		require.NoError(t, err)
		require.Equal(t, n, offset)
		b, err := r.Read(t.Context(), time.Minute)
		require.NoError(t, err)
		require.Len(t, b.Records, 1)
		require.Equal(t, n, b.Records[0].Offset)
		ends, err := l.EndOffsets(t.Context(), "cars")
		require.NoError(t, err)
		require.Equal(t, []int64{n + 1}, ends)
	}
}

// Ensure that a group that spans brokers works too: the coordinator is another one than the
// leader.
func TestGroupOnACluster(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3))
	require.NoError(t, err)
	defer cluster.Close()
	l, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: cluster.ListenAddrs()[:1]})
	require.NoError(t, err)
	defer l.Close()
	createTopic(t, l, "cars", 3)
	a := joinGroup(t, l)
	eventually(t, func() bool { return len(a.holds()) == 3 })
	require.NoError(t, a.member(2).Commit(t.Context(), 2, eventlog.Commit{Offset: 9}))
	commits, err := l.Committed(t.Context(), "kappa", "cars")
	require.NoError(t, err)
	require.EqualValues(t, 9, commits[2].Offset)
	a.leave(t)
}

// Ensure that a topic that was created is known to every broker by then: a group may ask any of them.
func TestCreatedTopicIsKnownEverywhere(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3))
	require.NoError(t, err)
	defer cluster.Close()
	addrs := cluster.ListenAddrs()
	behind := time.Now().Add(500 * time.Millisecond) // until when the last broker knows no topic
	cluster.ControlKey(int16(kmsg.Metadata), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		q := request.(*kmsg.MetadataRequest)
		if cluster.CurrentNode() != 2 || len(q.Topics) == 0 || time.Now().After(behind) {
			return nil, nil, false
		}
		answer := q.ResponseKind().(*kmsg.MetadataResponse)
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic, topic.ErrorCode = q.Topics[0].Topic, kerr.UnknownTopicOrPartition.Code
		answer.Topics = append(answer.Topics, topic)
		return answer, nil, true
	})
	l, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: addrs[:1]})
	require.NoError(t, err)
	defer l.Close()
	createTopic(t, l, "cars", 1)

	last, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: addrs[2:]})
	require.NoError(t, err)
	defer last.Close()
	n, err := last.Partitions(t.Context(), "cars")
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

// Ensure that an append outlives a broker that hangs when it is asked where the partition is: that nobody
// answers does not mean that there is none.
func TestABrokerHangs(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	defer cluster.Close()
	broker := cluster.ListenAddrs()[0]
	var hangs atomic.Int32 // how many more connections are not answered
	l, err := eventlog.Open(t.Context(), eventlog.Config{
		Brokers: []string{broker}, Dial: map[string]string{broker: carry(t, broker, &hangs)},
	})
	require.NoError(t, err)
	defer l.Close()
	other, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: []string{broker}})
	require.NoError(t, err)
	defer other.Close()
	createTopic(t, other, "cars", 1)
	hangs.Store(1)
	_, err = l.Append(t.Context(), "cars", 0, values(0, 1))
	require.NoError(t, err)
	require.Zero(t, hangs.Load(), "nothing hung")
}

// carry returns an address where connections are carried on to another, but for as many as hang.
func carry(t *testing.T, to string, hangs *atomic.Int32) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { near.Close() })
			if hangs.Load() > 0 {
				hangs.Add(-1)
				continue
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			go func() { io.Copy(near, far); near.Close() }()
			go func() { io.Copy(far, near); far.Close() }()
		}
	}()
	return ln.Addr().String()
}
