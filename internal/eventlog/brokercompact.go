package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// errTransacting says that a transaction is open.
var errTransacting = errors.New("a transaction is open")

// transactionPause is between two looks whether a transaction is still open.
const transactionPause = 5 * time.Millisecond

// Compact compacts all compacted topics as soon as no transaction is open. No produce is answered meanwhile.
func (b *Broker) Compact(ctx context.Context) error {
	err := b.compactNow(ctx)
	for errors.Is(err, errTransacting) && pause(ctx, transactionPause) == nil {
		err = b.compactNow(ctx)
	}
	return err
}

// compactNow compacts, or returns errTransacting: this broker's compaction takes what a transaction has written for
// committed, drops what was committed before in its favour, and has lost it when the transaction is aborted.
//
// A transaction must not begin between the look and the compaction. A control function is called between two requests of
// clients, when none of them is answered; the request is one that nobody else makes.
func (b *Broker) compactNow(ctx context.Context) error {
	topics, err := b.topics(ctx)
	if err != nil {
		return err
	}
	result := make(chan error, 1)
	b.cluster.ControlKey(int16(kmsg.DescribeCluster), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.DropControl()
		if transacting(b.cluster, topics) {
			result <- errTransacting
			return nil, nil, false
		}
		b.cluster.Compact()
		result <- nil
		return nil, nil, false
	})
	if _, err := kmsg.NewPtrDescribeClusterRequest().RequestWith(ctx, b.client); err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	return <-result
}

// topics are the names of the topics that there are. kadm.ListTopics may not know those of the last five seconds.
func (b *Broker) topics(ctx context.Context) ([]string, error) {
	all, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, b.client)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	var names []string
	for _, topic := range all.Topics {
		if !topic.IsInternal {
			names = append(names, *topic.Topic)
		}
	}
	return names, nil
}

// transacting reports whether a transaction has written to one of the topics and is neither committed nor aborted.
func transacting(cluster *kfake.Cluster, topics []string) bool {
	for _, topic := range topics {
		for _, p := range cluster.PartitionInfos(topic) {
			if p.LastStableOffset < p.HighWatermark {
				return true
			}
		}
	}
	return false
}
