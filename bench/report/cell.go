package report

import (
	"math"
	"strconv"

	"github.com/dustin/go-humanize"
)

// missing is what stands where a figure would be that nobody took.
const missing = "not measured here"

// A tone is how a cell reads: it is never told by colour alone.
type tone string

const (
	plain  tone = ""
	right  tone = "right"
	wrong  tone = "wrong"
	void   tone = "void"
	absent tone = "absent"
	struck tone = "struck" // a figure of a run with wrong answers
)

// A cell is one entry of a table.
type cell struct {
	Text string
	Tone tone
	Link string // to a section of the page
}

func text(s string) cell { return cell{Text: s} }

// A table is shown as it is, first column as the row's header.
type table struct {
	Caption string
	Head    []string
	Rows    [][]cell
}

// figure prints a number with three significant digits, or all of them above 1,000.
func figure(x float64) string {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return missing
	case math.Abs(x) >= 999.5:
		return humanize.Comma(int64(math.Round(x)))
	case x == 0:
		return "0"
	default:
		return trimmed(x)
	}
}

// trimmed prints x, below 1,000, with three significant digits and no exponent.
func trimmed(x float64) string {
	digits := 2 - int(math.Floor(math.Log10(math.Abs(x))))
	scale := math.Pow(10, float64(digits))
	return strconv.FormatFloat(math.Round(x*scale)/scale, 'f', -1, 64)
}

// inUnit prints a number in the unit of its metric.
func inUnit(x float64, unit string) string {
	switch {
	case unit == "":
		return figure(x)
	case unit == "B" && x >= 1024:
		return humanize.IBytes(uint64(x))
	default:
		return figure(x) + " " + unit
	}
}
