package kappa

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// Who writes a topic trims it, in event time and not by the broker's clock: a log that stands still, or a recording
// that is played again, loses nothing. What a flush writes is of readings that the watermark stood no further
// behind than the disorder bound; so whoever wants to answer for a retention behind the watermark needs it no more
// once the watermark has moved on by that, the retention and a window.

// A trail knows where the topics of one partition ended when the watermark stood where.
type trail struct {
	rules event.Rules
	keep  int64 // ms of event time behind the watermark; 0 is everything, and there is no trail
	marks map[string][]mark
}

// A mark says that what lies before an offset was written while the watermark stood where it says, or before.
//
// Invariant: of one topic, both ascend, the watermark by at least a window's length. So a trail is as long as
// the retention has windows.
type mark struct {
	Offset    int64           `json:"offset"`
	Watermark event.Watermark `json:"watermark"`
}

func newTrail(rules event.Rules, keep int64) *trail {
	return &trail{rules: rules, keep: keep, marks: map[string][]mark{}}
}

// note notes that what is appended to a topic from an offset on is written while the watermark stands at w.
func (t *trail) note(topic string, offset int64, w event.Watermark) {
	marks := t.marks[topic]
	if t.keep == 0 || w == event.NoWatermark {
		return
	}
	if n := len(marks); n == 0 || int64(w) >= int64(marks[n-1].Watermark)+t.rules.Window {
		t.marks[topic] = append(marks, mark{offset, w})
	}
}

// oldest returns the first mark of every topic. It is in the commit: a processor that forgot it with every restart, and is started
// again more often than once a retention, would never trim anything.
func (t *trail) oldest() map[string]mark {
	if len(t.marks) == 0 {
		return nil
	}
	first := map[string]mark{}
	for topic, marks := range t.marks {
		if len(marks) > 0 {
			first[topic] = marks[0]
		}
	}
	return first
}

// goOn begins the trail where a commit says that it began.
func (t *trail) goOn(oldest map[string]mark) {
	if t.keep == 0 {
		return
	}
	for topic, m := range oldest {
		t.marks[topic] = []mark{m}
	}
}

// passed returns, by topic, the offset before which nothing is needed under w, where that has moved.
func (t *trail) passed(w event.Watermark) map[string]int64 {
	var before map[string]int64
	for topic, marks := range t.marks {
		n := 0
		for n < len(marks) && int64(marks[n].Watermark)+t.keep+t.rules.DisorderBound+t.rules.Window <= int64(w) {
			n++
		}
		if n == 0 {
			continue
		}
		if before == nil {
			before = map[string]int64{}
		}
		before[topic] = marks[n-1].Offset
		t.marks[topic] = slices.Delete(marks, 0, n)
	}
	return before
}

// A deleter deletes what lies before the offsets of a topic's partitions. It is the log.
type deleter interface {
	DeleteRecords(ctx context.Context, topic string, before []int64) error
}

// trim deletes from the topics of a partition what is not needed under w. What fails, because the broker is away, is told, and
// made up for by the next.
func (t *trail) trim(ctx context.Context, log deleter, partition int, w event.Watermark, tell func(fact string, fields ...any)) error {
	passed := t.passed(w)
	for _, topic := range slices.Sorted(maps.Keys(passed)) {
		before := make([]int64, partition+1) // deleting before 0 deletes nothing
		before[partition] = passed[topic]
		err := log.DeleteRecords(ctx, topic, before)
		if errors.Is(err, eventlog.ErrRefused) || ctx.Err() != nil {
			return fmt.Errorf("trim %s: %w", topic, err)
		}
		if err != nil {
			tell("trim failed", "topic", topic, "partition", partition, "error", err.Error())
		}
	}
	return nil
}
