package eventlog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Why a broker has not compacted.
var (
	errTransacting = errors.New("a transaction is open")
	errClosing     = errors.New("the broker ends")
)

// transactionPause is between two looks whether a transaction is still open.
const transactionPause = 5 * time.Millisecond

// A compactor compacts in a broker, one compaction after the other and none once it is closed.
//
// This broker's compaction takes what a transaction has written for committed, drops what was committed before in its
// favour, and has lost it when the transaction is aborted. So it must not run while one is open, and none must begin
// between the look and the compaction: both happen in a control function, which is called between two requests of
// clients, when none of them is answered.
type compactor struct {
	broker *Broker

	mu     sync.Mutex
	closed bool
}

// Compact compacts all compacted topics as soon as no transaction is open, and applies the broker's own retention. No
// produce is answered meanwhile.
func (b *Broker) Compact(ctx context.Context) error {
	err := b.compactor.now(ctx)
	for errors.Is(err, errTransacting) && pause(ctx, transactionPause) == nil {
		err = b.compactor.now(ctx)
	}
	return err
}

// close returns when no compaction is under way, and there is none from then on.
func (c *compactor) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}

// now compacts, or returns errTransacting. Once it is asked for, it is waited for.
func (c *compactor) now(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosing
	}
	topics, err := c.broker.topics(ctx)
	if err != nil {
		return err
	}
	one := &compaction{cluster: c.broker.cluster, topics: topics, err: errClosing}
	one.cluster.ControlKey(int16(kmsg.DescribeCluster), one.run) // a request that nobody else makes
	_, err = kmsg.NewPtrDescribeClusterRequest().RequestWith(context.WithoutCancel(ctx), c.broker.client)
	return one.giveUp(err)
}

// A compaction is asked for once.
type compaction struct {
	cluster *kfake.Cluster
	topics  []string

	mu   sync.Mutex
	over bool  // it has run, or nobody waits for it any more
	err  error // what came of it
}

// run is the control function.
func (c *compaction) run(kmsg.Request) (kmsg.Response, error, bool) {
	c.cluster.DropControl()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return nil, nil, false
	}
	c.over = true
	if transacting(c.cluster, c.topics) {
		c.err = errTransacting
		return nil, nil, false
	}
	c.cluster.Compact()
	c.err = nil
	return nil, nil, false
}

// giveUp returns what came of it. Nothing does any more, if nothing did: because the request failed.
func (c *compaction) giveUp(failed error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over && failed != nil {
		c.err = fmt.Errorf("compact: %w", failed)
	}
	c.over = true
	return c.err
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
