//bench:only kappa-archived
package kappa

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"time"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// The archive as a streaming source, which Uber calls "Kappa+" (Naik, "Moving from Lambda and Kappa
// Architectures to Kappa+ at Uber", 2019): the same task takes the rows of the archive in the order
// of their offsets as if they came from the log, and goes on with the log at the offset where the
// archive ends. Positions are the log's throughout, so the cut-over needs to know nothing of it.
//
// A row is an event that decoded and passed the guard once already, so it enters behind these two
// tests; dead letters are in the files as counts. They are on the topic of the dead letters, and
// were put there by whoever processed the log: so of the archive only that is taken which the live
// version has committed. Where this ends is fixed when a partition is begun, and kept in its commits:
// a sink may go on writing to the folder, and what it adds lies where this version reads the log.
//
// Files are taken as a whole: where a file ends, and nowhere else, position and counters are of one
// offset again. A task that is interrupted in the middle of one begins with it anew.

// checkArchive tells an archive that is somewhere else from one that is empty.
func (c Config) checkArchive() error {
	if c.Archive == "" {
		return nil
	}
	segments, err := scanDataset(filepath.Join(c.Archive, "master"))
	if err == nil && len(segments) == 0 {
		err = fmt.Errorf("there are no files of events in %s: "+
			"give the --dir of 'kappa sink' or of 'lambda ingest'", filepath.Join(c.Archive, "master"))
	}
	return err
}

// archiveChain returns the files of a partition that cover the offsets from first on and end at or
// below end: those of the longest chain.
func (c Config) archiveChain(partition int, first, end int64) ([]segment, error) {
	segments, err := scanDataset(filepath.Join(c.Archive, "master"))
	within := slices.DeleteFunc(segments[partition], func(s segment) bool {
		return s.first < first || s.end > end
	})
	return longestChain(within), err
}

// beginArchive decides how much of the archive a new view is built from, and returns where its history
// begins: with the archive, if that goes back as far as the log.
func (t *task) beginArchive(ctx context.Context, logStart int64) (int64, error) {
	all, err := t.cfg.archiveChain(t.partition, 0, math.MaxInt64)
	if err != nil || len(all) == 0 || all[0].first > logStart {
		return logStart, err
	}
	first := all[0].first
	processed, err := t.cfg.processed(ctx, t.partition)
	if err != nil {
		return 0, err
	}
	chain, err := t.cfg.archiveChain(t.partition, first, processed)
	if err != nil {
		return 0, err
	}
	t.archiveEnd = chainEnd(chain, first)
	if t.archiveEnd < logStart {
		return 0, fmt.Errorf("offsets [%d, %d) are neither in the archive nor in the log: of the archive, "+
			"files count that end at %d or before, as far as events are processed",
			t.archiveEnd, logStart, processed)
	}
	return first, nil
}

// processed returns the offset up to which the dead letters of a partition are on their topic: the
// live version's commit; the end of the log when nothing is live or that has another input.
func (c Config) processed(ctx context.Context, partition int) (int64, error) {
	now, err := readControl(ctx, c.Log)
	if err != nil {
		return 0, err
	}
	if now.live != "" {
		commits, err := c.Log.Committed(ctx, group(now.live), c.input())
		if err != nil {
			return 0, err
		}
		if commits[partition].Offset >= 0 {
			return commits[partition].Offset, nil
		}
	}
	ends, err := c.Log.EndOffsets(ctx, c.input())
	if err != nil {
		return 0, err
	}
	return ends[partition], nil
}

// runArchive processes what the archive has between the task's position and where it ends for this
// version. Files that were removed since are in the log, or the log says that they are lost.
func (t *task) runArchive(ctx context.Context, m *eventlog.Member) error {
	if t.cfg.Archive == "" || t.Position >= t.archiveEnd {
		return nil
	}
	chain, err := t.cfg.archiveChain(t.partition, t.Position, t.archiveEnd)
	if err != nil {
		return err
	}
	if err := t.openArchive(ctx); err != nil {
		return err
	}
	began, from := time.Now(), t.Position
	archive := newArchiveReader()
	for _, s := range chain {
		if s.first != t.Position {
			break
		}
		if err := t.takeSegment(ctx, m, archive, s); err != nil {
			return fmt.Errorf("%s: %w", s.path, err)
		}
		if err := t.settleSegment(ctx, m, time.Now()); err != nil {
			return err
		}
	}
	t.cfg.notify("archive read", "partition", t.partition, "from", from, "position", t.Position,
		"ms", time.Since(began).Milliseconds())
	return nil
}

// settleSegment is settle at the end of a file. What waits for a flush there hardly ever has waited for
// just as long as it may, and elsewhere nothing is committed: so a commit that is due flushes first.
func (t *task) settleSegment(ctx context.Context, m *eventlog.Member, now time.Time) error {
	if now.Sub(t.lastCommit) < t.cfg.CommitInterval {
		return nil
	}
	if err := t.flush(ctx, m); err != nil {
		return err
	}
	return t.commit(ctx, m)
}

// openArchive prepares for rows that are late: the side topic wants the bytes of an event.
func (t *task) openArchive(ctx context.Context) error {
	ids, err := t.cfg.Log.RegisterSchemas(ctx, event.Subject, event.Schemas[:]...)
	if err != nil {
		return err
	}
	t.encoder = event.NewEncoder(ids...)
	ends, err := t.cfg.Log.EndOffsets(ctx, t.cfg.input())
	if err == nil {
		t.logEnd = ends[t.partition]
	}
	return err
}

// takeSegment takes in a file. What is flushed on the way says the progress of its beginning, as if a
// crash had cut off the rest: the offsets between its rows are dead letters that are counted at its end.
func (t *task) takeSegment(
	ctx context.Context, m *eventlog.Member, archive *archiveReader, s segment,
) error {
	before := t.progress
	t.entered = &before
	var facts segmentFacts
	err := archive.read(s, &facts, func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i := range archive.rows {
			if err := t.takeArchived(archive.event(i)); err != nil {
				return err
			}
		}
		t.behind = t.logEnd - t.Position
		return t.flushDue(ctx, m, time.Now())
	})
	if err != nil {
		return err
	}
	for reason, n := range facts.Counters.DeadLetters {
		t.Counters.Events += n
		t.Counters.Reject(reason, n)
	}
	t.Newest = max(t.Newest, facts.NewestAppend)
	t.Position, t.entered = s.end, nil
	t.durable = min(t.durable, s.first) // nobody was told that the file is behind us
	return nil
}

// takeArchived takes in one event of the archive as one of the log. Only what is behind the watermark
// can be late and has to have its bytes.
func (t *task) takeArchived(e *archivedEvent) (err error) {
	r := eventlog.Record{Offset: e.Offset, AppendTime: e.AppendTime}
	if e.EventTime <= int64(t.Watermark) {
		r.Key = []byte(e.CarID)
		if r.Value, err = t.encoder.Append(nil, &e.CarSensor); err != nil {
			return err
		}
	}
	t.meet(&r)
	t.accept(&e.CarSensor, &r, e.Fingerprint)
	return nil
}
