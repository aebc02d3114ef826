//bench:only kappa-archived
package kappa

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// sinkGroup is the consumer group of the sink. It shares out the partitions; positions are on
// disk.
const sinkGroup = "kappa-sink"

// Sink appends the events of the log and, with cfg.ArchiveWindows, the windows that the live version has
// closed to the archive in cfg.Dir, exactly once, until ctx ends. It stands behind the one pipeline: nothing
// that answers depends on it.
//
// It keeps no position anywhere: it goes on where the files of a partition end.
func Sink(ctx context.Context, cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	if cfg.Dir == "" {
		return fmt.Errorf("dir: must be given")
	}
	return cfg.Log.RunGroup(ctx, sinkGroup, eventlog.CarsTopic,
		func(ctx context.Context, m *eventlog.Member, partition int) error {
			return sinkPartition(ctx, cfg, m, partition)
		})
}

// A membership can tell whether a partition is still this process's. It is [eventlog.Member].
type membership interface {
	// Confirm fails with [eventlog.ErrNotMember] when it is not.
	Confirm(ctx context.Context, partition int) error
}

// sinkPartition copies one partition for as long as it is assigned to this process.
func sinkPartition(ctx context.Context, cfg Config, m membership, partition int) error {
	g, work := errgroup.WithContext(ctx)
	g.Go(func() error { return newEventSink(cfg, partition).run(work, m) })
	if cfg.ArchiveWindows {
		g.Go(func() error { return newWindowSink(cfg, partition).run(work, m) })
	}
	err := unlessEnded(ctx, g.Wait())
	if errors.Is(err, errRemoved) {
		// A new owner of the partition takes the open file for a leftover. Without one, somebody
		// tidies up in a folder that is ours, and that has to be known.
		err = errors.Join(err, m.Confirm(ctx, partition))
	}
	if err != nil {
		return fmt.Errorf("sink partition %d: %w", partition, err)
	}
	return nil
}

// tidy removes what a crash has left of files with that prefix. Who was suspended since it got the
// partition, and has lost it meanwhile, must not: it would remove the new owner's open file.
func (c Config) tidy(ctx context.Context, m membership, partition int, prefix string) error {
	if err := m.Confirm(ctx, partition); err != nil {
		return err
	}
	if err := removeLeftovers(c.archiveTmp(), prefix); err != nil {
		return fmt.Errorf("remove leftovers: %w", err)
	}
	return nil
}

// An eventSink copies the events of one partition. What a dead letter says is on the topic of the
// dead letters; here they are counted, so that a replay of the archive counts as one of the log.
type eventSink struct {
	cfg       Config
	partition int
	decoder   *event.Decoder
	event     event.CarSensor // the one that is being read

	position    int64                      // everything below it is in published files
	file        *archiveWriter[archiveRow] // nil when there is none
	facts       segmentFacts               // of file
	firstAppend int64                      // append time of the first event of file: it names the folder
	due         time.Time                  // when file has to be published
	rows        []archiveRow               // read, and not yet in file
}

func newEventSink(cfg Config, partition int) *eventSink {
	return &eventSink{cfg: cfg, partition: partition, decoder: event.NewDecoder(cfg.Log)}
}

func (s *eventSink) prefix() string { return fmt.Sprintf("p%03d-events-", s.partition) }

// run copies until ctx ends. What was not published by then is thrown away and read again by the
// next owner of the partition: there is no second way to stop that could go wrong.
func (s *eventSink) run(ctx context.Context, m membership) (err error) {
	if err := s.start(ctx, m); err != nil {
		return err
	}
	s.cfg.notify("assigned", "component", "sink", "partition", s.partition, "position", s.position)
	reader, err := s.cfg.Log.Reader(ctx, eventlog.CarsTopic, s.partition, s.position)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close(), s.abandon()) }()
	for atEnd := false; ; {
		batch, err := s.read(ctx, reader, atEnd)
		if err != nil {
			return err
		}
		atEnd = batch.Next == batch.End
		if err := s.add(batch.Records); err != nil {
			return err
		}
		if s.isDue() {
			if err := s.roll(batch.Next); err != nil {
				return err
			}
		}
	}
}

// start finds the position to go on from.
func (s *eventSink) start(ctx context.Context, m membership) error {
	if err := s.cfg.tidy(ctx, m, s.partition, s.prefix()); err != nil {
		return err
	}
	segments, err := scanDataset(s.cfg.masterDir())
	if err != nil {
		return err
	}
	starts, err := s.cfg.Log.StartOffsets(ctx, eventlog.CarsTopic)
	if err != nil {
		return err
	}
	chain, logStart := longestChain(segments[s.partition]), starts[s.partition]
	if len(chain) == 0 {
		s.cfg.noteLost("sink", s.partition, 0, logStart)
	}
	s.position = chainEnd(chain, logStart)
	return eventlog.LostBefore(eventlog.CarsTopic, s.partition, s.position, logStart)
}

// gatherTime is how long the sink lets events gather at the end of the log: nobody waits for them,
// and every fetch takes the broker's time.
const gatherTime = 50 * time.Millisecond

// read reads what comes next, in one piece as large as the open file has time for.
func (s *eventSink) read(
	ctx context.Context, reader *eventlog.Reader, atEnd bool,
) (eventlog.Batch, error) {
	switch {
	case s.file == nil:
		return reader.Read(ctx, s.cfg.RollInterval)
	case atEnd:
		return reader.Gather(ctx, min(max(time.Millisecond, time.Until(s.due)), gatherTime))
	default:
		return reader.Read(ctx, max(time.Millisecond, time.Until(s.due)))
	}
}

func (s *eventSink) isDue() bool {
	return s.file != nil && (s.file.rows >= s.cfg.RollRows || !time.Now().Before(s.due))
}

// add puts events into files.
func (s *eventSink) add(records []eventlog.Record) error {
	for i := range records {
		if err := s.open(&records[i]); err != nil {
			return err
		}
		if err := s.addOne(&records[i]); err != nil {
			return err
		}
	}
	return s.flush()
}

func (s *eventSink) addOne(r *eventlog.Record) error {
	s.facts.Counters.Events++
	s.facts.NewestAppend = max(s.facts.NewestAppend, r.AppendTime)

	err := s.decoder.Decode(r.Key, r.Value, &s.event)
	if err == nil {
		err = s.cfg.Rules.CheckSkew(s.event.EventTime, r.AppendTime)
	}
	if reject, ok := errors.AsType[*event.Reject](err); ok {
		s.facts.Counters.Reject(reject.Reason, 1)
		return nil
	}
	if err != nil {
		return fmt.Errorf("decode offset %d: %w", r.Offset, err)
	}
	s.facts.MaxEventTime = max(s.facts.MaxEventTime, s.event.EventTime)
	s.rows = append(s.rows, newArchiveRow(
		&s.event, r.Offset, r.AppendTime, intendedOf(r), event.Fingerprint(r.Value)))
	return nil
}

// intendedOf returns the intended send time of an event, Unix ns; 0 when it has none.
func intendedOf(r *eventlog.Record) int64 {
	n, err := strconv.ParseInt(string(r.Header(eventlog.IntendedHeader)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// open makes sure that the open file is the one that r belongs to: a file ends when append time
// leaves the hour of its folder behind. What is from an hour before stays in the open file: to
// roll there as well could make a file of every event.
func (s *eventSink) open(r *eventlog.Record) error {
	const hour = int64(time.Hour / time.Millisecond)
	if s.file != nil && r.AppendTime/hour > s.firstAppend/hour {
		if err := s.flush(); err != nil {
			return err
		}
		if err := s.roll(r.Offset); err != nil {
			return err
		}
	}
	if s.file != nil {
		return nil
	}
	file, err := newArchiveWriter[archiveRow](s.cfg, s.prefix())
	if err != nil {
		return fmt.Errorf("create archive file: %w", err)
	}
	s.file, s.firstAppend, s.due = file, r.AppendTime, time.Now().Add(s.cfg.RollInterval)
	s.facts = segmentFacts{
		Partition: s.partition, First: s.position, MaxEventTime: math.MinInt64,
	}
	return nil
}

// flush moves what was read into the open file.
func (s *eventSink) flush() error {
	if len(s.rows) == 0 {
		return nil
	}
	if err := s.file.write(s.rows); err != nil {
		return fmt.Errorf("write archive file: %w", err)
	}
	s.rows = s.rows[:0]
	return nil
}

// roll publishes the open file as everything up to end, exclusive.
func (s *eventSink) roll(end int64) error {
	file := s.file
	s.file, s.facts.End = nil, end
	target := segmentPath(s.cfg.masterDir(), s.partition, s.position, end, s.firstAppend)
	if err := file.publish(s.cfg, &s.facts, target); err != nil {
		return err
	}
	s.position = end
	s.cfg.notify("archived", "dataset", "events", "partition", s.partition,
		"position", end, "rows", file.rows)
	return nil
}

// abandon drops the open file, if there is one.
func (s *eventSink) abandon() error {
	if s.file == nil {
		return nil
	}
	return s.file.abandon()
}
