package decide

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"

	"lambdakappa/bench/ledger"
)

// Print writes the answer for the reader's numbers: every quantity of every column, then how it is computed, then what
// it does not say.
func (m *Model) Print(w io.Writer, in Numbers) {
	fmt.Fprintf(w, "Measured: %s\n\nYour numbers\n", m.Run)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, i := range m.Inputs {
		fmt.Fprintf(t, "  %s\t%s\t--%s\n", i.Label, i.Said(in), i.Name)
	}
	t.Flush()
	fmt.Fprintf(w, "\nWhat that takes: Lambda's, and what the others take of it\n")
	fmt.Fprintf(t, "  \t%s\n", strings.Join(m.Columns, "\t"))
	for _, q := range m.Quantities {
		fmt.Fprintf(t, "  %s\t%s\n", q.Name, strings.Join(m.Line(q, in), "\t"))
	}
	t.Flush()
	fmt.Fprint(w, "\nWhere it turns round\n")
	for _, c := range m.Crossings {
		fmt.Fprintf(w, "  - %s\n", m.Crossed(c, in))
	}
	fmt.Fprint(w, "\nHow it is computed\n")
	for _, q := range m.Quantities {
		fmt.Fprintf(w, "\n  %s: %s\n", q.Name, q.Means)
		for i, sum := range q.Sums {
			fmt.Fprintf(w, "    %s = %s\n", m.Columns[i], m.arithmetic(sum, in))
		}
	}
	fmt.Fprint(w, "\nWhere the coefficients come from (95 % interval, or all there is of fewer than six runs)\n")
	for _, name := range m.names() {
		c := m.Coefficients[name]
		fmt.Fprintf(t, "  %s\t%s (%s to %s) %s\t%s\n", name, number(c.Value), number(c.Low), number(c.High), c.Unit, c.From)
	}
	t.Flush()
	fmt.Fprint(w, "\nWhat this does not say\n")
	for _, line := range m.Limits(in) {
		fmt.Fprintf(w, "  - %s\n", line)
	}
}

func (m *Model) names() []string {
	var names []string
	for name := range m.Coefficients {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Said is the reader's number in the unit in which it is asked for.
func (i *Input) Said(in Numbers) string {
	return strings.TrimSpace(number(in[i.Name]/i.InUnit) + " " + i.Unit)
}

// Line has a cell for every column: what it takes, and what that is of the first one's.
func (m *Model) Line(q Quantity, in Numbers) []string {
	var cells []string
	first := m.Of(q.Sums[0], in)
	for i, sum := range q.Sums {
		e := m.Of(sum, in)
		cell := withUnit(e.Value, q.Unit)
		if i > 0 {
			cell += "; " + Says(e, first)
		}
		cells = append(cells, cell)
	}
	return cells
}

// Says puts what one side takes of the other into words, with the interval.
func Says(e, first Estimate) string {
	if first.High == 0 {
		if e.High == 0 {
			return "no difference"
		}
		return "Lambda has none"
	}
	r := e.Over(first)
	interval := fmt.Sprintf("x %s (%s)", number(r.Value), bounds(r))
	switch {
	case r.Low >= 1-ledger.Margin && r.High <= 1+ledger.Margin:
		return "no difference, " + interval
	case r.Low <= 1 && r.High >= 1:
		return "undecided, " + interval
	default:
		return interval
	}
}

// farOff is by how much a bound of a ratio may differ from it and still say something. What is divided by a bound near 0 is
// as large as one likes.
const farOff = 100

// bounds are those of a ratio, as far as they say something.
func bounds(r Estimate) string {
	below, above := r.Low*farOff >= r.Value, r.High <= r.Value*farOff // false of what is no number as well
	switch {
	case below && above:
		return number(r.Low) + " to " + number(r.High)
	case below:
		return "at least " + number(r.Low)
	case above:
		return "at most " + number(r.High)
	default:
		return "by nobody knows how much"
	}
}

// arithmetic writes a sum with its numbers.
func (m *Model) arithmetic(sum []Term, in Numbers) string {
	if len(sum) == 0 {
		return "0"
	}
	var parts []string
	for _, t := range sum {
		parts = append(parts, m.product(t, in))
	}
	e := m.Of(sum, in)
	return fmt.Sprintf("%s = %s (%s to %s)", strings.Join(parts, " + "), number(e.Value), number(e.Low), number(e.High))
}

func (m *Model) product(t Term, in Numbers) string {
	var over, under []string
	if t.Coefficient != "" {
		over = append(over, fmt.Sprintf("%s %s", number(m.Coefficients[t.Coefficient].Value), t.Coefficient))
	}
	for _, i := range m.Inputs {
		for range t.Powers[i.Name] {
			over = append(over, number(in[i.Name])+" "+i.Name)
		}
		for range -t.Powers[i.Name] {
			under = append(under, number(in[i.Name])+" "+i.Name)
		}
	}
	switch {
	case t.Constant > 1:
		over = append(over, number(t.Constant))
	case t.Constant < 1:
		under = append(under, number(1/t.Constant))
	}
	said := strings.Join(over, " x ")
	if len(under) > 0 {
		said += " / " + strings.Join(under, " / ")
	}
	return said
}

// Crossed is the sentence about a crossing, with its place.
func (m *Model) Crossed(c Crossing, in Numbers) string {
	i := m.Input(c.Over)
	at, which := m.At(c, in)
	if which == 0 {
		return c.Says + " " + withUnit(at/i.InUnit, i.Unit)
	}
	says := c.Below
	if which > 0 {
		says = c.Above
	}
	return fmt.Sprintf("%s (from %s to %s)", says, number(i.Least), withUnit(i.Most, i.Unit))
}

func withUnit(x float64, unit string) string { return strings.TrimSpace(number(x) + " " + unit) }

// Limits are what an answer for these numbers does not say.
func (m *Model) Limits(in Numbers) []string {
	var lines []string
	reaches, factors := m.Beyond(in)
	for i, r := range reaches {
		lines = append(lines, fmt.Sprintf("Beyond what was measured: %s is %s, %s times the most that a run has had (%s). "+
			"From there on the lines are extrapolated.", r.What, number(m.Of([]Term{r.Of}, in).Value), number(factors[i]), number(r.Most)))
	}
	if !slices.Contains(m.Columns, "Lambda, incremental") {
		lines = append(lines, "Lambda recomputes everything at every run here; the run has not measured a batch layer that goes on from its last view, "+
			"which takes the term with history out of its cores.")
	}
	return append(lines,
		"One machine, one workload, one pair of implementations: ratios travel, absolute figures do not. Run bench on yours and name its folder.",
		"Serving keeps all answers in memory on both sides, and what that costs is in no figure. Nor is what it takes to load a new batch view.",
		"A second tier was not timed here: reading out of it is slower than out of the log (scenario tiers).",
		"What people cost is your number, and it is likely to be the largest.",
	)
}

// number prints three significant digits, small ones as powers of ten.
func number(x float64) string {
	switch a := math.Abs(x); {
	case x == 0:
		return "0"
	case a >= 1000:
		return humanize.Comma(int64(math.Round(x)))
	case a < 0.001:
		return fmt.Sprintf("%.3g", x)
	default:
		digits := 2 - int(math.Floor(math.Log10(a)))
		return strconv.FormatFloat(math.Round(x*math.Pow10(digits))/math.Pow10(digits), 'f', -1, 64)
	}
}
