package redrive

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// Header is the header of a re-driven event: the place at which it was refused, "cars/0/17".
const Header = "redriven"

// Config says what to re-drive.
type Config struct {
	Log     *eventlog.Log
	Letters string // topic of a side's dead letters
	Repairs Repairs
	Rules   event.Rules // those of the sides: of these, how far a clock may be ahead
}

// A Result counts what became of every dead letter: Letters is the sum of the others.
type Result struct {
	Letters  int64
	Redriven int64                  // appended to the input
	Already  int64                  // were there before, from an earlier run
	Left     map[event.Reason]int64 // cannot be repaired, by the reason that is left
}

// appendAtOnce is how many events one append takes: about a batch.
const appendAtOnce = 4096

// Run re-drives all dead letters that are there now and can be repaired. After an error it can be run
// again.
func Run(ctx context.Context, cfg Config) (Result, error) {
	letters, err := readLetters(ctx, cfg.Log, cfg.Letters)
	if err != nil {
		return Result{}, fmt.Errorf("read dead letters: %w", err)
	}
	result := Result{Letters: int64(len(letters)), Left: map[event.Reason]int64{}}
	there, err := redriven(ctx, cfg.Log, letters)
	if err != nil {
		return result, fmt.Errorf("find what was re-driven: %w", err)
	}
	r, encoder, err := cfg.repairer(ctx)
	if err != nil {
		return result, err
	}
	pending := map[int][]eventlog.Record{}
	flush := func(partition int) error {
		records := pending[partition]
		if len(records) == 0 {
			return nil
		}
		pending[partition] = nil
		_, err := cfg.Log.Append(ctx, eventlog.CarsTopic, partition, records)
		if err == nil {
			result.Redriven += int64(len(records))
		}
		return err
	}
	for i := range letters {
		l := &letters[i]
		if there[l.place] {
			result.Already++
			continue
		}
		record, err := l.repaired(r, encoder)
		if reject, ok := errors.AsType[*event.Reject](err); ok {
			result.Left[reject.Reason]++
			continue
		}
		if err != nil {
			return result, fmt.Errorf("repair %s: %w", l, err)
		}
		pending[l.partition] = append(pending[l.partition], record)
		if len(pending[l.partition]) == appendAtOnce {
			if err := flush(l.partition); err != nil {
				return result, err
			}
		}
	}
	for partition := range pending {
		if err := flush(partition); err != nil {
			return result, err
		}
	}
	return result, nil
}

// redriven finds the places whose events are on the log again: behind the letters, so it reads from
// the oldest one of each partition on.
func redriven(ctx context.Context, log *eventlog.Log, letters []letter) (map[place]bool, error) {
	from := map[int]int64{}
	for _, l := range letters { // in order: the first is the oldest
		if _, known := from[l.partition]; !known {
			from[l.partition] = l.offset
		}
	}
	there := map[place]bool{}
	err := readTopic(ctx, log, eventlog.CarsTopic, from, func(_ int, r *eventlog.Record) error {
		mark := r.Header(Header)
		if mark == nil {
			return nil
		}
		at, err := parsePlace(string(mark))
		there[at] = true
		return err
	})
	return there, err
}

// repairer returns what repairs, and an encoder that writes what was repaired: under the schema's
// own ids, which every reader knows already.
func (c Config) repairer(ctx context.Context) (*repairer, *event.Encoder, error) {
	ids, err := c.Log.RegisterSchemas(ctx, event.Subject, event.Schemas[:]...)
	if err != nil {
		return nil, nil, err
	}
	r := &repairer{c.Repairs, c.Rules, event.NewDecoder(c.Log), ids[0]}
	return r, event.NewEncoder(ids...), nil
}

// repaired is the event that is appended for a letter.
func (l *letter) repaired(r *repairer, encoder *event.Encoder) (eventlog.Record, error) {
	var e event.CarSensor
	if err := r.repair(l, &e); err != nil {
		return eventlog.Record{}, err
	}
	value, err := encoder.Append(nil, &e)
	if err != nil {
		return eventlog.Record{}, err
	}
	return eventlog.Record{
		AppendTime: l.appendTime, Key: l.key, Value: value,
		Headers: []eventlog.Header{
			{Key: eventlog.IntendedHeader, Value: strconv.AppendInt(nil, l.appendTime*1e6, 10)},
			{Key: Header, Value: []byte(l.String())},
		},
	}, nil
}
