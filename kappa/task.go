package kappa

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

const (
	// farBehind is how many events a task must be away from the end of its partition to count as
	// catching up. At 20,000 events/s over 4 partitions it is 2 s of input: a hiccup stays below.
	farBehind = 10_000

	// maxPending is how many rows and side outputs may wait for a flush, whatever the linger: it
	// bounds memory. 50,000 rows of 10 readings are about 10 MB on the wire.
	maxPending = 50_000

	// idleWait is how long one read waits at the end of the log when nothing else is due.
	idleWait = time.Second
)

// A task is the processor of one partition: it reads, judges, and every linger makes durable what
// has changed.
type task struct {
	cfg       Config
	partition int
	until     int64 // offsets from here on are not processed
	logic
	decoder *event.Decoder
	event   event.CarSensor // memory for the event that is being judged

	*state
	sides  sideOutputs
	alerts []alert // raised since the last flush
	rows   changelogWriter
	kept   keptRows
	trail  *trail       // of the changelog, and of the side topics while the version is live
	isLive *atomic.Bool // the version answers; nil is that it does
	ahead  int64        // rows that a restore has found may be of event times up to here, whatever the watermark

	// Invariant: committed <= durable <= Position; where events may be lost, durable <= committed.
	durable   int64 // rows and side outputs of offsets below it are acknowledged
	committed int64 // the group's commit
	covered   int64 // a restored changelog covers offsets below it; -1 when it was empty

	// transactor is what the task writes with when nothing may come twice; nil otherwise.
	transactor *eventlog.Transactor
	torn       bool // a transaction was begun and did not come to its end: the task is of no use

	began      time.Time // when this process was given the partition
	waiting    time.Time // since when there is something to flush
	lastCommit time.Time
	behind     int64 // events between the last read and the end of the partition

	//bench:only kappa-archived
	encoder *event.Encoder // of late rows of the archive; nil before the archive is read
	//bench:only kappa-archived
	logEnd int64 // the end of the partition when reading the archive began
	//bench:only kappa-archived
	archiveEnd int64 // offsets from here on are read from the log, whatever is in the archive by now
	//bench:only kappa-archived
	entered *progress // at the beginning of the file that is being read; nil while none is
}

// newTask is a task of a configuration that is valid: its version is known.
func newTask(cfg Config, partition int, until int64) *task {
	logic, _ := logicOf(cfg.Version)
	return &task{
		cfg: cfg, partition: partition, until: until,
		logic:   logic,
		decoder: event.NewDecoder(cfg.Log),
		state:   cfg.Mistakes.tell(newState(cfg.Rules, cfg.Views)),
		sides:   sideOutputs{partition: partition},
		trail:   newTrail(cfg.Rules, cfg.ViewRetention.Milliseconds()),
		covered: -1,
	}
}

// run processes the partition from the task's position until ctx ends. There is no orderly way to
// stop: what was not committed by then is read again, as after a crash.
func (t *task) run(ctx context.Context, m *eventlog.Member) (err error) {
	if err := t.runArchive(ctx, m); err != nil { //bench:only kappa-archived
		return fmt.Errorf("read archive: %w", err)
	}
	reader, err := t.cfg.Log.Reader(ctx, t.cfg.input(), t.partition, t.Position)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	for t.Position < t.until {
		read := reader.Read
		if t.durable < t.Position && t.behind == 0 {
			read = reader.Gather // nothing of it would be flushed earlier
		}
		batch, err := read(ctx, t.wait(time.Now()))
		if err != nil {
			return err
		}
		if err := t.take(batch); err != nil {
			return err
		}
		if err := t.settle(ctx, m, time.Now()); err != nil {
			return err
		}
	}
	if err := t.flush(ctx, m); err != nil {
		return err
	}
	return t.commit(ctx, m)
}

// take judges the events of a batch.
func (t *task) take(batch eventlog.Batch) error {
	for i := range batch.Records {
		r := &batch.Records[i]
		if r.Offset >= t.until {
			break
		}
		if err := t.judge(r); err != nil {
			return err
		}
	}
	t.Position = min(batch.Next, t.until)
	t.behind = batch.End - batch.Next
	return nil
}

// wait is how long the next read may wait for an event: until a flush or a commit is due.
func (t *task) wait(now time.Time) time.Duration {
	switch {
	case t.durable < t.Position:
		return max(0, t.linger()-now.Sub(t.waiting))
	case t.committed < t.durable:
		return max(0, t.cfg.CommitInterval-now.Sub(t.lastCommit))
	default:
		return idleWait
	}
}

// linger is how long a change waits for company: far behind the end of the log nobody waits for
// it, and writing a window again for every few of its readings would be waste.
func (t *task) linger() time.Duration {
	if t.behind > farBehind {
		return t.cfg.CatchUpLinger
	}
	return t.cfg.Linger
}

// settle flushes and commits what is due.
func (t *task) settle(ctx context.Context, m *eventlog.Member, now time.Time) error {
	if err := t.flushDue(ctx, m, now); err != nil {
		return err
	}
	if err := t.commitDue(ctx, m, now); err != nil {
		return err
	}
	return t.trim(ctx)
}

// trim deletes what is too old. It goes by the watermark of the commit: whoever restores from that needs rows that
// the watermark of now may have left behind already.
func (t *task) trim(ctx context.Context) error {
	if t.committed != t.Position {
		return nil
	}
	return t.trail.trim(ctx, t.cfg.Log, t.partition, t.Watermark, t.cfg.notify)
}

func (t *task) flushDue(ctx context.Context, m *eventlog.Member, now time.Time) error {
	if t.durable == t.Position {
		return nil
	}
	if t.waiting.IsZero() {
		t.waiting = now
	}
	if now.Sub(t.waiting) < t.linger() && t.pending() < maxPending {
		return nil
	}
	return t.flush(ctx, m)
}

func (t *task) commitDue(ctx context.Context, m *eventlog.Member, now time.Time) error {
	// Only a position without anything pending may be committed: the metadata of the commit is
	// the state's progress, and the two must be of one offset.
	if t.committed < t.Position && t.durable == t.Position &&
		now.Sub(t.lastCommit) >= t.cfg.CommitInterval {
		return t.commit(ctx, m)
	}
	return nil
}

func (t *task) pending() int { return t.rowsChanged() + len(t.alerts) + t.sides.len() }

// flush makes everything below the position durable: first the side outputs, then the rows of
// changed windows, alerts and, last, the progress. So whoever reads the progress knows that all
// the rest is there, whatever a crash has cut off. Where nothing may come twice it commits as well.
func (t *task) flush(ctx context.Context, m *eventlog.Member) error {
	if t.rereads() {
		t.written(false)
		return nil
	}
	if err := t.guarantee(ctx, m); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	t.written(true)
	return nil
}

// written notes that nothing is pending; writes says whether that was because it was written.
func (t *task) written(writes bool) {
	t.sides.forget()
	t.alerts = t.alerts[:0]
	t.flushed(writes)
	t.durable, t.waiting = t.Position, time.Time{}
}

// rereads reports whether the task reads again what its restored changelog covers. Then all output
// is there already, and another progress record would take the view back in time.
func (t *task) rereads() bool {
	return t.Position <= t.covered && !t.cfg.Mistakes.CountRepeats
}

// write appends what is pending to its topics.
func (t *task) write(ctx context.Context) error {
	needed, err := t.encode()
	if err != nil {
		return err
	}
	if err := t.cfg.step("side outputs"); err != nil {
		return err
	}
	if err := t.sides.write(ctx, t.output(), t.noteSide); err != nil {
		return err
	}
	if err := t.cfg.step("rows"); err != nil {
		return err
	}
	topic := ChangelogTopic(t.cfg.ViewName())
	first, err := t.output().Append(ctx, topic, t.partition, t.rows.records)
	if err != nil {
		return fmt.Errorf("append to %s: %w", topic, err)
	}
	t.kept.flushed(first, first+int64(len(t.rows.records))-1, needed)
	t.trail.note(topic, first, max(t.Watermark, event.Watermark(t.ahead)))
	return t.cfg.step("rows acknowledged")
}

// noteSide notes where the side outputs of a flush begin. They are of all versions, and a candidate goes through
// event times that are long past: only the live version can say how old what lies before is.
func (t *task) noteSide(topic string, first int64) {
	if t.isLive == nil || t.isLive.Load() {
		t.trail.note(topic, first, t.Watermark)
	}
}

// encode turns what is pending into records; it returns the watermark up to which a restore needs
// any of them.
func (t *task) encode() (needed int64, err error) {
	needed = noRows
	t.rows.reset()
	for _, w := range t.changed {
		t.rows.window(w, t.Newest)
		needed = max(needed, neededForWindow(t.rules, w.start))
	}
	if t.trips != nil { //bench:change view
		needed = max(needed, t.rows.trips(t.trips, t.Newest))
		t.ReadingInterval = t.rules.ReadingInterval
	}
	for i := range t.alerts {
		t.rows.alert(&t.alerts[i], t.Newest)
		if err := t.sides.alert(t.cfg.Version, &t.alerts[i], t.Newest); err != nil {
			return 0, err
		}
	}
	t.Mistake = cmp.Or(t.cfg.Mistakes.String(), t.Mistake) // a restored one is in rows that are still served
	t.KeptFrom = max(t.KeptFrom, t.rules.KeptFrom(t.Watermark, t.cfg.ViewRetention.Milliseconds()))
	if t.entered != nil { //bench:only kappa-archived
		return needed, t.rows.progress(*t.entered)
	}
	return needed, t.rows.progress(t.progress)
}

// metadata is what a commit says besides the offset. Kafka allows 4096 bytes; this is below 1200.
type metadata struct {
	progress
	Restore int64           `json:"restore"`         // where in the changelog a restore has to begin
	Rules   event.Rules     `json:"rules"`           // of the windows in the changelog
	Trail   map[string]mark `json:"trail,omitempty"` // where it begins, by topic

	//bench:only kappa-archived
	ArchiveEnd int64 `json:"archive_end,omitempty"` // offsets from here on come from the log
}

// commitment is the position, with what belongs to exactly this position.
func (t *task) commitment() (eventlog.Commit, error) {
	text, err := json.Marshal(metadata{
		progress: t.progress, Restore: t.kept.restoreFrom(t.Watermark), Rules: t.rules, Trail: t.trail.oldest(),
		ArchiveEnd: t.archiveEnd, //bench:only kappa-archived
	})
	if err != nil {
		return eventlog.Commit{}, fmt.Errorf("encode commit: %w", err)
	}
	return eventlog.Commit{Offset: t.Position, Metadata: string(text)}, nil
}

// commit commits the position.
func (t *task) commit(ctx context.Context, m *eventlog.Member) error {
	if t.committed == t.Position && t.transactor != nil {
		return nil // the flush has
	}
	c, err := t.commitment()
	if err != nil {
		return err
	}
	if err := t.cfg.step("commit"); err != nil {
		return err
	}
	if err := m.Commit(ctx, t.partition, c); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	t.noteCommitted()
	return t.cfg.step("committed")
}

func (t *task) noteCommitted() { t.committed, t.lastCommit = t.Position, time.Now() }
