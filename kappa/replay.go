package kappa

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Replay builds the view of cfg.Version beside the live one, by the same code that processes live
// events, and goes on as the live processor when serving has cut over to it. The steps are those
// of Kreps ("Questioning the Lambda Architecture", 2014):
//
//  1. the log keeps what may have to be processed again;
//  2. a second processor starts from its beginning, with its own view (here);
//  3. when it has caught up, answers come from the new view (see serving.go);
//  4. the old processor stops and the old view is deleted (see Process).
//
// It begins at the first event with an append time at or after from, the zero time being the start
// of the log, unless it resumes an earlier attempt. With a non-zero to it returns once every
// partition is processed up to there. Such a view goes live only if the log ends there as well.
//
// It returns nil when ctx ends, when to is reached, and when the version is retired, also because
// another candidate was announced after it.
func Replay(ctx context.Context, cfg Config, from, to time.Time) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	//bench:only kappa-archived
	if cfg.Archive != "" && !(from.IsZero() && to.IsZero()) {
		return fmt.Errorf("archive: goes from its start to the end of the log, not from or to a time")
	}
	return unlessEnded(ctx, newProcessor(cfg).replay(ctx, from, to))
}

func (p *processor) replay(ctx context.Context, from, to time.Time) (err error) {
	if p.starts, err = p.offsetsAt(ctx, from); err != nil {
		return err
	}
	if p.ends, err = p.offsetsAt(ctx, to); err != nil {
		return err
	}
	if err := p.cfg.checkArchive(); err != nil { //bench:only kappa-archived
		return err
	}
	if err := p.stand(ctx); err != nil {
		return err
	}
	return p.run(ctx)
}

// offsetsAt returns the offsets at an append time; nil for the zero time.
func (p *processor) offsetsAt(ctx context.Context, t time.Time) ([]int64, error) {
	if t.IsZero() {
		return nil, nil
	}
	offsets, err := p.cfg.Log.OffsetsAt(ctx, p.cfg.input(), t)
	if err != nil {
		return nil, fmt.Errorf("find offsets at %s: %w", t.Format(time.RFC3339), err)
	}
	return offsets, nil
}

// stand makes this version the candidate, unless it is live already: then this is a restart after
// the cut-over.
func (p *processor) stand(ctx context.Context) error {
	partitions, err := p.cfg.Log.Partitions(ctx, p.cfg.input())
	if err != nil {
		return fmt.Errorf("look up topic %s: %w", p.cfg.input(), err)
	}
	if partitions == 0 {
		return fmt.Errorf("topic %s does not exist: there is nothing to replay", p.cfg.input())
	}
	if err := p.cfg.CreateTopics(ctx, p.cfg.Log, partitions); err != nil {
		return fmt.Errorf("create topics: %w", err)
	}
	s, err := readControl(ctx, p.cfg.Log)
	if err != nil || s.live == p.cfg.ViewName() {
		return err
	}
	stale, err := p.isStale(ctx)
	if err != nil || (s.candidate == p.cfg.ViewName() && !stale) {
		return err // it stands already, and whoever materialises it goes on with that
	}
	if stale {
		if err := p.dropStale(ctx, partitions); err != nil {
			return err
		}
	}
	if err := p.cfg.step("announce"); err != nil {
		return err
	}
	if err := announce(ctx, p.cfg.Log, p.cfg.ViewName()); err != nil {
		return err
	}
	// Until then it was a view that had been replaced, whose changelog the live version's processor deletes when it starts.
	if err := p.cfg.CreateTopics(ctx, p.cfg.Log, partitions); err != nil {
		return fmt.Errorf("create topics: %w", err)
	}
	return p.dropGivenUp(ctx, s)
}

// isStale reports whether the view was begun under other rules. A commit of a partition whose changelog
// is empty is of an earlier life, and says nothing.
func (p *processor) isStale(ctx context.Context) (bool, error) {
	rows, err := p.cfg.Log.EndOffsets(ctx, ChangelogTopic(p.cfg.ViewName()))
	if err != nil {
		return false, fmt.Errorf("find the end of the changelog: %w", err)
	}
	commits, err := p.cfg.Log.Committed(ctx, group(p.cfg.ViewName()), p.cfg.input())
	if err != nil {
		return false, fmt.Errorf("read commits: %w", err)
	}
	for partition, c := range commits {
		if rows[partition] == 0 || c.Offset < 0 {
			continue
		}
		var built metadata
		if err := json.Unmarshal([]byte(c.Metadata), &built); err != nil {
			return false, fmt.Errorf("read commit: %w", err)
		}
		if built.Rules != p.cfg.Rules {
			return true, nil
		}
	}
	return false, nil
}

// dropStale makes place for a view under other rules. Nobody is the candidate for a moment, so that
// serving and an old processor let go of the old changelog.
func (p *processor) dropStale(ctx context.Context, partitions int) error {
	if err := announce(ctx, p.cfg.Log, ""); err != nil {
		return err
	}
	if err := p.cfg.Log.DeleteTopics(ctx, ChangelogTopic(p.cfg.ViewName())); err != nil {
		return fmt.Errorf("drop the view that was built by other rules: %w", err)
	}
	if err := p.cfg.CreateTopics(ctx, p.cfg.Log, partitions); err != nil {
		return fmt.Errorf("create topics: %w", err)
	}
	return nil
}

// dropGivenUp deletes the changelog of the candidate in whose place this version stands: nobody will
// ever be served from it. That one's processors read that they are no candidate any more, and end.
func (p *processor) dropGivenUp(ctx context.Context, before standing) error {
	given := before.candidate
	if given == "" || given == before.live || given == p.cfg.ViewName() {
		return nil
	}
	if err := p.cfg.Log.DeleteTopics(ctx, ChangelogTopic(given)); err != nil {
		return fmt.Errorf("drop the view of %s: %w", given, err)
	}
	return nil
}

// awaitEnds returns when all ends are committed, by whichever process: the partitions of a replay
// may be spread over several.
func (p *processor) awaitEnds(ctx context.Context) error {
	tick := time.NewTicker(p.cfg.CommitInterval)
	defer tick.Stop()
	for {
		reached, err := p.endsReached(ctx)
		if reached || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// endsReached reports whether every partition is committed up to its end. A partition whose
// changelog is empty has not begun: if it has a commit, that is of a view that was dropped.
func (p *processor) endsReached(ctx context.Context) (bool, error) {
	rows, err := p.cfg.Log.EndOffsets(ctx, ChangelogTopic(p.cfg.ViewName()))
	if err != nil {
		return false, fmt.Errorf("find the end of the changelog: %w", err)
	}
	if slices.Contains(rows, 0) {
		return false, nil
	}
	commits, err := p.cfg.Log.Committed(ctx, group(p.cfg.ViewName()), p.cfg.input())
	if err != nil {
		return false, fmt.Errorf("read commits: %w", err)
	}
	for partition, end := range p.ends {
		if commits[partition].Offset < end {
			return false, nil
		}
	}
	return true, nil
}
