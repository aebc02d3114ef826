package kappa

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// keptRows knows from where on the changelog holds the latest row of every open window, so that
// a restore reads a few windows' worth of rows and not the history.
type keptRows struct {
	// spans is one flush per entry: from this changelog offset on, there are rows that are needed
	// until the watermark is needed. A flush that is later and needed no longer adds nothing.
	// Invariant: offset and needed both ascend, and needed comes in steps of a window's length. So
	// there is at most one entry per window start of the horizon.
	spans        []rowSpan
	lastProgress int64 // changelog offset of the latest progress record
}

type rowSpan struct{ offset, needed int64 }

// noRows is until when the rows of a flush without any are needed.
const noRows = math.MinInt64

// neededForWindow is the watermark from which on a restore can do without a window's row.
func neededForWindow(r event.Rules, start int64) int64 {
	return start + r.Window + r.AllowedLateness
}

// neededForTrips is the watermark from which on a restore can do without what the trips let go of
// together with the window that starts at start.
//
//bench:change view
func neededForTrips(r event.Rules, start int64) int64 {
	return neededForWindow(r, start) + r.TripGap
}

// flushed notes the rows of one flush: changelog offsets from first on, a progress record at
// last, and the watermark up to which one of them is needed.
func (k *keptRows) flushed(first, last, needed int64) {
	k.lastProgress = last
	if n := len(k.spans); n == 0 || needed > k.spans[n-1].needed {
		k.spans = append(k.spans, rowSpan{first, needed})
	}
}

// restoreFrom returns the changelog offset at which a restore under watermark w has to begin. The
// latest progress record is never before it: a restore always finds one.
func (k *keptRows) restoreFrom(w event.Watermark) int64 {
	closed := 0
	for closed < len(k.spans) && k.spans[closed].needed <= int64(w) {
		closed++
	}
	k.spans = append(k.spans[:0], k.spans[closed:]...)
	if len(k.spans) == 0 {
		return k.lastProgress
	}
	// The rows of a flush that a crash has cut off may be newer than the latest progress.
	return min(k.spans[0].offset, k.lastProgress)
}

// resume brings a new task to the position of the group's commit, or to start when there is
// nothing to resume.
func (t *task) resume(
	ctx context.Context, m *eventlog.Member, commit eventlog.Commit, start int64,
) error {
	from := metadata{progress: progress{Watermark: event.NoWatermark}}
	if commit.Offset >= 0 {
		if err := json.Unmarshal([]byte(commit.Metadata), &from); err != nil {
			return fmt.Errorf("read commit: %w", err)
		}
	}
	t.progress = from.progress
	rows, err := t.restore(ctx, from.Restore)
	if err != nil {
		return fmt.Errorf("restore from %s: %w", ChangelogTopic(t.cfg.ViewName()), err)
	}
	if t.covered < 0 {
		return t.begin(ctx, m, start)
	}
	if from.Rules != t.rules {
		return fmt.Errorf("the view of %s was built by other rules (%+v, now %+v): "+
			"replay under another version", t.cfg.ViewName(), from.Rules, t.rules)
	}
	t.trail.goOn(from.Trail)
	t.archiveEnd = from.ArchiveEnd //bench:only kappa-archived
	t.durable, t.committed = t.Position, t.Position
	t.cfg.notify("restored", "partition", t.partition, "rows", rows, "position", t.Position,
		"ms", time.Since(t.began).Milliseconds())
	return nil
}

// begin starts with an empty view. A commit without a changelog is of an earlier life of this
// version, whose view was dropped: it is replaced before the first row is written, so that no
// crash can put old commit and new rows together.
func (t *task) begin(ctx context.Context, m *eventlog.Member, start int64) (err error) {
	if t.cfg.Archive != "" { //bench:only kappa-archived
		if start, err = t.beginArchive(ctx, start); err != nil {
			return fmt.Errorf("begin with the archive: %w", err)
		}
	}
	t.progress = progress{Position: start, Watermark: event.NoWatermark}
	if t.transactor == nil {
		if err := t.commit(ctx, m); err != nil {
			return err
		}
	}
	// The first progress record says "I am here": without it, serving could not tell a candidate
	// that has nothing to do from one that has not begun.
	return t.flush(ctx, m)
}

// openLimit is how long a transaction may hold up a restore: one that nobody goes on with is open for 10 s, and Kafka
// looks for such every 10 s.
const openLimit = 30 * time.Second

// restore reads the changelog from the given offset to its end into the state. It returns the
// number of rows.
//
// Its end is that of what was appended, not of what can be read: a transaction that is open, whoever began it, hides the
// rows behind it, and a commit whose rows are hidden looks like one whose view was dropped.
func (t *task) restore(ctx context.Context, from int64) (rows int, err error) {
	topic := ChangelogTopic(t.cfg.ViewName())
	ends, err := t.cfg.Log.AppendedOffsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	reader, err := t.cfg.Log.CompactedReader(ctx, topic, t.partition, from)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	// Nothing is read when the commit belongs to a changelog that was dropped.
	moved := time.Now()
	for next := from; next < ends[t.partition]; {
		if time.Since(moved) > openLimit {
			return rows, fmt.Errorf("offset %d of %d: a transaction is open for %s", next, ends[t.partition], openLimit)
		}
		batch, err := reader.Read(ctx, idleWait)
		if err != nil {
			return rows, err
		}
		for i := range batch.Records {
			if err := t.restoreRow(&batch.Records[i]); err != nil {
				return rows, fmt.Errorf("offset %d: %w", batch.Records[i].Offset, err)
			}
		}
		rows += len(batch.Records)
		if batch.Next > next {
			next, moved = batch.Next, time.Now()
		}
	}
	return rows, nil
}

// restoreRow takes one row of the changelog into the state.
func (t *task) restoreRow(r *eventlog.Record) error {
	switch rowKind(r) {
	case windowRow:
		return t.restoreWindow(r)
	case progressRow:
		p, err := readProgress(r.Value)
		t.covered = max(t.covered, p.Position)
		t.kept.lastProgress = r.Offset
		return err
	case alertRow:
		return nil // raised, written, done: no later event needs it
	case tripKind: //bench:change view
		return t.restoreTrip(r)
	case seenKind: //bench:change view
		return t.restoreTripWindow(r)
	default:
		return errRow
	}
}

// restoreWindow takes a window row into the state if the window is still open at the position.
// The row may be ahead of the position; the offsets of its readings tell what is applied already.
func (t *task) restoreWindow(r *eventlog.Record) error {
	start, id, err := rowKey(r)
	if err != nil {
		return err
	}
	if t.rules.Closed(start, t.Watermark) {
		return nil
	}
	t.kept.flushed(r.Offset, t.kept.lastProgress, neededForWindow(t.rules, start))
	t.ahead = max(t.ahead, start)
	c := t.car(string(id))
	w := t.window(c, start)
	held := w.tally.Readings
	row := t.emptyWindow()
	if row.seen, err = readWindow(r.Value, &row.tally, row.seen); err != nil {
		return err
	}
	if row.tally.Readings > held { // rows of one window only ever grow
		w.tally, w.seen, row.seen = row.tally, row.seen, w.seen
	}
	for i := range w.seen {
		c.lastSeq = max(c.lastSeq, w.seen[i].seq)
	}
	t.spare = append(t.spare, row)
	return nil
}
