package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"lambdakappa/bench/ledger"
	"lambdakappa/bench/result"
)

// Terminal prints the summary at the end of a run: is it right, the figures, code size and
// budgets. The caller prints the path of the report, which only it knows.
func Terminal(w io.Writer, s *result.Summary) {
	for _, b := range append(alarms(s), brokerBanner(s)) {
		fmt.Fprintf(w, "! %s\n", plainText(b.Text))
	}
	terminalAnswers(w, s)
	for _, name := range scenarioNames(s) {
		gs := groups(s, name)
		if t := figureTable(scenarioOf(s, name).Figures, gs); len(t.Rows) > 0 {
			fmt.Fprintf(w, "\n%s\n", plainText(name))
			t.terminal(w)
		}
	}
	if len(s.CodeSize) > 0 {
		t := codeTable(s.CodeSize)
		fmt.Fprintln(w, "\ncode")
		t.terminal(w)
		if t := changeTable(s.CodeSize); len(t.Rows) > 0 {
			fmt.Fprintln(w, "\nwhat a change costs")
			t.terminal(w)
		}
	}
	terminalLedger(w, s)
	for _, sec := range []section{limitsSection(s), budgetSection(s)} {
		t := sec.Tables[0]
		t.Rows = slices.DeleteFunc(t.Rows, func(row []cell) bool {
			return slices.ContainsFunc(row, func(c cell) bool { return c.Tone == absent })
		})
		if len(t.Rows) > 0 {
			fmt.Fprintf(w, "\n%s\n", sec.Title)
			t.terminal(w)
		}
	}
	if s.Interrupted {
		fmt.Fprintf(w, "\ninterrupted; to go on with it: %s --resume ITS-FOLDER\n", plainText(s.Command))
	}
	fmt.Fprintf(w, "\nreproduce: %s   (seed %d, revision %s)\n",
		plainText(s.Command), s.Seed, plainText(s.Revision))
}

// terminalLedger prints the claims that this run says something about, and how many it does not.
func terminalLedger(w io.Writer, s *result.Summary) {
	t := table{Head: []string{"claim", "verdict here", "reference run"}}
	var unwritten []string // claims whose scenario nobody wrote yet
	silent := 0
	for i := range s.Scenarios {
		q := &s.Scenarios[i]
		switch {
		case q.Claim == "":
		case q.Verdict == ledger.NotRunYet && q.Reference == nil:
			unwritten = append(unwritten, q.Name)
		case verdictOn(q).Tone == absent && q.Reference == nil:
			silent++
		default:
			t.Rows = append(t.Rows, []cell{text(q.Name + ": " + q.Claim), verdictOn(q), referenceOf(q)})
		}
	}
	if len(t.Rows) == 0 {
		return
	}
	fmt.Fprintln(w, "\nledger")
	t.terminal(w)
	if len(unwritten) > 0 {
		fmt.Fprintf(w, "  %s: %s\n", strings.Join(unwritten, ", "), ledger.NotRunYet)
	}
	if silent > 0 {
		fmt.Fprintf(w, "  %d more claims are not in this run: bench --all\n", silent)
	}
}

// terminalAnswers has one line per group of runs, and below it what went wrong.
func terminalAnswers(w io.Writer, s *result.Summary) {
	t := table{Head: []string{"scenario", "arm", "answers", "windows exact", "alerts exact", "trips exact", "checks passed"}}
	var notes []string
	for _, name := range scenarioNames(s) {
		for _, g := range groups(s, name) {
			windows, alerts, trips, checks := g.compared()
			t.Rows = append(t.Rows, []cell{
				text(name), text(g.Label), g.answers(),
				diffCell(windows), diffCell(alerts), diffCell(trips), checksCell(checks),
			})
			if g.isStruckOut() {
				notes = append(notes, runNotes([]*group{g})...)
			}
		}
	}
	switch {
	case len(t.Rows) > 0:
		t.terminal(w)
	case len(s.CodeSize) == 0:
		fmt.Fprintln(w, "no scenario ran")
	}
	for _, note := range firstFew(notes, 8) {
		fmt.Fprintf(w, "  %s\n", plainText(note))
	}
}

func firstFew(lines []string, n int) []string {
	if len(lines) <= n {
		return lines
	}
	return append(lines[:n:n], fmt.Sprintf("and %d more, see the report", len(lines)-n))
}

// terminal aligns the columns; the header of a table is its own first line.
func (t *table) terminal(w io.Writer) {
	lines := [][]string{t.Head}
	for _, row := range t.Rows {
		var line []string
		for _, c := range row {
			line = append(line, c.terminal())
		}
		lines = append(lines, line)
	}
	widths := make([]int, len(t.Head))
	for _, line := range lines {
		for i, field := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(field))
		}
	}
	for _, line := range lines {
		var b strings.Builder
		for i, field := range line {
			b.WriteString("  " + field + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(field)))
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}

func (c cell) terminal() string {
	if c.Tone == struck {
		return "VOID " + plainText(c.Text)
	}
	return plainText(c.Text)
}

// plainText keeps control characters of hostile names away from the terminal.
func plainText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}
