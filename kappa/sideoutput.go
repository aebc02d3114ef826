package kappa

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// sideOutputs collects what one partition has to say besides its view: events that were not
// admitted, kept for whoever wants to know why, and alerts for whoever acts on them. They are
// acknowledged before the commit that covers them, so none is lost; after a crash some come twice.
type sideOutputs struct {
	partition   int
	deadLetters []eventlog.Record
	dropped     []eventlog.Record
	alerts      []eventlog.Record
}

// reject keeps an event that is itself at fault.
func (s *sideOutputs) reject(r *eventlog.Record, reject *event.Reject) {
	s.deadLetters = append(s.deadLetters,
		sideRecord(s.partition, r, string(reject.Reason), reject.Detail))
}

// late keeps an event that came too late for some of the views, which it names.
func (s *sideOutputs) late(r *eventlog.Record, eventTime int64, w event.Watermark, late view.Set) {
	detail := fmt.Sprintf("event time %d, watermark %d", eventTime, w)
	record := sideRecord(s.partition, r, "late", detail)
	record.Headers = append(record.Headers, eventlog.Header{Key: "views", Value: []byte(late.String())})
	s.dropped = append(s.dropped, record)
}

// sideRecord is the record of a side topic for an event of the input: its bytes as they came,
// copied, for they may wait for several reads.
//
// The key is the event's place in the input. So a second writer, or the same one after a crash,
// may write it again: readers keep one record per key.
func sideRecord(partition int, r *eventlog.Record, reason, detail string) eventlog.Record {
	place := make([]byte, 0, 48)
	place = append(place, eventlog.CarsTopic+"/"...)
	place = strconv.AppendInt(place, int64(partition), 10)
	place = append(place, '/')
	place = strconv.AppendInt(place, r.Offset, 10)
	return eventlog.Record{
		AppendTime: r.AppendTime,
		Key:        place,
		Value:      bytes.Clone(r.Value),
		Headers: []eventlog.Header{
			{Key: "key", Value: bytes.Clone(r.Key)},
			{Key: "reason", Value: []byte(reason)},
			{Key: "detail", Value: []byte(detail)},
		},
	}
}

// original returns the event of a dead letter as it stood on the log, and at which offset. It shares no
// memory with the dead letter.
//
//bench:only kappa-archived
func original(dead *eventlog.Record) (offset int64, r eventlog.Record, err error) {
	place := string(dead.Key)
	offset, err = strconv.ParseInt(place[strings.LastIndexByte(place, '/')+1:], 10, 64)
	if err != nil {
		return 0, r, fmt.Errorf("dead letter %d: key %q is no place in the log", dead.Offset, place)
	}
	return offset, eventlog.Record{
		AppendTime: dead.AppendTime,
		Key:        bytes.Clone(dead.Header("key")), Value: bytes.Clone(dead.Value),
	}, nil
}

// alertMessage is an alert on the alert topic. Consumers keep one per (version, car_id, seq).
type alertMessage struct {
	Version   string  `json:"version"`
	CarID     string  `json:"car_id"`
	Seq       int64   `json:"seq"`
	EventTime int64   `json:"event_time"` // Unix ms
	Rule      string  `json:"rule"`
	Score     float64 `json:"score"`
	Offset    int64   `json:"offset"` // of the event in its input partition
}

// alert tells the world about an alert.
func (s *sideOutputs) alert(version string, a *alert, appendTime int64) error {
	value, err := json.Marshal(alertMessage{
		version, a.CarID, a.Seq, a.EventTime, a.Rule.String(), a.Score, a.offset,
	})
	if err != nil {
		return fmt.Errorf("encode alert: %w", err)
	}
	s.alerts = append(s.alerts,
		eventlog.Record{AppendTime: appendTime, Key: []byte(a.CarID), Value: value})
	return nil
}

// write appends everything that was collected, acknowledged, tells note where it begins, and forgets it.
func (s *sideOutputs) write(ctx context.Context, log output, note func(topic string, first int64)) error {
	for _, out := range []struct {
		topic   string
		records []eventlog.Record
	}{
		{DeadLettersTopic, s.deadLetters},
		{LateTopic, s.dropped},
		{AlertsTopic, s.alerts},
	} {
		if len(out.records) == 0 {
			continue
		}
		first, err := log.Append(ctx, out.topic, s.partition, out.records)
		if err != nil {
			return fmt.Errorf("append to %s: %w", out.topic, err)
		}
		note(out.topic, first)
	}
	s.forget()
	return nil
}

// forget drops what was collected.
func (s *sideOutputs) forget() {
	clear(s.deadLetters) // the events' bytes are theirs: let them go
	clear(s.dropped)
	clear(s.alerts)
	s.deadLetters, s.dropped, s.alerts = s.deadLetters[:0], s.dropped[:0], s.alerts[:0]
}

// len is the number of records that wait.
func (s *sideOutputs) len() int { return len(s.deadLetters) + len(s.dropped) + len(s.alerts) }
