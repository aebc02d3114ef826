//bench:only kappa-archived
package kappa

import (
	"context"
	"fmt"
	"path/filepath"
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
// were put there by whoever processed the log.

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

// archiveChain returns the files of a partition.
func (c Config) archiveChain(partition int) ([]segment, error) {
	if c.Archive == "" {
		return nil, nil
	}
	segments, err := scanDataset(filepath.Join(c.Archive, "master"))
	return longestChain(segments[partition]), err
}

// archiveStart returns where history begins: with the archive, if that goes back as far as the log.
func (c Config) archiveStart(partition int, logStart int64) (int64, error) {
	chain, err := c.archiveChain(partition)
	if err != nil || len(chain) == 0 {
		return logStart, err
	}
	return min(logStart, chain[0].first), nil
}

// runArchive processes what the archive has from the task's position on. It does nothing when the
// position is not in the archive.
func (t *task) runArchive(ctx context.Context, m *eventlog.Member) error {
	chain, err := t.cfg.archiveChain(t.partition)
	if err != nil || len(chain) == 0 {
		return err
	}
	if err := t.openArchive(ctx); err != nil {
		return err
	}
	began, from := time.Now(), t.Position
	archive := newArchiveReader()
	for _, s := range chain {
		if t.Position < s.first || t.Position >= s.end {
			continue
		}
		if err := t.takeSegment(ctx, archive, s); err != nil {
			return fmt.Errorf("%s: %w", s.path, err)
		}
		if err := t.settle(ctx, m, time.Now()); err != nil {
			return err
		}
	}
	t.cfg.notify("archive read", "partition", t.partition, "from", from, "position", t.Position,
		"ms", time.Since(began).Milliseconds())
	return t.checkGap(ctx)
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

// checkGap fails when the log has forgotten more than the archive remembers.
func (t *task) checkGap(ctx context.Context) error {
	starts, err := t.cfg.Log.StartOffsets(ctx, t.cfg.input())
	if err != nil {
		return err
	}
	if start := starts[t.partition]; t.Position < start {
		return fmt.Errorf("offsets [%d, %d) are neither in the archive nor in the log",
			t.Position, start)
	}
	return nil
}

// takeSegment takes in a file from the task's position on. It never commits: what the file has
// counted as dead letters belongs to its end, and only there position and counters are of one
// offset again.
func (t *task) takeSegment(ctx context.Context, archive *archiveReader, s segment) error {
	var facts segmentFacts
	err := archive.read(s, &facts, func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i := range archive.rows {
			if e := archive.event(i); e.Offset >= t.Position {
				if err := t.takeArchived(e); err != nil {
					return err
				}
			}
		}
		t.behind = t.logEnd - t.Position
		return t.flushDue(ctx, time.Now())
	})
	if err != nil {
		return err
	}
	for reason, n := range facts.Counters.DeadLetters {
		t.Counters.Events += n
		t.Counters.Reject(reason, n)
	}
	t.Newest = max(t.Newest, facts.NewestAppend)
	t.Position = s.end
	return nil
}

// takeArchived takes in one event of the archive as one of the log. Only what is behind the watermark
// can be late and has to have its bytes.
func (t *task) takeArchived(e *archivedEvent) (err error) {
	r := eventlog.Record{Offset: e.Offset, AppendTime: e.AppendTime}
	if e.EventTime < int64(t.Watermark) {
		r.Key = []byte(e.CarID)
		if r.Value, err = t.encoder.Append(nil, &e.CarSensor); err != nil {
			return err
		}
	}
	t.meet(&r)
	t.accept(&e.CarSensor, &r, e.Fingerprint)
	return nil
}
