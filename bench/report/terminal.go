package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"lambdakappa/bench/result"
)

// Terminal prints the summary at the end of a run: verdicts, figures, code size and budgets. The
// caller prints the path of the report, which only it knows.
func Terminal(w io.Writer, s *result.Summary) {
	p := newPage(s)
	for _, b := range p.Banners {
		fmt.Fprintf(w, "! %s\n", b.Text)
	}
	if len(p.Verdicts.Rows) == 0 {
		fmt.Fprintln(w, "no scenario ran")
	}
	for _, sec := range p.Sections {
		if len(sec.Tables) == 0 || sec.ID == "context" {
			continue
		}
		fmt.Fprintf(w, "\n%s\n", headingOf(sec))
		for _, t := range sec.Tables {
			t.terminal(w)
		}
		for _, note := range firstFew(sec.Notes, 5) {
			fmt.Fprintf(w, "  %s\n", plainText(note))
		}
	}
	fmt.Fprintf(w, "\nreproduce: %s   (seed %d, revision %s)\n", plainText(p.Command), s.Seed, s.Revision)
}

func headingOf(sec section) string {
	if sec.ID == "budgets" || sec.ID == "limits" || sec.About == "" {
		return sec.Title
	}
	return sec.Title + ": " + sec.About
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
