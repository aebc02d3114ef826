package lambda

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// naive is what Lambda must answer, in the plainest way: one pass, nothing forgotten that matters,
// nothing shared with the code under test but the per-event fold and detector.
type naive struct {
	windows   map[view.WindowKey]view.Tally
	alerts    map[view.AlertKey]view.Alert
	counters  view.Counters
	late      []int64 // offsets
	dead      []int64 // offsets
	watermark event.Watermark
}

type naiveReading struct {
	start       int64
	fingerprint uint32
}

// naiveAnswer folds one partition: everything counts below the boundary, late events are dropped
// from there on.
func naiveAnswer(t testing.TB, cfg Config, records []eventlog.Record, boundary int64) *naive {
	n := &naive{
		windows: map[view.WindowKey]view.Tally{}, alerts: map[view.AlertKey]view.Alert{},
		watermark: event.NoWatermark,
	}
	decoder := event.NewDecoder(schemas{})
	logic, _ := logicOf(cfg.Version)
	seen := map[view.AlertKey]naiveReading{}
	for _, r := range records {
		n.counters.Events++
		var e event.CarSensor
		err := decoder.Decode(r.Key, r.Value, &e)
		if err == nil {
			err = cfg.Rules.CheckSkew(e.EventTime, r.AppendTime)
		}
		if reject, ok := errors.AsType[*event.Reject](err); ok {
			n.counters.Reject(reject.Reason, 1)
			n.dead = append(n.dead, r.Offset)
			continue
		}
		require.NoError(t, err)
		start, key := cfg.Rules.WindowStart(e.EventTime), view.AlertKey{CarID: e.CarID, Seq: e.Seq}
		prior, known := seen[key]
		forgotten := known && r.Offset >= boundary && cfg.Rules.Closed(prior.start, n.watermark)
		switch {
		case r.Offset >= boundary && cfg.Rules.Late(e.EventTime, n.watermark):
			n.counters.DroppedLate++
			n.late = append(n.late, r.Offset)
		case known && cfg.Mistakes.CountRepeats:
			n.apply(view.WindowKey{CarID: e.CarID, Start: start}, key, &e, logic)
		case known && !forgotten && prior.fingerprint == event.Fingerprint(r.Value):
			n.counters.Duplicates++
		case known && !forgotten:
			n.counters.Conflicts++
		default:
			seen[key] = naiveReading{start, event.Fingerprint(r.Value)}
			n.apply(view.WindowKey{CarID: e.CarID, Start: start}, key, &e, logic)
		}
		n.watermark = cfg.Rules.Advance(n.watermark, e.EventTime)
	}
	return n
}

func (n *naive) apply(w view.WindowKey, a view.AlertKey, e *event.CarSensor, logic logic) {
	tally, ok := n.windows[w]
	if !ok {
		tally = view.EmptyTally()
	}
	logic.fold(&tally, e)
	if rule, score := logic.detect(e); rule != view.NoRule {
		tally.Anomalies++
		n.alerts[a] = view.Alert{AlertKey: a, EventTime: e.EventTime, Rule: rule, Score: score}
	}
	n.windows[w] = tally
}

func (n *naive) windowTable(t testing.TB) view.Table[view.WindowKey, view.Window] {
	rows := []view.Window{}
	for key, tally := range n.windows {
		rows = append(rows, view.Window{WindowKey: key, Tally: tally})
	}
	table, err := view.NewTable(rows)
	require.NoError(t, err)
	return table
}

func (n *naive) alertTable(t testing.TB) view.Table[view.AlertKey, view.Alert] {
	rows := []view.Alert{}
	for _, a := range n.alerts {
		rows = append(rows, a)
	}
	table, err := view.NewTable(rows)
	require.NoError(t, err)
	return table
}

// requireAnswer holds what is served against the naive answer, row by row.
func (n *naive) requireAnswer(t testing.TB, windows []view.Window, alerts []view.Alert) {
	w, err := view.NewTable(slices.Clone(windows))
	require.NoError(t, err)
	a, err := view.NewTable(slices.Clone(alerts))
	require.NoError(t, err)
	diff := view.Compare(n.windowTable(t), w)
	require.True(t, diff.OK(), "windows: %+v", diff)
	diff = view.Compare(n.alertTable(t), a)
	require.True(t, diff.OK(), "alerts: %+v", diff)
}
