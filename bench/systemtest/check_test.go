package systemtest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"lambdakappa/bench/oracle"
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
	if !reflect.DeepEqual(want, got) {
		report("counters", "expected %s; served %s", countersText(want), countersText(got))
	}
	if !maps.Equal(truth.DeadLetters, a.deadLetters) {
		report("dead-letters", "expected %d, found %d", len(truth.DeadLetters), len(a.deadLetters))
	}
	checkLate(report, w.everLate(o.TruthB()), a.late)
	for _, p := range a.status.Partitions {
		if want := truth.Watermarks[p.Partition]; p.Watermark != want {
			report("watermark", "partition %d: expected %d, served %d", p.Partition, want, p.Watermark)
		}
	}
	return wrong, nil
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
