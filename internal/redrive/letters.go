package redrive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"lambdakappa/internal/eventlog"
)

// readWait is how long a read waits for a record that must be there.
const readWait = time.Second

// A place is where an event was refused.
type place struct {
	partition int
	offset    int64
}

func (p place) String() string {
	return fmt.Sprintf("%s/%d/%d", eventlog.CarsTopic, p.partition, p.offset)
}

func parsePlace(text string) (place, error) {
	var p place
	rest, ok := strings.CutPrefix(text, eventlog.CarsTopic+"/")
	partition, offset, both := strings.Cut(rest, "/")
	n, errN := strconv.Atoi(partition)
	o, errO := strconv.ParseInt(offset, 10, 64)
	if !ok || !both || errors.Join(errN, errO) != nil {
		return p, fmt.Errorf("dead letter %q: is not the place of an event, such as %s/0/17", text, eventlog.CarsTopic)
	}
	return place{n, o}, nil
}

// A letter is an event that was refused.
type letter struct {
	place
	appendTime int64 // Unix ms
	key, value []byte
}

// readLetters reads all dead letters of a topic, one for each place, in the order of the input.
func readLetters(ctx context.Context, log *eventlog.Log, topic string) ([]letter, error) {
	letters := map[place]letter{} // a side says them at least once
	err := readTopic(ctx, log, topic, nil, func(_ int, r *eventlog.Record) error {
		at, err := parsePlace(string(r.Key))
		if err == nil {
			letters[at] = letter{at, r.AppendTime, bytes.Clone(r.Header("key")), bytes.Clone(r.Value)}
		}
		return err
	})
	var all []letter
	for _, l := range letters {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b letter) int {
		return cmp.Or(cmp.Compare(a.partition, b.partition), cmp.Compare(a.offset, b.offset))
	})
	return all, err
}

// readTopic hands every record of a topic to take, from the given offsets on, by default from the
// start, to the end as it is now.
func readTopic(
	ctx context.Context, log *eventlog.Log, topic string, from map[int]int64,
	take func(partition int, r *eventlog.Record) error,
) error {
	ends, err := log.EndOffsets(ctx, topic)
	if err != nil {
		return err
	}
	starts, err := log.StartOffsets(ctx, topic)
	if err != nil {
		return err
	}
	for partition, end := range ends {
		first, asked := from[partition]
		if from != nil && !asked {
			continue
		}
		first = max(first, starts[partition])
		if err := readPartition(ctx, log, topic, partition, first, end, take); err != nil {
			return err
		}
	}
	return nil
}

func readPartition(
	ctx context.Context, log *eventlog.Log, topic string, partition int, next, end int64,
	take func(partition int, r *eventlog.Record) error,
) (err error) {
	reader, err := log.CompactedReader(ctx, topic, partition, next)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	for next < end {
		batch, err := reader.Read(ctx, readWait)
		if err != nil {
			return err
		}
		for i := range batch.Records {
			if err := take(partition, &batch.Records[i]); err != nil {
				return err
			}
		}
		next = batch.Next
	}
	return nil
}
