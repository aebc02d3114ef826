package eventlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Spread gives every broker of the cluster that is up an equal share of the copies of our topics, and waits
// until all have moved. Nobody is interrupted: a partition has its leader while its copies move, and then
// another one. Topics keep their number of copies.
func (l *Log) Spread(ctx context.Context) error {
	client, err := l.franz()
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if err := l.spread(ctx, admin); err != nil {
		return fmt.Errorf("spread partitions: %w", err)
	}
	return nil
}

func (l *Log) spread(ctx context.Context, admin *kadm.Client) error {
	names, err := l.fullTopics(ctx)
	if err != nil || len(names) == 0 {
		return err
	}
	known, err := admin.Metadata(ctx, names...)
	if err != nil {
		return err
	}
	moves := spreadOver(known.Topics, known.Brokers.NodeIDs())
	done, err := admin.AlterPartitionAssignments(ctx, moves)
	if err = errors.Join(err, done.Error()); err != nil {
		return err
	}
	return awaitMoves(ctx, admin, known.Topics.TopicsSet())
}

// spreadOver deals the copies of all partitions to the brokers in turn.
func spreadOver(topics kadm.TopicDetails, brokers []int32) kadm.AlterPartitionAssignmentsReq {
	slices.Sort(brokers)
	var moves kadm.AlterPartitionAssignmentsReq
	first := 0
	for _, t := range topics.Sorted() {
		for _, p := range t.Partitions.Sorted() {
			var copies []int32
			for i := range p.Replicas {
				copies = append(copies, brokers[(first+i)%len(brokers)])
			}
			moves.Assign(t.Topic, p.Partition, copies)
			first++
		}
	}
	return moves
}

// awaitMoves returns when no partition of the topics is on its way any more.
func awaitMoves(ctx context.Context, admin *kadm.Client, topics kadm.TopicsSet) error {
	for {
		moving, err := admin.ListPartitionReassignments(ctx, topics)
		if err != nil || len(moving.Sorted()) == 0 {
			return err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// OutOfSync counts the copies of the cluster's partitions, everybody's, that are behind or away.
func (l *Log) OutOfSync(ctx context.Context) (n int, err error) {
	client, err := l.franz()
	if err != nil {
		return 0, err
	}
	defer client.Close()
	topics, err := kadm.NewClient(client).ListTopicsWithInternal(ctx)
	if err != nil {
		return 0, fmt.Errorf("count copies: %w", err)
	}
	topics.EachPartition(func(p kadm.PartitionDetail) { n += len(p.Replicas) - len(p.ISR) })
	return n, nil
}

// fullTopics are the cluster's names of our topics.
func (l *Log) fullTopics(ctx context.Context) ([]string, error) {
	names, err := l.Topics(ctx)
	for i := range names {
		names[i] = l.cfg.Prefix + names[i]
	}
	return names, err
}
