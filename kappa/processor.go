package kappa

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"lambdakappa/internal/eventlog"
)

// A processor is one process's share of a version's work.
type processor struct {
	cfg    Config
	starts []int64 // offsets to begin at, per partition; nil is the start of the log
	ends   []int64 // offsets to stop before; nil is never

	isLive atomic.Bool // the view answers, or nobody does

	mu   sync.Mutex
	idle map[int]*task // partitions that were taken away, with their state as it was
}

func newProcessor(cfg Config) *processor {
	return &processor{cfg: cfg, idle: map[int]*task{}}
}

// run processes until the version is retired or all ends are reached.
func (p *processor) run(ctx context.Context) error {
	if retired, err := p.retired(ctx); retired || err != nil {
		return err
	}
	stopping, stop := context.WithCancel(ctx)
	defer stop()
	g, work := errgroup.WithContext(stopping)
	g.Go(func() error {
		return watchControl(work, p.cfg.Log, func(s standing) error {
			if s.retires(p.cfg.ViewName()) {
				stop()
				return nil
			}
			p.isLive.Store(s.live == p.cfg.ViewName() || s.live == "" && s.candidate != p.cfg.ViewName())
			return p.dropReplaced(work, s)
		})
	})
	g.Go(func() error {
		defer stop()
		err := p.cfg.Log.RunGroup(work, group(p.cfg.ViewName()), p.cfg.input(), p.runTask)
		return unlessEnded(work, err)
	})
	if p.ends != nil {
		g.Go(func() error {
			defer stop()
			return unlessEnded(work, p.awaitEnds(work))
		})
	}
	err := g.Wait()
	// A version that was replaced may learn it from an error: its changelog is deleted as soon as
	// nobody is served from it.
	if retired, _ := p.retired(ctx); retired {
		return nil
	}
	return err
}

// unlessEnded returns err, or nil when ctx has ended: what fails then fails because of it.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// retired reports whether the version has no more work to do.
func (p *processor) retired(ctx context.Context) (bool, error) {
	s, err := readControl(ctx, p.cfg.Log)
	if err != nil || !s.retires(p.cfg.ViewName()) {
		return false, err
	}
	p.cfg.notify("retired", "version", p.cfg.Version, "view", p.cfg.ViewName())
	return true, nil
}

// dropReplaced deletes the changelog of the version that this one has replaced, unless that one
// is a candidate again.
func (p *processor) dropReplaced(ctx context.Context, s standing) error {
	replaced := s.replaces != "" && s.replaces != s.live && s.replaces != s.candidate
	if s.live != p.cfg.ViewName() || !replaced {
		return nil
	}
	if err := p.cfg.Log.DeleteTopics(ctx, ChangelogTopic(s.replaces)); err != nil {
		return fmt.Errorf("drop the view of %s: %w", s.replaces, err)
	}
	return nil
}

// runTask processes one partition for as long as it is assigned to this process.
func (p *processor) runTask(ctx context.Context, m *eventlog.Member, partition int) error {
	err := p.process(ctx, m, partition)
	for unconfirmed(err) && ctx.Err() == nil {
		p.cfg.notify("unconfirmed", "partition", partition, "version", p.cfg.Version)
		err = p.process(ctx, m, partition)
	}
	if err != nil {
		return fmt.Errorf("process partition %d: %w", partition, err)
	}
	return nil
}

// process processes a partition until its task has ended, and keeps the task with its state: most
// partitions come back within the second.
func (p *processor) process(ctx context.Context, m *eventlog.Member, partition int) error {
	began := time.Now()
	transactor, err := p.openTransactions(ctx, m, partition)
	if err != nil {
		return err
	}
	if transactor != nil {
		defer transactor.Close()
	}
	t, err := p.task(ctx, m, partition, transactor, began)
	if err != nil {
		return err
	}
	p.cfg.notify("assigned", "partition", partition, "version", p.cfg.Version, "view", p.cfg.ViewName(),
		"position", t.Position)
	err = t.run(ctx, m)
	p.cfg.notify("released", "partition", partition, "version", p.cfg.Version, "position", t.Position,
		"remembered_bytes", t.remembered())
	p.mu.Lock()
	p.idle[partition] = t
	p.mu.Unlock()
	return err
}

// task returns the task of a partition, at a position from which nothing is lost. This process was given the
// partition when it began.
func (p *processor) task(
	ctx context.Context, m *eventlog.Member, partition int, transactor *eventlog.Transactor, began time.Time,
) (*task, error) {
	p.mu.Lock()
	t := p.idle[partition]
	delete(p.idle, partition)
	p.mu.Unlock()

	commit, err := p.committed(ctx, partition, transactor)
	if err != nil {
		return nil, fmt.Errorf("read commit: %w", err)
	}
	if t != nil && t.goesOn(commit.Offset) {
		t.transactor = transactor
		return t, nil
	}
	start, end, err := p.bounds(ctx, partition)
	if err != nil {
		return nil, err
	}
	t = newTask(p.cfg, partition, end)
	t.transactor, t.began, t.isLive = transactor, began, &p.isLive
	if err := t.resume(ctx, m, commit, start); err != nil {
		return nil, err
	}
	if p.starts == nil && t.covered < 0 { // it begins, and with all that the log has
		p.cfg.noteLost("process", partition, 0, t.Position)
	}
	return t, nil
}

// committed is the group's commit.
func (p *processor) committed(
	ctx context.Context, partition int, transactor *eventlog.Transactor,
) (eventlog.Commit, error) {
	if transactor != nil {
		return transactor.Committed(ctx, group(p.cfg.ViewName()), p.cfg.input(), partition)
	}
	commits, err := p.cfg.Log.Committed(ctx, group(p.cfg.ViewName()), p.cfg.input())
	if err != nil {
		return eventlog.Commit{}, err
	}
	return commits[partition], nil
}

// bounds returns the offsets between which a partition is to be processed.
func (p *processor) bounds(ctx context.Context, partition int) (start, end int64, err error) {
	end = math.MaxInt64
	if p.ends != nil {
		end = p.ends[partition]
	}
	if p.starts != nil {
		return p.starts[partition], end, nil
	}
	starts, err := p.cfg.Log.StartOffsets(ctx, p.cfg.input())
	if err != nil {
		return 0, 0, fmt.Errorf("find the start of the log: %w", err)
	}
	return starts[partition], end, nil
}
