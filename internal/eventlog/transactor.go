package eventlog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// transactionTimeout is how long a transaction may be open before the cluster gives it up: what a
// process that was killed has written holds up every reader of it until then, or until its successor
// begins.
const transactionTimeout = 10 * time.Second

// ErrUnconfirmed says that a transaction cannot be gone on with, and may or may not be committed. Whoever
// goes on must look at the log first, with a new [Transactor].
var ErrUnconfirmed = errors.New("the outcome of a transaction is not known")

// A Transactor appends to the log in transactions: what is appended between Begin and Commit, and the
// position that Commit commits, become visible together or not at all. At any time there is one
// holder of an id: opening the id again fences whoever held it before, whose next call fails with
// [ErrNotMember], and ends what they left open.
//
// After an error there is nothing to go on with but Close. It is not safe for concurrent use.
type Transactor struct {
	log    *Log
	client *kgo.Client
	id     string // full

	// implicit says that the cluster adds to a transaction whatever it touches (transaction.version 2,
	// KIP-890). An older one has to be told of a group first.
	implicit bool

	closing  sync.Once
	appended bool // in the transaction that was begun
}

// The newest version of TxnOffsetCommit for a cluster that is told of groups, and for one that is not. Later
// ones name topics by id.
const (
	txnOffsetCommitTold     = 4
	txnOffsetCommitImplicit = 5
)

// Transactor opens a transactional id. It waits until what its last holder left open has ended.
func (l *Log) Transactor(ctx context.Context, id string) (*Transactor, error) {
	full, err := l.name("transactional id", id)
	if err != nil {
		return nil, err
	}
	t := &Transactor{log: l, id: full}
	if t.implicit, err = l.implicitTransactions(ctx); err != nil {
		return nil, fmt.Errorf("open transactional id %s: %w", id, err)
	}
	newest := int16(txnOffsetCommitTold)
	if t.implicit {
		newest = txnOffsetCommitImplicit
	}
	versions := kversion.Stable()
	versions.SetMaxKeyVersion(int16(kmsg.TxnOffsetCommit), newest)
	t.client, err = l.franz(append(l.producerOptions(), kgo.MaxVersions(versions),
		kgo.TransactionalID(full), kgo.TransactionTimeout(transactionTimeout))...)
	if err != nil {
		return nil, err
	}
	err = t.again(ctx, func(ctx context.Context) error {
		_, _, err := t.client.ProducerID(ctx)
		return err
	})
	if err != nil {
		t.client.Close()
		return nil, fmt.Errorf("open transactional id %s: %w", id, err)
	}
	return t, nil
}

// implicitTransactions asks the cluster for its transaction.version. It fails when a broker is too old.
func (l *Log) implicitTransactions(ctx context.Context) (bool, error) {
	var answer *kmsg.ApiVersionsResponse
	err := l.retry(ctx, func(ctx context.Context) (err error) {
		answer, err = l.versions(ctx)
		return err
	})
	if err == nil {
		err = tooOld(answer, neededByTransactions)
	}
	if err != nil {
		return false, err
	}
	for _, f := range answer.FinalizedFeatures {
		if f.Name == "transaction.version" {
			return f.MaxVersionLevel >= 2, nil
		}
	}
	return false, nil
}

// Begin begins a transaction.
func (t *Transactor) Begin() error {
	t.appended = false
	if err := t.client.BeginTransaction(); err != nil {
		return t.wrap("begin", err)
	}
	return nil
}

// Append appends records to one partition in order, as [Log.Append] does: acknowledged, and each of
// them once. Nobody sees them before the transaction is committed.
func (t *Transactor) Append(ctx context.Context, topic string, partition int, records []Record) (int64, error) {
	full, err := t.log.name("topic", topic)
	if err != nil {
		return 0, err
	}
	if len(records) == 0 {
		return 0, fmt.Errorf("append to %s/%d: no records", topic, partition)
	}
	first, err := appendBy(ctx, t.client, full, partition, records, t.Close)
	if err != nil {
		return 0, t.wrap(fmt.Sprintf("append to %s/%d", topic, partition), err)
	}
	t.appended = true
	return first, nil
}

// Commit commits the position of a partition that m holds together with all that was appended, of which there
// must be something, and ends the transaction. It fails with [ErrNotMember] when m's group or another holder
// of the id has moved on: then nothing was committed. It fails with [ErrUnconfirmed] when the cluster did
// not say what became of it.
func (t *Transactor) Commit(ctx context.Context, m *Member, partition int, c Commit) error {
	what := fmt.Sprintf("commit offset %d of %s/%d", c.Offset, m.topic, partition)
	if len(c.Metadata) > maxMetadataBytes {
		return fmt.Errorf("%s: %d bytes of metadata, at most %d are kept", what, len(c.Metadata), maxMetadataBytes)
	}
	if !t.appended { // franz-go would end nothing, and the position hang on
		return fmt.Errorf("%s: nothing was appended in the transaction", what)
	}
	if err := t.stage(ctx, m, partition, c); err != nil {
		return t.wrap(what, err)
	}
	// An end that is under way is waited for, whoever wants to go.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := t.client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		if err := t.wrap(what, err); errors.Is(err, ErrNotMember) {
			return err // all other answers may be about a commit that was made, and whose first answer was lost
		}
		return fmt.Errorf("%s: %w: %w", what, ErrUnconfirmed, err)
	}
	return nil
}

// Committed returns what a group has committed of a partition, when nothing of it is on its way any more:
// what the last holder of the id has ended is told to the group a moment later.
func (t *Transactor) Committed(ctx context.Context, group, topic string, partition int) (Commit, error) {
	full, err := t.log.name("group", group)
	if err != nil {
		return Commit{}, err
	}
	req := kmsg.NewPtrOffsetFetchRequest()
	req.RequireStable = true
	req.Groups = []kmsg.OffsetFetchRequestGroup{{
		Group: full, MemberEpoch: -1,
		Topics: []kmsg.OffsetFetchRequestGroupTopic{{Topic: t.log.cfg.Prefix + topic, Partitions: []int32{int32(partition)}}},
	}}
	c := Commit{Offset: -1}
	err = t.again(ctx, func(ctx context.Context) error {
		answer, err := req.RequestWith(ctx, t.client)
		if err != nil {
			return err
		}
		return readCommit(answer, &c)
	})
	if err != nil {
		return Commit{}, fmt.Errorf("offset of group %s, %s/%d: %w", group, topic, partition, err)
	}
	return c, nil
}

// readCommit takes the one commit of an answer; there is none when the group does not exist.
func readCommit(answer *kmsg.OffsetFetchResponse, c *Commit) error {
	for _, g := range answer.Groups {
		if err := kerr.ErrorForCode(g.ErrorCode); err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
			return err
		}
		for _, topic := range g.Topics {
			for _, p := range topic.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return err
				}
				c.Offset = p.Offset
				if p.Metadata != nil {
					c.Metadata = *p.Metadata
				}
			}
		}
	}
	return nil
}

// stage makes the position a part of the transaction.
func (t *Transactor) stage(ctx context.Context, m *Member, partition int, c Commit) error {
	producer, epoch, err := t.client.ProducerID(ctx)
	if err != nil {
		return err
	}
	if !t.implicit {
		if err := t.addGroup(ctx, m.group, producer, epoch); err != nil {
			return err
		}
	}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch = t.id, m.group, producer, epoch
	req.Topics = []kmsg.TxnOffsetCommitRequestTopic{{
		Topic: m.topic,
		Partitions: []kmsg.TxnOffsetCommitRequestTopicPartition{{
			Partition: int32(partition), Offset: c.Offset, LeaderEpoch: -1, Metadata: &c.Metadata,
		}},
	}}
	return t.again(ctx, func(ctx context.Context) error {
		for start := time.Now(); ; {
			var err error
			if req.MemberID, req.Generation, err = m.now(); err != nil {
				return err
			}
			err = t.request(ctx, req)
			if !errors.Is(err, kerr.IllegalGeneration) && !errors.Is(err, kerr.RebalanceInProgress) {
				return err
			}
			if err := m.waitOut(ctx, partition, start, err); err != nil {
				return err
			}
		}
	})
}

func (t *Transactor) request(ctx context.Context, req *kmsg.TxnOffsetCommitRequest) error {
	answer, err := req.RequestWith(ctx, t.client)
	if err != nil {
		return err
	}
	for _, topic := range answer.Topics {
		for _, p := range topic.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return err
			}
		}
	}
	return nil
}

// addGroup tells an older cluster that a group's positions belong to the transaction.
func (t *Transactor) addGroup(ctx context.Context, group string, producer int64, epoch int16) error {
	req := kmsg.NewPtrAddOffsetsToTxnRequest()
	req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch = t.id, group, producer, epoch
	return t.again(ctx, func(ctx context.Context) error {
		answer, err := req.RequestWith(ctx, t.client)
		if err != nil {
			return err
		}
		return kerr.ErrorForCode(answer.ErrorCode)
	})
}

// again repeats what the cluster refuses only because it is not done with something before, or what a broker
// did not answer: another one takes its place within seconds, and franz-go gives up sooner.
func (t *Transactor) again(ctx context.Context, ask func(ctx context.Context) error) error {
	trying, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for wait := firstBackoff; ; wait = min(2*wait, maxBackoff) {
		err := ask(trying)
		if err == nil || !passes(err) {
			return err
		}
		if pause(trying, wait) != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		}
	}
}

// passes reports whether an error of franz-go may be none a little later.
func passes(err error) bool {
	var refused *kerr.Error
	if errors.As(err, &refused) {
		return refused.Retriable
	}
	return network(err) && !distrusts(err)
}

// Close lets go of the id. A transaction that was begun is given up: by the next holder of the id, or
// by the cluster after the transaction timeout.
func (t *Transactor) Close() { t.closing.Do(t.client.Close) }

// wrap names the error of somebody who was fenced, or whose group has moved on, and that of a transaction
// which the cluster has given up.
func (t *Transactor) wrap(what string, err error) error {
	for _, moved := range []error{
		kerr.InvalidProducerEpoch, kerr.ProducerFenced, kerr.IllegalGeneration, kerr.UnknownMemberID,
		kerr.RebalanceInProgress, kerr.FencedInstanceID,
	} {
		if errors.Is(err, moved) {
			return fmt.Errorf("%s: %w: %w", what, ErrNotMember, err)
		}
	}
	for _, lost := range []error{
		kerr.InvalidTxnState, kerr.InvalidProducerIDMapping, kerr.TransactionAbortable, kerr.ConcurrentTransactions,
		kerr.UnknownProducerID,
	} {
		if errors.Is(err, lost) {
			return fmt.Errorf("%s: %w: %w", what, ErrUnconfirmed, err)
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}
