package report

import "strings"

// A plot is a figure in the sense of a drawing: either lines over a numeric axis or stacked bars.
// svg.go draws it where nothing runs (report.md, print); in the page uPlot draws the lines again,
// with values under the pointer and lines to switch off.
type plot struct {
	ID    string
	Title string
	About string // what to look at, in one or two sentences; also the text for those who see nothing
	X, Y  axis
	Lines []line
	Bands []band
	Bars  []bar
	Data  table // the same values, for those who want to read them
}

func (p *plot) file() string { return "plots/" + p.ID + ".svg" }

// slug makes a name fit for a file and an anchor: what is not a letter, a digit or - becomes _.
func slug(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
}

// An axis has a name with its unit. Ticks, when given, replace the computed ones.
type axis struct {
	Name  string
	Unit  string // of a value under the pointer; seconds when it is empty
	Log   bool   // values above 0 only
	Ticks []tick
}

type tick struct {
	At   float64 `json:"at"`
	Text string  `json:"text"`
}

// A line is one series. Hue names its colour and dash: the same thing has the same in every plot.
type line struct {
	Name   string
	Hue    int
	Points [][2]float64
	Style  style
}

// A style is how the points of a line are shown.
type style string

const (
	drawn  style = ""
	dashed style = "dashed" // what was not measured
	dots   style = "dots"   // one by one
)

// A band marks a moment (To == From) or a stretch of time.
type band struct {
	Name     string
	From, To float64
}

// A bar is a row of stacked parts in one unit.
type bar struct {
	Name  string
	Unit  string
	Parts []part
}

type part struct {
	Name  string
	Hue   int
	Value float64
}

func (b *bar) total() float64 {
	var sum float64
	for _, p := range b.Parts {
		sum += p.Value
	}
	return sum
}

// legend returns name, hue and style of everything that is drawn, each name once.
func (p *plot) legend() []line {
	var entries []line
	seen := map[string]bool{}
	add := func(l line) {
		if !seen[l.Name] {
			seen[l.Name] = true
			entries = append(entries, l)
		}
	}
	for _, l := range p.Lines {
		add(line{Name: l.Name, Hue: l.Hue, Style: l.Style})
	}
	for _, b := range p.Bars {
		for _, part := range b.Parts {
			add(line{Name: part.Name, Hue: part.Hue})
		}
	}
	return entries
}
