package kappa

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lambdakappa/internal/eventlog"
)

// A Guarantee is what a crash of a processor may do to what it writes.
type Guarantee string

// The guarantees.
const (
	// AtMostOnce commits first and writes after. What lies between the two is lost in a crash: there for
	// who would rather miss an alert than raise it twice (the log has to be appended to by the idempotent client
	// then: the other one repeats a batch whose acknowledgement was lost), and to see what it loses.
	AtMostOnce Guarantee = "at-most-once"

	// AtLeastOnce writes first and commits after. What lies between the two is written again after a
	// crash, and changes nothing: rows know the offsets that they hold, and side outputs have a key. Only
	// who counts the records of the alert topic sees some of them twice.
	AtLeastOnce Guarantee = "at-least-once"

	// ExactlyOnce writes and commits in one transaction of the log per flush, so that a crash leaves
	// both or neither. A process that has lost its partition without knowing it (it stood still, or was
	// cut off) is fenced: its transactional id belongs to the next holder of the partition.
	ExactlyOnce Guarantee = "exactly-once"
)

func (g Guarantee) validate() error {
	if g == AtMostOnce || g == AtLeastOnce || g == ExactlyOnce {
		return nil
	}
	return fmt.Errorf("guarantee %q: must be one of %s, %s, %s", g, AtMostOnce, AtLeastOnce, ExactlyOnce)
}

// transactionalID is the same for a partition of a view, whoever holds it. So whoever takes the
// partition over ends at once what its last holder has left open, and need not wait for a timeout.
func transactionalID(name string, partition int) string {
	return fmt.Sprintf("kappa-%s-%d", name, partition)
}

// An output is what a task appends to: the log, or a transaction on it.
type output interface {
	Append(ctx context.Context, topic string, partition int, records []eventlog.Record) (int64, error)
}

// output of the task's rows and side outputs.
func (t *task) output() output {
	if t.transactor != nil {
		return t.transactor
	}
	return t.cfg.Log
}

// guarantee writes what is pending, in the order of the guarantee.
func (t *task) guarantee(ctx context.Context, m *eventlog.Member) error {
	switch t.cfg.Guarantee {
	case AtMostOnce:
		if err := t.commit(ctx, m); err != nil {
			return err
		}
		return t.write(ctx)
	case ExactlyOnce:
		return t.transact(ctx, m)
	default:
		return t.write(ctx) // the commit has time
	}
}

// transact makes everything below the position durable and commits it, both or neither.
func (t *task) transact(ctx context.Context, m *eventlog.Member) error {
	ctx, cancel := untilTorn(ctx)
	defer cancel()
	t.torn = true
	if err := t.transactor.Begin(); err != nil {
		return err
	}
	if err := t.write(ctx); err != nil {
		return err
	}
	c, err := t.commitment()
	if err != nil {
		return err
	}
	if err := t.cfg.step("commit"); err != nil {
		return err
	}
	if err := t.transactor.Commit(ctx, m, t.partition, c); err != nil {
		return err
	}
	t.torn = false
	t.noteCommitted()
	return t.cfg.step("committed")
}

// tearAfter is how long a transaction that was begun may go on when its task is to end. With eager assignment nobody
// says meanwhile that the process lives, so it is below the session timeout (6 s). With a session as short as this, the
// partition may be another's by then: the transaction is fenced, as any zombie's is.
const tearAfter = time.Second

// untilTorn is a context that ends a while after ctx. A transaction that is broken off costs the state that is in
// memory, which a rebalance that leaves the partition here need not.
func untilTorn(ctx context.Context) (context.Context, context.CancelFunc) {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(tearAfter, cancel) })
	return own, func() {
		stop()
		cancel()
	}
}

// openTransactions makes this process the holder of the partition's transactional id, where the
// guarantee needs one. It comes before the commit is read: it ends what the last holder has left open. Who
// was suspended since it got the partition, and has lost it meanwhile, must not: it would fence the owner.
func (p *processor) openTransactions(
	ctx context.Context, m *eventlog.Member, partition int,
) (*eventlog.Transactor, error) {
	if p.cfg.Guarantee != ExactlyOnce {
		return nil, nil
	}
	if err := m.Confirm(ctx, partition); err != nil {
		return nil, err
	}
	return p.cfg.Log.Transactor(ctx, transactionalID(p.cfg.ViewName(), partition))
}

// goesOn reports whether a task that was interrupted may go on with its state as it is, when the group's
// commit is at offset.
//
// State is a function of the log up to its position, whatever others have written meanwhile. Only if
// they have committed more than we have read is theirs newer. But what waits to be written must not
// have been written by them: that matters where nothing comes twice.
func (t *task) goesOn(offset int64) bool {
	if t.entered != nil { //bench:only kappa-archived
		return false // interrupted in the middle of a file, where position and counters are not of one offset
	}
	switch t.cfg.Guarantee {
	case ExactlyOnce:
		return !t.torn && t.committed == offset
	case AtMostOnce:
		return t.durable == t.Position && t.committed == offset
	default:
		return t.Position >= offset
	}
}

// unconfirmed reports whether a task has ended because nobody knows what became of its transaction: a
// new one finds out from the log.
func unconfirmed(err error) bool { return errors.Is(err, eventlog.ErrUnconfirmed) }
