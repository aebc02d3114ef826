package bench

import (
	"context"
	"crypto/sha256"
	"fmt"

	"lambdakappa/bench/oracle"
	"lambdakappa/bench/result"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// ordered is all that an arm has answered about a log, and what the order of that log made late.
type ordered struct {
	windows view.Table[view.WindowKey, view.Window]
	alerts  view.Table[view.AlertKey, view.Alert]
	late    map[view.WindowKey]int64 // readings that were dropped late; none when the arm drops none
	hash    string                   // of all rows
}

func newOrdered(got answer) (*ordered, error) {
	o := &ordered{}
	var err error
	if o.windows, err = view.NewTable[view.WindowKey](got.windows); err != nil {
		return nil, fmt.Errorf("windows: %w", err)
	}
	if o.alerts, err = view.NewTable[view.AlertKey](got.alerts); err != nil {
		return nil, fmt.Errorf("alerts: %w", err)
	}
	o.hash = hashOf(o.windows, o.alerts)
	return o, nil
}

// hashOf is the hash of all rows, in the order of their keys, field by field.
func hashOf(
	windows view.Table[view.WindowKey, view.Window], alerts view.Table[view.AlertKey, view.Alert],
) string {
	h := sha256.New()
	for i := range windows {
		fmt.Fprintf(h, "%+v\n", windows[i])
	}
	for i := range alerts {
		fmt.Fprintf(h, "%+v\n", alerts[i])
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// compareOrders files what differs between the live answers of an arm and those of a phase.
func (x *execution) compareOrders(arm, phase string, live, got *ordered) {
	r := x.side(arm)
	differ := unlike(live.windows, got.windows) + unlike(live.alerts, got.alerts)
	r.Figures = append(r.Figures,
		result.Figure{Name: figureUnlikeLive, Unit: "rows", Value: float64(differ)},
		result.Figure{Name: figureLate, Unit: "events", Value: float64(got.dropped())})
	r.Notes = append(r.Notes, "hash of all answers: "+got.hash)
	if phase != phaseRepartitioned {
		x.checkAnswer(arm, "hash of all answers", got.hash == live.hash, "%s, live %s", got.hash, live.hash)
		return
	}
	unexplained := unexplained(live, got)
	x.checkAnswer(arm, "late drops explain what differs", len(unexplained) == 0,
		"%d rows differ, %d events were dropped late and %d live; not explained: %d windows%s",
		differ, got.dropped(), live.dropped(), len(unexplained), listed("", unexplained))
}

// dropped is how many readings were late.
func (o *ordered) dropped() int64 {
	var sum int64
	for _, n := range o.late {
		sum += n
	}
	return sum
}

// unlike counts the rows that are not the same, or only on one side.
func unlike[K view.Key[K], R view.Row[K]](a, b view.Table[K, R]) int {
	d := view.Compare(a, b)
	return d.Missing + d.Unexpected + d.Different
}

// unexplained lists the windows whose difference late drops do not account for. The readings of a window
// that count and those that were late are together those that were sent, whatever the order, so they must
// sum up to the same; and where none was late, in either order, the rows must be the same.
func unexplained(live, got *ordered) []string {
	sent := map[view.WindowKey]int64{}
	rows := map[view.WindowKey]view.Window{}
	for i := range live.windows {
		sent[live.windows[i].Key()] += live.windows[i].Readings
		rows[live.windows[i].Key()] = live.windows[i]
	}
	for key, n := range live.late {
		sent[key] += n
	}
	var wrong []string
	for i := range got.windows {
		key := got.windows[i].Key()
		sent[key] -= got.windows[i].Readings
		if rows[key] != got.windows[i] && live.late[key]+got.late[key] == 0 {
			wrong = append(wrong, fmt.Sprintf("%s %d", key.CarID, key.Start))
		}
	}
	for key, n := range got.late {
		sent[key] -= n
	}
	for key, n := range sent {
		if n != 0 {
			wrong = append(wrong, fmt.Sprintf("%s %d", key.CarID, key.Start))
		}
	}
	return wrong
}

// lateReadings are the readings that truth B drops in the order of the log, by window.
func (x *execution) lateReadings(ctx context.Context, end []int64) (map[view.WindowKey]int64, error) {
	late := x.truth.at(make([]int64, len(end))).Late
	found := map[view.WindowKey]int64{}
	for p := range end {
		err := x.decodeAll(ctx, p, end[p], func(r *eventlog.Record, e *event.CarSensor) {
			if late[oracle.Position{Partition: p, Offset: r.Offset}] {
				found[view.WindowKey{CarID: e.CarID, Start: x.scenario.rules.WindowStart(e.EventTime)}]++
			}
		})
		if err != nil {
			return nil, fmt.Errorf("look up late events: %w", err)
		}
	}
	return found, nil
}
