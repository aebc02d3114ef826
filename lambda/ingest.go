package lambda

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// Ingest copies the log into the master dataset until ctx ends, one task per partition. It
// decodes every event and applies the skew guard; what fails goes to the dead letters, everything
// else is kept as it is, duplicates and latecomers included.
//
// It keeps no position anywhere: a task goes on where the files of its partition end.
func Ingest(ctx context.Context, cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	return cfg.Log.RunGroup(ctx, ingestGroup, eventlog.CarsTopic,
		func(ctx context.Context, m *eventlog.Member, partition int) error {
			return ingestPartition(ctx, cfg, m, partition)
		})
}

// A membership can tell whether a partition is still this process's. It is [eventlog.Member].
type membership interface {
	// Confirm fails with [eventlog.ErrNotMember] when it is not.
	Confirm(ctx context.Context, partition int) error
}

// ingestPartition copies one partition for as long as it is assigned to this process.
func ingestPartition(ctx context.Context, cfg Config, m membership, partition int) error {
	err := newIngestTask(cfg, partition, cfg.Log, cfg.Log).run(ctx, m)
	if errors.Is(err, errRemoved) {
		// A new owner of the partition takes the open file for a leftover. Without one, somebody
		// tidies up in a folder that is ours, and that has to be known.
		err = errors.Join(err, m.Confirm(ctx, partition))
	}
	if err != nil {
		return fmt.Errorf("ingest partition %d: %w", partition, err)
	}
	return nil
}

// An ingestTask copies one partition.
type ingestTask struct {
	cfg       Config
	partition int
	out       appender
	decoder   *event.Decoder
	event     event.CarSensor // the one that is being read

	watermark event.Watermark // of what it has read
	trail     *trail          // of the dead letters

	position int64          // everything below it is in published files
	segment  *segmentWriter // the file that is being written; nil when there is none
	due      time.Time      // when it has to be published

	// Read, and not yet where they belong. Flushed at the end of every add.
	rows        []masterRow
	deadLetters []eventlog.Record
}

// An appender takes dead letters, and deletes old ones. It is the log.
type appender interface {
	Append(ctx context.Context, topic string, partition int, records []eventlog.Record) (int64, error)
	deleter
}

func newIngestTask(
	cfg Config, partition int, out appender, schemas event.SchemaSource,
) *ingestTask {
	return &ingestTask{
		cfg: cfg, partition: partition, out: out, decoder: event.NewDecoder(schemas),
		watermark: event.NoWatermark, trail: newTrail(cfg.Rules, cfg.ViewRetention.Milliseconds()),
	}
}

// run copies until ctx ends. What was not published by then is thrown away and read again by the
// next owner of the partition: there is no second way to stop that could go wrong.
func (t *ingestTask) run(ctx context.Context, m membership) (err error) {
	if t.position, err = t.start(ctx, m); err != nil {
		return err
	}
	if err := t.resumeTrail(); err != nil {
		return err
	}
	t.cfg.notify("assigned", "component", "ingest", "partition", t.partition, "position", t.position)
	reader, err := t.cfg.Log.Reader(ctx, eventlog.CarsTopic, t.partition, t.position)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close(), t.abandon()) }()
	for atEnd := false; ; {
		batch, err := t.read(ctx, reader, atEnd)
		if err != nil {
			return err
		}
		atEnd = batch.Next == batch.End
		if err := t.add(ctx, batch.Records); err != nil {
			return err
		}
		if t.isDue() {
			if err := t.roll(batch.Next); err != nil {
				return err
			}
		}
	}
}

// start cleans up after a crash and returns the position to go on from. Who was suspended since it
// got the partition, and has lost it meanwhile, must not: it would remove the owner's open file.
func (t *ingestTask) start(ctx context.Context, m membership) (int64, error) {
	if err := m.Confirm(ctx, t.partition); err != nil {
		return 0, err
	}
	leftovers := fmt.Sprintf("p%03d-", t.partition)
	if err := removeLeftovers(t.cfg.masterTmp(), leftovers); err != nil {
		return 0, fmt.Errorf("remove leftovers: %w", err)
	}
	master, err := t.cfg.scanMaster()
	if err != nil {
		return 0, err
	}
	left, err := t.cfg.readRemains()
	if err != nil {
		return 0, fmt.Errorf("read remains: %w", err)
	}
	starts, err := t.cfg.Log.StartOffsets(ctx, eventlog.CarsTopic)
	if err != nil {
		return 0, err
	}
	segments, rest, logStart := master[t.partition], left.of(t.partition), starts[t.partition]
	if len(segments) == 0 && rest.End == 0 {
		t.cfg.noteLost("ingest", t.partition, 0, logStart)
		return logStart, nil
	}
	first := rest.first(segments)
	position := chainEnd(longestChain(segments, first), first)
	return position, eventlog.LostBefore(eventlog.CarsTopic, t.partition, position, logStart)
}

// gatherTime is how long ingest lets events gather at the end of the log. Nobody asks for them
// before the next batch run, and every fetch takes the broker's time.
const gatherTime = 50 * time.Millisecond

// read reads what comes next, in one piece as large as the open file has time for.
func (t *ingestTask) read(
	ctx context.Context, reader *eventlog.Reader, atEnd bool,
) (eventlog.Batch, error) {
	if t.segment == nil || !atEnd {
		return reader.Read(ctx, t.wait())
	}
	return reader.Gather(ctx, min(t.wait(), gatherTime))
}

// wait is how long to wait for the next event: at most until the open file is due.
func (t *ingestTask) wait() time.Duration {
	if t.segment == nil {
		return t.cfg.RollInterval
	}
	return max(time.Millisecond, time.Until(t.due))
}

func (t *ingestTask) isDue() bool {
	return t.segment != nil &&
		(t.segment.rows >= t.cfg.RollRows || !time.Now().Before(t.due))
}

// add puts events into files and the rejected ones to the dead letters.
func (t *ingestTask) add(ctx context.Context, records []eventlog.Record) error {
	for i := range records {
		if err := t.openSegment(ctx, &records[i]); err != nil {
			return err
		}
		if err := t.addOne(&records[i]); err != nil {
			return err
		}
	}
	return t.flush(ctx)
}

func (t *ingestTask) addOne(r *eventlog.Record) error {
	facts := &t.segment.facts
	facts.Counters.Events++
	facts.NewestAppend = max(facts.NewestAppend, r.AppendTime)

	err := t.decoder.Decode(r.Key, r.Value, &t.event)
	if err == nil {
		err = t.cfg.Rules.CheckSkew(t.event.EventTime, r.AppendTime)
	}
	if reject, ok := errors.AsType[*event.Reject](err); ok {
		facts.Counters.Reject(reject.Reason, 1)
		t.deadLetters = append(t.deadLetters,
			sideRecord(t.partition, r, string(reject.Reason), reject.Detail))
		return nil
	}
	if err != nil {
		return fmt.Errorf("decode offset %d: %w", r.Offset, err)
	}
	t.watermark = t.cfg.Rules.Advance(t.watermark, t.event.EventTime)
	t.rows = append(t.rows,
		newMasterRow(&t.event, r.Offset, r.AppendTime, event.Fingerprint(r.Value)))
	return nil
}

// resumeTrail begins the trail of the dead letters where the newest generation has seen the watermark: without, a burst
// of late events after a restart would make new letters look old.
func (t *ingestTask) resumeTrail() error {
	if t.cfg.ViewRetention == 0 {
		return nil
	}
	m, err := t.cfg.newestManifest()
	if err != nil || m == nil {
		return err
	}
	t.watermark = max(t.watermark, m.watermark(t.partition))
	return nil
}

// openSegment makes sure that the open file is the one that r belongs to: a file ends when append
// time leaves the hour of its folder behind.
//
// Append times may go back: those of several senders cross at a full hour, and who appends a
// recording car by car goes back by days. What is from an hour before stays in the open file; to
// roll there as well could make a file of every event.
func (t *ingestTask) openSegment(ctx context.Context, r *eventlog.Record) error {
	const hour = int64(time.Hour / time.Millisecond)
	if t.segment != nil && r.AppendTime/hour > t.segment.firstAppend/hour {
		if err := t.flush(ctx); err != nil {
			return err
		}
		if err := t.roll(r.Offset); err != nil {
			return err
		}
	}
	if t.segment != nil {
		return nil
	}
	segment, err := t.cfg.newSegmentWriter(t.partition, t.position, r.AppendTime)
	if err != nil {
		return fmt.Errorf("create master file: %w", err)
	}
	t.segment, t.due = segment, time.Now().Add(t.cfg.RollInterval)
	return nil
}

// flush has the dead letters acknowledged and moves the accepted rows into the open file. It is
// called before the file can be published, so a published file never covers a dead letter that
// could still be lost.
func (t *ingestTask) flush(ctx context.Context) error {
	if len(t.deadLetters) > 0 {
		first, err := t.out.Append(ctx, DeadLettersTopic, t.partition, t.deadLetters)
		if err != nil {
			return fmt.Errorf("append dead letters: %w", err)
		}
		t.deadLetters = t.deadLetters[:0]
		t.trail.note(DeadLettersTopic, first, t.watermark)
	}
	if err := t.trail.trim(ctx, t.out, t.partition, t.watermark, t.cfg.notify); err != nil {
		return err
	}
	if len(t.rows) > 0 {
		if err := t.segment.write(t.rows); err != nil {
			return fmt.Errorf("write master file: %w", err)
		}
		t.rows = t.rows[:0]
	}
	return nil
}

// roll publishes the open file as everything up to end, exclusive.
func (t *ingestTask) roll(end int64) error {
	segment := t.segment
	t.segment, t.position = nil, end
	return segment.publish(t.cfg, end)
}

// abandon drops the open file, if there is one.
func (t *ingestTask) abandon() error {
	if t.segment == nil {
		return nil
	}
	return t.segment.abandon()
}
