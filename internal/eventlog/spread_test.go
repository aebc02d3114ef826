package eventlog_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"lambdakappa/internal/eventlog"
)

// Ensure that copies are dealt evenly over all brokers, that topics keep their number of copies, and that
// those of others stay where they are.
func TestSpread(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(4))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	admin := kadm.NewClient(client)
	_, err = admin.CreateTopics(t.Context(), 8, 3, nil, "run-cars", "other")
	require.NoError(t, err)
	_, err = admin.CreateTopics(t.Context(), 4, 2, nil, "run-view")
	require.NoError(t, err)
	copies := map[string][]int{} // by topic, of each partition
	held := map[int32]int{}
	// The embedded broker takes the request and moves nothing; a real cluster does in make test-kafka.
	c.ControlKey(int16(kmsg.AlterPartitionAssignments), func(req kmsg.Request) (kmsg.Response, error, bool) {
		for _, topic := range req.(*kmsg.AlterPartitionAssignmentsRequest).Topics {
			for _, p := range topic.Partitions {
				copies[topic.Topic] = append(copies[topic.Topic], len(p.Replicas))
				for _, broker := range p.Replicas {
					held[broker]++
				}
			}
		}
		return nil, nil, false
	})
	l, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: c.ListenAddrs(), Prefix: "run-"})
	require.NoError(t, err)
	defer l.Close()
	require.NoError(t, l.Spread(t.Context()))
	require.Equal(t, map[string][]int{"run-cars": {3, 3, 3, 3, 3, 3, 3, 3}, "run-view": {2, 2, 2, 2}}, copies)
	require.Len(t, held, 4)
	for broker, n := range held {
		require.Equal(t, (8*3+4*2)/4, n, "broker %d", broker)
	}
}
