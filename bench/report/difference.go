package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"lambdakappa/bench/ledger"
	"lambdakappa/bench/result"
)

// A change is what two runs of the benchmark say about one figure of one arm.
type change struct {
	Scenario, Arm, Figure, Unit string
	Before, After               []float64
	Shift                       ledger.Shift // when Outcome says that there is one
	Outcome                     outcome
}

// An outcome is what may be said about a change.
type outcome int

const (
	equal     outcome = iota // every run has the same value: what is counted
	small                    // the middle is inside the margin, and the interval as well or beside "no change"
	unseen                   // the interval holds "no change", and is wider than the margin
	higher                   // the whole interval is above "no change", and the middle beyond the margin
	lower                    // and below
	uncertain                // too few runs for an interval
)

// differs reports whether the two runs are known to differ in it.
func (o outcome) differs() bool { return o == higher || o == lower }

// Differences prints what changed from one run of the benchmark to another one: answers, verdicts and
// figures, each figure with its interval; every figure with all.
func Differences(w io.Writer, before, after *result.Summary, all bool) {
	for i, s := range []*result.Summary{before, after} {
		fmt.Fprintf(w, "%-7s %s\n", []string{"before", "after"}[i], plainText(facts(s)))
	}
	printTable(w, "not alike", unlike(before, after))
	printTable(w, "answers", changedAnswers(before, after))
	printTable(w, "verdicts", changedVerdicts(before, after))
	changes := changesOf(before, after)
	printTable(w, "figures", figureChanges(changes, all))
	fmt.Fprintln(w)
	for _, line := range counted(changes, onlyIn(before, after)) {
		fmt.Fprintln(w, line)
	}
}

func printTable(w io.Writer, title string, t table) {
	if len(t.Rows) > 0 {
		fmt.Fprintf(w, "\n%s\n", title)
		t.terminal(w)
	}
}

// unlike lists what two runs should have equal and have not: then figures may differ for that reason.
func unlike(before, after *result.Summary) table {
	t := table{Head: []string{"setting", "before", "after"}}
	a, b := reproduceTable(before), reproduceTable(after)
	for i, row := range a.Rows {
		switch name := row[0].Text; {
		case name == "started" || name == "seed":
		case row[1].Text != b.Rows[i][1].Text:
			t.Rows = append(t.Rows, []cell{row[0], row[1], b.Rows[i][1]})
		}
	}
	return t
}

// groupsOf returns all groups of a run by scenario and label, and their names in order.
func groupsOf(s *result.Summary) (names [][2]string, byName map[[2]string]*group) {
	byName = map[[2]string]*group{}
	for _, scenario := range scenarioNames(s) {
		for _, g := range groups(s, scenario) {
			name := [2]string{scenario, g.Label}
			names, byName[name] = append(names, name), g
		}
	}
	return names, byName
}

// changedAnswers lists the arms whose answers are right in one run alone.
func changedAnswers(before, after *result.Summary) table {
	t := table{Head: []string{"scenario", "arm", "before", "after"}}
	names, was := groupsOf(before)
	_, is := groupsOf(after)
	for _, name := range names {
		a, b := was[name], is[name]
		if b != nil && a.worst() != b.worst() {
			t.Rows = append(t.Rows, []cell{text(name[0]), text(name[1]), a.answers(), b.answers()})
		}
	}
	return t
}

// changedVerdicts lists the claims about which the two runs say something else.
func changedVerdicts(before, after *result.Summary) table {
	t := table{Head: []string{"claim", "before", "after"}}
	for i := range before.Scenarios {
		was := &before.Scenarios[i]
		at := slices.IndexFunc(after.Scenarios, func(q result.Scenario) bool { return q.Name == was.Name })
		if at < 0 || was.Claim == "" {
			continue
		}
		is := &after.Scenarios[at]
		silent := verdictOn(was).Tone == absent || verdictOn(is).Tone == absent
		if !silent && was.Verdict != is.Verdict {
			t.Rows = append(t.Rows, []cell{text(was.Name + ": " + was.Claim), verdictOn(was), verdictOn(is)})
		}
	}
	return t
}

// changesOf holds every figure that both runs have of right answers against each other.
func changesOf(before, after *result.Summary) []change {
	var all []change
	names, was := groupsOf(before)
	_, is := groupsOf(after)
	for _, name := range names {
		a, b := was[name], is[name]
		if b == nil || a.isStruckOut() || b.isStruckOut() {
			continue
		}
		for _, m := range ledger.Metrics(append(slices.Clone(a.Runs), b.Runs...)) {
			all = appendChange(all, change{
				Scenario: name[0], Arm: name[1], Figure: m.Name, Unit: m.Unit,
				Before: metric{m}.values(a), After: metric{m}.values(b),
			})
		}
	}
	for _, side := range slices.Sorted(maps.Keys(before.CodeSize)) {
		if _, ok := after.CodeSize[side]; ok {
			all = appendChange(all, change{
				Scenario: "code", Arm: side, Figure: "statements",
				Before: []float64{float64(before.CodeSize[side].Statements)},
				After:  []float64{float64(after.CodeSize[side].Statements)},
			})
		}
	}
	return all
}

// appendChange adds a change with what may be said about it; one that a run has no figure for is none.
func appendChange(all []change, c change) []change {
	if len(c.Before) == 0 || len(c.After) == 0 {
		return all
	}
	c.judge()
	return append(all, c)
}

func (c *change) judge() {
	values := append(slices.Clone(c.Before), c.After...)
	least, most := slices.Min(values), slices.Max(values)
	if least == most {
		c.Outcome = equal
		return
	}
	if c.Scenario == "code" { // it is counted, and has no noise
		c.Outcome = higher
		if c.After[0] < c.Before[0] {
			c.Outcome = lower
		}
		c.Shift = ledger.Shift{Value: c.After[0] / c.Before[0], IsFactor: true}
		c.Shift.Low, c.Shift.High = c.Shift.Value, c.Shift.Value
		return
	}
	shift, ok := ledger.ShiftOf(c.Before, c.After)
	if !ok {
		c.Outcome = uncertain
		return
	}
	c.Shift, c.Outcome = shift, outcomeOf(shift, ledger.Median(c.Before))
}

// outcomeOf: the margin is a share of what a figure is, whether the shift is a factor or a difference.
func outcomeOf(s ledger.Shift, before float64) outcome {
	none, band := 0.0, margin*max(before, -before)
	if s.IsFactor {
		none, band = 1, margin
	}
	switch {
	case s.Low <= none && s.High >= none && (s.Low < none-band || s.High > none+band):
		return unseen
	case s.Value > none+band:
		return higher
	case s.Value < none-band:
		return lower
	default:
		return small
	}
}

// said puts the outcome into words, with the interval.
func (c *change) said() string {
	switch c.Outcome {
	case equal:
		return "no difference: the same"
	case uncertain:
		return fmt.Sprintf("undecided: %d and %s, an interval takes %d of each",
			len(c.Before), runs(len(c.After)), ledger.LeastToShift)
	case small:
		return "no difference " + c.interval()
	case unseen:
		return "no difference seen " + c.interval()
	case higher:
		return "HIGHER " + c.interval()
	default:
		return "LOWER " + c.interval()
	}
}

func (c *change) interval() string {
	if !c.Shift.IsFactor {
		return fmt.Sprintf("by %s (%s to %s)", inUnit(c.Shift.Value, c.Unit), figure(c.Shift.Low), figure(c.Shift.High))
	}
	if c.Shift.Low == c.Shift.High {
		return fmt.Sprintf("x %.2f", c.Shift.Value)
	}
	return fmt.Sprintf("x %.2f (%.2f to %.2f)", c.Shift.Value, c.Shift.Low, c.Shift.High)
}

// figureChanges lists what differs, or everything.
func figureChanges(changes []change, all bool) table {
	t := table{Head: []string{"scenario", "arm", "figure", "before", "after", "says"}}
	for i := range changes {
		c := &changes[i]
		if all || c.Outcome.differs() {
			t.Rows = append(t.Rows, []cell{
				text(c.Scenario), text(c.Arm), text(c.Figure),
				text(inUnit(ledger.Median(c.Before), c.Unit)), text(inUnit(ledger.Median(c.After), c.Unit)), text(c.said()),
			})
		}
	}
	return t
}

// onlyIn names the groups of runs that one of the two has alone.
func onlyIn(before, after *result.Summary) []string {
	var lines []string
	a, was := groupsOf(before)
	b, is := groupsOf(after)
	alone := func(which string, names [][2]string, other map[[2]string]*group) {
		var found []string
		for _, name := range names {
			if other[name] == nil {
				found = append(found, name[0]+" "+name[1])
			}
		}
		if len(found) > 0 {
			lines = append(lines, plainText("only "+which+": "+strings.Join(firstFew(found, 8), ", ")))
		}
	}
	alone("before", a, is)
	alone("after", b, was)
	return lines
}

// counted says how many figures differ, how many do not, how many nothing can be said of, and what that is worth.
func counted(changes []change, only []string) []string {
	n := map[outcome]int{}
	for i := range changes {
		n[changes[i].Outcome]++
	}
	number := func(n int) string { return humanize.Comma(int64(n)) }
	different := n[higher] + n[lower]
	told := len(changes) - n[uncertain]
	lines := []string{
		number(len(changes)) + " figures in both runs",
		"  " + number(different) + " differ",
		fmt.Sprintf("  %s no difference: %s have one value in every run, %s are alike within %.0f %%, %s were not seen to differ and vary too much "+
			"to be called alike (their intervals say what may hide there)",
			number(told-different), number(n[equal]), number(n[small]), 100*margin, number(n[unseen])),
		fmt.Sprintf("  %s undecided: less than %d runs of each, which have no interval", number(n[uncertain]), ledger.LeastToShift),
	}
	if told > 0 {
		lines = append(lines, fmt.Sprintf("of the %s that can be told, %s %% show no difference", number(told),
			figure(100*float64(told-different)/float64(told))))
	}
	if n[uncertain] > 0 {
		lines = append(lines, "to decide more: bench --repetitions 6, or --profile full, for both")
	}
	if different > 0 {
		lines = append(lines, "An interval misses the truth in one of twenty figures, and a machine is not the same at two times: "+
			"hold what one figure says against its neighbours.")
	}
	return append(lines, only...)
}
