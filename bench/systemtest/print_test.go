package systemtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lambdakappa/bench/oracle"
	"lambdakappa/event"
	"lambdakappa/view"
)

// printers write one part of an answer as a transcript shows it. They show what a reader can check
// in his head; the oracle checks every field.
var printers = map[string]func(*answer) string{
	"windows": func(a *answer) string { return rowsText(a.windows, windowText) },
	"alerts":  func(a *answer) string { return rowsText(a.alerts, alertText) },
	"trips":   func(a *answer) string { return rowsText(a.trips, tripText) },
	"counters": func(a *answer) string {
		return countersText(a.status.Counters) + "\n"
	},
	"late": func(a *answer) string {
		return rowsText(positions(a.late), func(at oracle.Position) string {
			if views := a.late[at]; views != view.Windows|view.Alerts {
				return place(at) + " " + views.String()
			}
			return place(at)
		})
	},
	"kept-from": func(a *answer) string {
		if a.status.KeptFrom == 0 {
			return "everything\n"
		}
		return clockOf(a.status.KeptFrom) + "\n"
	},
	"dead-letters": func(a *answer) string {
		var b strings.Builder
		for _, at := range positions(a.deadLetters) {
			fmt.Fprintf(&b, "%s %s\n", place(at), a.deadLetters[at])
		}
		return orNone(b.String())
	},
}

func rowsText[R any](rows []R, text func(R) string) string {
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(text(row) + "\n")
	}
	return orNone(b.String())
}

func orNone(text string) string {
	if text == "" {
		return "none\n"
	}
	return text
}

func windowText(w view.Window) string {
	text := fmt.Sprintf("%s %s readings=%d last_seq=%d speed=%.4g/%.4g anomalies=%d",
		w.CarID, clockOf(w.Start), w.Readings, w.LastSeq, w.SpeedMean(), w.SpeedMax, w.Anomalies)
	if w.IntakeAirFlowMax != 0 { //bench:change metric print
		text += fmt.Sprintf(" air=%.4g", w.IntakeAirFlowMax)
	}
	if w.AmbientTempMax != 0 { //bench:change field
		text += fmt.Sprintf(" outside=%.4g", w.AmbientTempMax)
	}
	return text
}

func tripText(t view.Trip) string {
	return fmt.Sprintf("%s %s-%s readings=%d distance=%g harsh_brakes=%d",
		t.CarID, clockOf(t.Start), clockOf(t.End), t.Readings, t.Distance, t.HarshBrakes)
}

func alertText(a view.Alert) string {
	return fmt.Sprintf("%s/%d %s %s %.4g", a.CarID, a.Seq, clockOf(a.EventTime), a.Rule, a.Score)
}

func seqText(seq int64) string { return strconv.FormatInt(seq, 10) }

func countersText(c view.Counters) string {
	var b strings.Builder
	fmt.Fprintf(&b, "events=%d late=%d duplicates=%d conflicts=%d",
		c.Events, c.DroppedLate, c.Duplicates, c.Conflicts)
	if c.DroppedLateTrips > 0 {
		fmt.Fprintf(&b, " late_for_trips=%d", c.DroppedLateTrips)
	}
	for _, reason := range event.Reasons {
		if n := c.DeadLetters[reason]; n > 0 {
			fmt.Fprintf(&b, " %s=%d", reason, n)
		}
	}
	return b.String()
}

// sideBySide prints what both sides said: once when it is the same. A difference needs a reason
// and a reason needs a difference.
func sideBySide(reason string, names, texts []string) (string, error) {
	same := !slices.ContainsFunc(texts, func(text string) bool { return text != texts[0] })
	var b strings.Builder
	for i, name := range names {
		fmt.Fprintf(&b, "%s:\n%s", name, indent(texts[i]))
	}
	switch {
	case same && reason == "":
		return texts[0], nil
	case same:
		return "", fmt.Errorf("both answer the same, but differ=(%s) says why they should not", reason)
	case reason == "":
		return "", fmt.Errorf("the sides differ without a reason:\n%s", b.String())
	}
	return b.String(), nil
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
}
