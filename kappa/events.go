package kappa

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// EventsRead is what it took to find the events of a time.
type EventsRead struct {
	Bytes  int64   // that the broker has sent
	Events int64   // that were looked at
	Ends   []int64 // per partition: offsets from here on were not looked at
}

// Events calls each with all events whose event time is in [from, to), partition by partition in log
// order: as they were appended, duplicates included, without dead letters. What each is given is
// valid until it returns.
//
// A log knows append times, not event times, so a range of offsets has to be found that holds all
// that is wanted, and all of it has to be read:
//
//   - It begins at append time from - MaxFutureSkew: an event that was appended earlier and is from
//     within the range is a dead letter by the guard.
//   - It ends where the log ends: no rule says how late an event may arrive (after AllowedLateness it
//     changes no window any more, but it is there). A late that is not negative ends it at append
//     time to + late. That is exact if no event of the range came later than that, and append times
//     ascend; an event that was appended behind one from after that time is not found.
//
// It fails when the log has forgotten offsets that may hold such events.
func Events(
	ctx context.Context, cfg Config, from, to time.Time, late time.Duration,
	each func(*event.CarSensor) error,
) (EventsRead, error) {
	var read EventsRead
	starts, err := eventsFrom(ctx, cfg, from)
	if err != nil {
		return read, err
	}
	if read.Ends, err = eventsTo(ctx, cfg, to, late); err != nil {
		return read, err
	}
	for partition, start := range starts {
		s := eventScan{cfg: cfg, from: from.UnixMilli(), to: to.UnixMilli(), each: each, read: &read}
		if err := s.run(ctx, partition, start, read.Ends[partition]); err != nil {
			return read, fmt.Errorf("read partition %d: %w", partition, err)
		}
	}
	return read, nil
}

// eventsFrom returns the offsets below which no event is from or later.
func eventsFrom(ctx context.Context, cfg Config, from time.Time) ([]int64, error) {
	logStarts, err := cfg.Log.StartOffsets(ctx, eventlog.CarsTopic)
	if err != nil {
		return nil, err
	}
	skew := time.Duration(cfg.Rules.MaxFutureSkew) * time.Millisecond
	earliest := from.Add(-skew)
	if earliest.Before(time.UnixMilli(0)) {
		earliest = time.UnixMilli(0)
	}
	starts, err := cfg.Log.OffsetsAt(ctx, eventlog.CarsTopic, earliest)
	if err != nil {
		return nil, err
	}
	for partition, start := range starts {
		if cut := logStarts[partition]; cut > 0 && start <= cut {
			return nil, fmt.Errorf("offsets below %d of partition %d are gone, and may hold events of "+
				"that time: ask an archive", cut, partition)
		}
	}
	return starts, nil
}

// eventsTo returns the offsets at which to stop.
func eventsTo(
	ctx context.Context, cfg Config, to time.Time, late time.Duration,
) ([]int64, error) {
	if late < 0 {
		return cfg.Log.EndOffsets(ctx, eventlog.CarsTopic)
	}
	return cfg.Log.OffsetsAt(ctx, eventlog.CarsTopic, to.Add(late))
}

// An eventScan looks for events in a range of offsets of one partition.
type eventScan struct {
	cfg      Config
	from, to int64 // event time, Unix ms
	each     func(*event.CarSensor) error
	read     *EventsRead
	event    event.CarSensor
}

func (s *eventScan) run(ctx context.Context, partition int, start, end int64) (err error) {
	if start >= end {
		return nil
	}
	reader, err := s.cfg.Log.Reader(ctx, eventlog.CarsTopic, partition, start)
	if err != nil {
		return err
	}
	defer func() {
		s.read.Bytes += reader.BytesRead()
		err = errors.Join(err, reader.Close())
	}()
	decoder := event.NewDecoder(s.cfg.Log)
	for next := start; next < end; {
		batch, err := reader.Read(ctx, idleWait)
		if err != nil {
			return err
		}
		for i := range batch.Records {
			if batch.Records[i].Offset < end {
				if err := s.look(decoder, &batch.Records[i]); err != nil {
					return fmt.Errorf("offset %d: %w", batch.Records[i].Offset, err)
				}
			}
		}
		next = batch.Next
	}
	return nil
}

// look hands an event on if it is wanted.
func (s *eventScan) look(decoder *event.Decoder, r *eventlog.Record) error {
	s.read.Events++
	err := decoder.Decode(r.Key, r.Value, &s.event)
	if err == nil {
		err = s.cfg.Rules.CheckSkew(s.event.EventTime, r.AppendTime)
	}
	if _, rejected := errors.AsType[*event.Reject](err); rejected {
		return nil
	}
	if err != nil {
		return err
	}
	if s.event.EventTime < s.from || s.event.EventTime >= s.to {
		return nil
	}
	return s.each(&s.event)
}
