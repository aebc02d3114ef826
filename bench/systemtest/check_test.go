package systemtest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"lambdakappa/bench/oracle"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// check holds an answer against the truth and says what is wrong, most telling first. Nothing is
// wrong when it returns nothing.
func (w *world) check(s *side, a *answer) ([]string, error) {
	o, err := w.oracle()
	if err != nil {
		return nil, err
	}
	truth := s.owes(o, a.boundary())
	var wrong []string
	report := func(what, format string, args ...any) {
		wrong = append(wrong, s.name()+" "+what+": "+fmt.Sprintf(format, args...))
	}
	if a.stamp.Version != w.version || a.status.Version != w.version {
		report("version", "rows %s, status %s, deployed %s", a.stamp.Version, a.status.Version, w.version)
	}
	if !settled(a.status, w.ends) {
		report("position", "not at the end of the log")
	}
	w.keepOnly(&truth)
	checkTable(report, "windows", truth.Windows, a.windows)
	checkTable(report, "alerts", truth.Alerts, a.alerts)
	checkTable(report, "trips", truth.Trips, a.trips)
	if a.status.Views != w.views {
		report("views", "expected %s, served %s", w.views, a.status.Views)
	}
	rows := a.status.Rows
	if rows.Windows != len(a.windows) || rows.Alerts != len(a.alerts) || rows.Trips != len(a.trips) {
		report("rows", "status says %d, %d and %d", rows.Windows, rows.Alerts, rows.Trips)
	}
	want, got := truth.Counters.Clone(), a.status.Counters.Clone()
	if w.keep > 0 { // the first copy may be in a file that is gone, and then nobody knows a conflict for one
		want.Duplicates, want.Conflicts = want.Duplicates+want.Conflicts, 0
		got.Duplicates, got.Conflicts = got.Duplicates+got.Conflicts, 0
	}
	if !reflect.DeepEqual(want, got) {
		report("counters", "expected %s; served %s", countersText(want), countersText(got))
	}
	everLate := w.everLate(o.TruthB())
	if w.keep > 0 { // side topics may have forgotten some
		maps.DeleteFunc(truth.DeadLetters, func(at oracle.Position, _ event.Reason) bool { return a.deadLetters[at] == "" })
		maps.DeleteFunc(everLate, func(at oracle.Position, _ view.Set) bool { return a.late[at] == 0 })
	}
	if !maps.Equal(truth.DeadLetters, a.deadLetters) {
		report("dead-letters", "expected %d, found %d", len(truth.DeadLetters), len(a.deadLetters))
	}
	checkLate(report, everLate, a.late)
	if from := slices.Max(w.keptFrom(truth.Watermarks)); a.status.KeptFrom != from {
		report("kept from", "expected %s, served %s", clockOf(from), clockOf(a.status.KeptFrom))
	}
	for _, p := range a.status.Partitions {
		if want := truth.Watermarks[p.Partition]; p.Watermark != want {
			report("watermark", "partition %d: expected %d, served %d", p.Partition, want, p.Watermark)
		}
	}
	return wrong, nil
}

// keptFrom is the event time from which on each partition is to be answered.
func (w *world) keptFrom(watermarks []int64) []int64 {
	from := make([]int64, len(watermarks))
	for p, at := range watermarks {
		from[p] = w.rules.KeptFrom(event.Watermark(at), w.keep)
	}
	return from
}

// keepOnly leaves of the truth what is to be answered.
func (w *world) keepOnly(truth *oracle.Answer) {
	from := w.keptFrom(truth.Watermarks)
	of := func(car string) int64 { return from[eventlog.PartitionOf([]byte(car), len(from))] }
	truth.Windows = slices.DeleteFunc(truth.Windows, func(r view.Window) bool { return r.Start < of(r.CarID) })
	truth.Alerts = slices.DeleteFunc(truth.Alerts, func(r view.Alert) bool { return r.EventTime < of(r.CarID) })
	truth.Trips = slices.DeleteFunc(truth.Trips, func(r view.Trip) bool { return r.End < of(r.CarID) })
}

func checkTable[K view.Key[K], R view.Row[K]](
	report func(what, format string, args ...any), what string, truth, answer view.Table[K, R],
) {
	d := view.Compare(truth, answer)
	if !d.OK() {
		report(what, "%d of %d exact, %d missing, %d unexpected, %d different",
			d.Exact, d.Expected, d.Missing, d.Unexpected, d.Different)
	}
}

// everLate are the events that were late in log order, and for which views. A view that was added
// later is left out: Lambda's batch layer brings it, and that calls nothing late.
func (w *world) everLate(truthB oracle.Answer) map[oracle.Position]view.Set {
	late := map[oracle.Position]view.Set{}
	for at := range truthB.Late {
		late[at] |= view.Windows | view.Alerts
	}
	if w.sinceStart.Has(view.Trips) {
		for at := range truthB.LateTrips {
			late[at] |= view.Trips
		}
	}
	return late
}

// checkLate: every event that was late in log order is on the late topic, with the views that it was
// late for, and no other. That is so on both sides: what the batch layer repairs later, the speed
// layer has dropped before.
func checkLate(report func(what, format string, args ...any), everLate, found map[oracle.Position]view.Set) {
	for _, at := range positions(everLate) {
		if found[at] == 0 {
			report("late", "%s is missing", place(at))
		} else if found[at] != everLate[at] {
			report("late", "%s is there for %s, not %s", place(at), found[at], everLate[at])
		}
	}
	for _, at := range positions(found) {
		if everLate[at] == 0 {
			report("late", "%s was in time", place(at))
		}
	}
}

// positions returns the keys of a side topic in order.
func positions[V any](m map[oracle.Position]V) []oracle.Position {
	return slices.SortedFunc(maps.Keys(m), func(a, b oracle.Position) int {
		if a.Partition != b.Partition {
			return a.Partition - b.Partition
		}
		return int(a.Offset - b.Offset)
	})
}

func place(at oracle.Position) string { return fmt.Sprintf("%d/%d", at.Partition, at.Offset) }
