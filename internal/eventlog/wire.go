package eventlog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

// The versions that we speak on connections of our own. Both are known since Apache Kafka 2.3.
const (
	metadataVersion = 8
	fetchVersion    = 11
)

// clusterMetadata asks a broker for what it knows of the topics now; of all that there are when topics is
// nil. Each time another one is asked first: one that is cut off from the others answers, and knows nothing
// of what they have agreed on since.
// kafka-go's Client.Metadata would answer from its cache, and ReadPartitions would create a topic
// that is missing where the cluster allows that.
func (l *Log) clusterMetadata(ctx context.Context, topics []string) (*metadata.Response, error) {
	var errs []error
	first := int(l.asked.Add(1))
	for i := range l.cfg.Brokers {
		addr := l.cfg.Brokers[(first+i)%len(l.cfg.Brokers)]
		m, err := l.brokerMetadata(ctx, addr, topics)
		if err == nil {
			return m, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func (l *Log) brokerMetadata(
	ctx context.Context, addr string, topics []string,
) (*metadata.Response, error) {
	conn, err := l.cfg.dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(dialTimeout)); err != nil {
		return nil, err
	}
	m, err := protocol.RoundTrip(conn, metadataVersion, 1, clientID, &metadata.Request{TopicNames: topics})
	if err != nil {
		return nil, fmt.Errorf("ask %s for metadata: %w", addr, err)
	}
	return m.(*metadata.Response), nil
}

// topicMetadata returns what the cluster knows of one topic, by its full name.
func (l *Log) topicMetadata(ctx context.Context, full string) (*metadata.Response, error) {
	m, err := l.clusterMetadata(ctx, []string{full})
	if err != nil {
		return nil, err
	}
	if len(m.Topics) != 1 {
		return nil, fmt.Errorf("look up topic %s: the broker answered for %d topics", full, len(m.Topics))
	}
	if code := m.Topics[0].ErrorCode; code != 0 {
		return nil, kafka.Error(code)
	}
	return m, nil
}

// leaderAddr returns where the leader of a partition listens.
func (l *Log) leaderAddr(ctx context.Context, full string, partition int) (string, error) {
	m, err := l.topicMetadata(ctx, full)
	if err != nil {
		return "", err
	}
	for _, p := range m.Topics[0].Partitions {
		if int(p.PartitionIndex) != partition {
			continue
		}
		for _, b := range m.Brokers {
			if b.NodeID == p.LeaderID {
				return net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port))), nil
			}
		}
		return "", kafka.LeaderNotAvailable
	}
	return "", kafka.UnknownTopicOrPartition
}
