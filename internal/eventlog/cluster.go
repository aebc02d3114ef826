package eventlog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/segmentio/kafka-go/protocol/metadata"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// Brokers returns the addresses of the brokers that are up, host:port, as they know themselves. It is
// an error when the cluster has no controller: then it can elect nobody and create nothing.
func (l *Log) Brokers(ctx context.Context) ([]string, error) {
	m, err := l.clusterMetadata(ctx, []string{})
	if err != nil {
		return nil, fmt.Errorf("list brokers: %w", err)
	}
	if m.ControllerID < 0 {
		return nil, errors.New("list brokers: no controller is elected")
	}
	return addrsOf(m), nil
}

// addrsOf returns the brokers' addresses, host:port.
func addrsOf(m *metadata.Response) []string {
	addrs := make([]string, len(m.Brokers))
	for i, b := range m.Brokers {
		addrs[i] = net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
	}
	return addrs
}

// Version returns which release of Apache Kafka answers the same requests as the cluster, such as "v4.1": brokers
// do not name theirs.
func (l *Log) Version(ctx context.Context) (version string, err error) {
	err = l.retry(ctx, func(ctx context.Context) error {
		answer, err := l.versions(ctx)
		if err == nil {
			version = kversion.FromApiVersionsResponse(answer).VersionGuess()
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("version of the brokers: %w", err)
	}
	return version, nil
}

// Leader returns where the leader of a partition listens, host:port.
func (l *Log) Leader(ctx context.Context, topic string, partition int) (string, error) {
	full, err := l.name("topic", topic)
	if err != nil {
		return "", err
	}
	var addr string
	err = l.retry(ctx, func(ctx context.Context) error {
		addr, err = l.leaderAddr(ctx, full, partition)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("find the leader of %s/%d: %w", topic, partition, err)
	}
	return addr, nil
}

// metadataLog is the topic that KRaft's controllers agree on.
const metadataLog = "__cluster_metadata"

// Controller returns the id of the active controller of a KRaft cluster: of the leader of its metadata.
// (What metadata calls the controller there is any broker, that passes requests on.)
func (l *Log) Controller(ctx context.Context) (int, error) {
	client, err := l.franz()
	if err != nil {
		return 0, err
	}
	defer client.Close()
	req := kmsg.NewPtrDescribeQuorumRequest()
	topic := kmsg.NewDescribeQuorumRequestTopic()
	topic.Topic = metadataLog
	topic.Partitions = append(topic.Partitions, kmsg.NewDescribeQuorumRequestTopicPartition())
	req.Topics = append(req.Topics, topic)
	answer, err := req.RequestWith(ctx, client)
	if err == nil {
		err = kerr.ErrorForCode(answer.ErrorCode)
	}
	if err != nil {
		return 0, fmt.Errorf("find the controller: %w", err)
	}
	for _, t := range answer.Topics {
		for _, p := range t.Partitions {
			return int(p.LeaderID), kerr.ErrorForCode(p.ErrorCode)
		}
	}
	return 0, errors.New("find the controller: the cluster names none")
}
