package report

import (
	"fmt"
	"slices"
	"strings"

	"lambdakappa/bench/result"
	"lambdakappa/view"
)

const lostRow = "readings lost"

// countTable says how many rows were held against the truth, and how many of them were wrong, lost or late: what every
// figure stands on. Runs with a mistake made on purpose are apart.
func countTable(s *result.Summary) table {
	t := table{Head: []string{"", "Lambda", "Kappa"}}
	sides := []*tally{tallyOf(s, "lambda"), tallyOf(s, "kappa")}
	add := func(name string, of func(*tally) int, isBad bool) {
		row := []cell{text(name)}
		for _, side := range sides {
			c := text(figure(float64(of(side))))
			switch {
			case side.runs == 0, name == lostRow && side.counting == 0:
				c = cell{Text: missing, Tone: absent}
			case isBad && of(side) > 0:
				c.Tone = wrong
			case isBad:
				c.Tone = right
			}
			row = append(row, c)
		}
		t.Rows = append(t.Rows, row)
	}
	add("runs", func(x *tally) int { return x.runs }, false)
	add("rows held against the truth", func(x *tally) int { return x.rows }, false)
	add("of them wrong, missing or too many", func(x *tally) int { return x.wrong }, true)
	add("runs that count lost readings", func(x *tally) int { return x.counting }, false)
	add(lostRow, func(x *tally) int { return x.lost }, true)
	add("readings that came too late to count, and are on the late topic", func(x *tally) int { return x.late }, false)
	return t
}

// caught says of the arms with a mistake made on purpose that it showed: a check that cannot fail says nothing.
func caught(s *result.Summary) []string {
	made, shown := 0, 0
	for i := range s.Runs {
		r := &s.Runs[i]
		if r.Mistake == "" || r.Void != "" {
			continue
		}
		made++
		if slices.ContainsFunc(r.Checks, func(c result.Check) bool { return c.Name == result.MistakeShows && c.OK }) {
			shown++
		}
	}
	if made == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s made a mistake on purpose, such as adding up two views that overlap: it was found in %d of them.",
		runs(made), shown)}
}

// A tally adds up the runs of one architecture, whatever its arm.
type tally struct{ runs, rows, wrong, counting, lost, late int }

func tallyOf(s *result.Summary, architecture string) *tally {
	t := &tally{}
	for i := range s.Runs {
		r := &s.Runs[i]
		if r.Mistake == "" && r.Void == "" && r.Unmeasurable == "" && (r.Arm == architecture || strings.HasPrefix(r.Arm, architecture+"-")) {
			t.add(r)
		}
	}
	return t
}

// What is left at the end of a run. In between, Lambda's batch layer has not come to everything yet.
var (
	lostFigures = []string{"readings lost", "readings lost, at the end", "readings lost, after the covering batch"}
	lateFigures = []string{"events dropped late", "events dropped late, at the end", "events dropped late, after the covering batch"}
)

func (t *tally) add(r *result.Run) {
	t.runs++
	for _, d := range []view.Diff{r.Correctness.Windows, r.Correctness.Alerts, r.Correctness.Trips} {
		t.rows += d.Expected
		t.wrong += d.Missing + d.Unexpected + d.Different
	}
	counting := false
	for _, f := range r.Figures {
		switch {
		case slices.Contains(lostFigures, f.Name):
			counting = true
			t.lost += int(f.Value)
		case slices.Contains(lateFigures, f.Name):
			t.late += int(f.Value)
		}
	}
	if counting {
		t.counting++
	}
}
