package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// sideOutputs collects what the speed layer has to say of one partition besides its view: events
// that were dropped late, and alerts for whoever acts on them. After a crash some come twice, and while two
// generations of different logic live side by side. (Dead letters are ingest's.)
type sideOutputs struct {
	partition int
	grounds   grounds
	said      said   // what is acknowledged already
	held      bool   // another generation says the same: what waits is kept until it has, or until it ends
	trail     *trail // of the topics; nil while somebody else has said more, or another generation answers: their watermark is further

	// What waits. Offset of a record is that of its event.
	dropped []eventlog.Record
	alerts  []eventlog.Record
}

// grounds are what decides, beside the events, what there is to say.
type grounds struct {
	Version string      `json:"version"` // of the alerts
	Views   view.Set    `json:"views"`   // for which events may be late
	Rules   event.Rules `json:"rules"`   // by which an event is late, and raises no alert
}

// said is how far the side outputs of a partition are complete: what offsets below it had to say is
// acknowledged. An event is late whatever the version, but its alert belongs to one: to a
// generation of another version nothing is said yet, from its boundary on, and by other rules no late event either.
type said struct {
	offset int64
	grounds
}

// with is how far they are complete once a generation has said everything of [boundary, durable),
// or has found it said. It can take over where the position has passed its boundary, and gives
// its grounds when it has come as far as the position.
func (s said) with(g grounds, boundary, durable int64) said {
	if boundary <= s.offset && s.offset <= durable {
		return said{durable, g}
	}
	return s
}

// late keeps an event that came too late for some of the views, which it names.
func (s *sideOutputs) late(r *eventlog.Record, eventTime int64, w event.Watermark, late view.Set) {
	if r.Offset < s.said.offset && s.said.Rules == s.grounds.Rules && s.said.Views.Has(late) {
		return
	}
	detail := fmt.Sprintf("event time %d, watermark %d", eventTime, w)
	record := sideRecord(s.partition, r, "late", detail)
	record.Headers = append(record.Headers, eventlog.Header{Key: "views", Value: []byte(late.String())})
	s.dropped = append(s.dropped, record)
}

// sameAlerts reports whether both have the same alerts of the same events.
func (g grounds) sameAlerts(other grounds) bool {
	return g.Version == other.Version && g.Rules == other.Rules
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

// A speedAlert is an alert with the input offset of its event.
type speedAlert struct {
	view.Alert
	offset int64
}

// alert tells the world about an alert.
func (s *sideOutputs) alert(a *speedAlert, appendTime int64) error {
	if a.offset < s.said.offset && s.said.sameAlerts(s.grounds) {
		return nil
	}
	value, err := json.Marshal(alertMessage{
		s.grounds.Version, a.CarID, a.Seq, a.EventTime, a.Rule.String(), a.Score, a.offset,
	})
	if err != nil {
		return fmt.Errorf("encode alert: %w", err)
	}
	s.alerts = append(s.alerts,
		eventlog.Record{Offset: a.offset, AppendTime: appendTime, Key: []byte(a.CarID), Value: value})
	return nil
}

// takeOver makes it ours to say what nobody has said.
func (s *sideOutputs) takeOver(said said) {
	s.held, s.said = false, said
	s.forgetSaid()
}

// forgetSaid forgets what was acknowledged meanwhile.
func (s *sideOutputs) forgetSaid() {
	done := func(r eventlog.Record) bool { return r.Offset < s.said.offset }
	if s.said.sameAlerts(s.grounds) {
		s.alerts = slices.DeleteFunc(s.alerts, done)
	}
	if s.said.Rules == s.grounds.Rules && s.said.Views.Has(s.grounds.Views) {
		s.dropped = slices.DeleteFunc(s.dropped, done)
	}
}

// write appends everything that was collected under w, acknowledged, and forgets it.
func (s *sideOutputs) write(ctx context.Context, log *eventlog.Log, w event.Watermark) error {
	if s.held {
		s.forgetSaid()
		return nil
	}
	for _, out := range []struct {
		topic   string
		records []eventlog.Record
	}{
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
		if s.trail != nil {
			s.trail.note(out.topic, first, w)
		}
	}
	clear(s.dropped) // the events' bytes are theirs: let them go
	clear(s.alerts)
	s.dropped, s.alerts = s.dropped[:0], s.alerts[:0]
	return nil
}

// len is the number of records that wait.
func (s *sideOutputs) len() int { return len(s.dropped) + len(s.alerts) }

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
		Offset:     r.Offset,
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
