package kappa

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"lambdakappa/internal/eventlog"
)

// The control topic is the one place that decides which view is live: a version with what it answers, see
// [Config.ViewName]. It is compacted: two keys, each with a view's name as its value.
//
//	live       the view that serving answers from. Written by serving at the cut-over; before
//	           anything was ever live, by the first serving that starts.
//	candidate  the view that a replay is building beside it. Written by the replay.
//
// Whoever restarts reads the topic and knows where it stands.
const (
	liveKey      = "live"
	candidateKey = "candidate"
)

// named is the value of a key of the control topic.
type named struct {
	View     string `json:"version"`            // the key is older than views that are named by more than their version
	Replaces string `json:"replaces,omitempty"` // live only: the view that was live before
}

// standing is what the control topic says; "" where it says nothing.
type standing struct {
	live      string
	replaces  string
	candidate string
	announced int64 // offset of the control record that says so: it tells two lives of a candidate apart
}

// retires reports whether the processor of a view has no more work to do.
func (s standing) retires(view string) bool {
	return s.live != "" && s.live != view && s.candidate != view
}

// apply takes one record of the control topic into the standing.
func (s *standing) apply(r *eventlog.Record) error {
	var value named
	if len(r.Value) > 0 {
		if err := json.Unmarshal(r.Value, &value); err != nil {
			return fmt.Errorf("control record %d: %w", r.Offset, err)
		}
	}
	switch string(r.Key) {
	case liveKey:
		s.live, s.replaces = value.View, value.Replaces
	case candidateKey:
		s.candidate, s.announced = value.View, r.Offset
	}
	return nil
}

// announce makes a view the candidate, in the place of any other; "" is none.
func announce(ctx context.Context, log *eventlog.Log, view string) error {
	return writeControl(ctx, log, candidateKey, named{View: view})
}

// goLive makes a view the live one. If it was the candidate, it stays named as such, which
// means nothing any more: one record cannot be torn by a crash, two could.
func goLive(ctx context.Context, log *eventlog.Log, view, replaces string) error {
	return writeControl(ctx, log, liveKey, named{view, replaces})
}

func writeControl(ctx context.Context, log *eventlog.Log, key string, value named) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode control record: %w", err)
	}
	record := eventlog.Record{Key: []byte(key), Value: text}
	if _, err := log.Append(ctx, ControlTopic, 0, []eventlog.Record{record}); err != nil {
		return fmt.Errorf("write %s view: %w", key, err)
	}
	return nil
}

// readControl returns what the control topic says now.
func readControl(ctx context.Context, log *eventlog.Log) (standing, error) {
	var last standing
	err := followControl(ctx, log, func(s standing, atEnd bool) (bool, error) {
		last = s
		return atEnd, nil
	})
	return last, err
}

// watchControl calls changed with what the control topic says, and again after every change,
// until ctx ends; then it returns nil.
func watchControl(ctx context.Context, log *eventlog.Log, changed func(standing) error) error {
	first, last := true, standing{}
	err := followControl(ctx, log, func(s standing, atEnd bool) (bool, error) {
		if !atEnd || (!first && s == last) {
			return false, nil
		}
		first, last = false, s
		return false, changed(s)
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// followControl reads the control topic from its start and calls visit after every read, with
// whether it was at the end, until visit says that it is done.
func followControl(
	ctx context.Context, log *eventlog.Log, visit func(s standing, atEnd bool) (done bool, err error),
) (err error) {
	reader, err := log.CompactedReader(ctx, ControlTopic, 0, 0)
	if err != nil {
		return fmt.Errorf("read control topic: %w", err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	var s standing
	// What is there is read without waiting; an empty topic is no reason to wait either.
	for wait := time.Millisecond; ; wait = idleWait {
		batch, err := reader.Read(ctx, wait)
		if err != nil {
			return fmt.Errorf("read control topic: %w", err)
		}
		for i := range batch.Records {
			if err := s.apply(&batch.Records[i]); err != nil {
				return err
			}
		}
		if done, err := visit(s, batch.Next >= batch.End); done || err != nil {
			return err
		}
	}
}
