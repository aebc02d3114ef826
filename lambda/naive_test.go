package lambda

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// naive is what Lambda must answer, in the plainest way: one pass, nothing forgotten that matters,
// nothing shared with the code under test but the per-event fold and detector.
type naive struct {
	windows   map[view.WindowKey]view.Tally
	alerts    map[view.AlertKey]view.Alert
	driven    map[string][]view.Stretch // the readings of every car that count for its trips
	gap       int64
	counters  view.Counters
	late      map[int64]view.Set // by offset
	dead      []int64            // offsets
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
		driven: map[string][]view.Stretch{}, gap: cfg.Rules.TripGap,
		late: map[int64]view.Set{}, watermark: event.NoWatermark,
	}
	decoder := event.NewDecoder(schemas{})
	below, _ := logicOf(cfg.Version)
	above, _ := logicOf(cfg.Mistakes.speedVersion(cfg.Version))
	seen, seenByTrips := map[view.AlertKey]naiveReading{}, map[view.AlertKey]int64{}
	for _, r := range records {
		logic := below
		if r.Offset >= boundary {
			logic = above
		}
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
			n.late[r.Offset] |= view.Windows | view.Alerts
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
		if cfg.Views.Has(view.Trips) {
			prior, known := seenByTrips[key]
			late := r.Offset >= boundary && cfg.Rules.TripLate(e.EventTime, n.watermark)
			forgotten := r.Offset >= boundary && cfg.Rules.TripForgotten(prior, n.watermark)
			switch {
			case late:
				n.counters.DroppedLateTrips++
				n.late[r.Offset] |= view.Trips
			case !known || forgotten || cfg.Mistakes.CountRepeats:
				seenByTrips[key] = start
				if e.Speed > 0 {
					n.driven[e.CarID] = append(n.driven[e.CarID], driven(&e))
				}
			}
		}
		n.watermark = cfg.Rules.Advance(n.watermark, e.EventTime)
	}
	return n
}

// lateOffsets lists the offsets of late events.
func (n *naive) lateOffsets() []int64 { return slices.Sorted(maps.Keys(n.late)) }

// tripTable cuts the readings of every car, in the order of time, where the gap is too wide.
func (n *naive) tripTable(t testing.TB, interval int64) view.Table[view.TripKey, view.Trip] {
	rows := []view.Trip{}
	for car, readings := range n.driven {
		slices.SortFunc(readings, func(a, b view.Stretch) int { return cmp.Compare(a.Start, b.Start) })
		for i := range readings {
			if i == 0 || readings[i].Start-readings[i-1].Start > n.gap {
				rows = append(rows, view.Trip{CarID: car, Stretch: view.EmptyStretch()})
			}
			rows[len(rows)-1].Merge(&readings[i])
		}
	}
	for i := range rows {
		rows[i].Distance = view.Distance(rows[i].SpeedSum, interval)
	}
	table, err := view.NewTable(rows)
	require.NoError(t, err)
	return table
}

// requireTrips holds what is served against the naive answer, row by row.
func (n *naive) requireTrips(t testing.TB, s *Serving) {
	trips, _, kept := s.Trips(httpapi.All())
	require.True(t, kept)
	served, err := view.NewTable(trips)
	require.NoError(t, err)
	diff := view.Compare(n.tripTable(t, s.cfg.Rules.ReadingInterval), served)
	require.True(t, diff.OK(), "trips: %+v", diff)
	require.Equal(t, len(trips), s.Status().Rows.Trips)
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
