package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"lambdakappa/bench/ledger"
	"lambdakappa/bench/result"
)

// Hues: Lambda and Kappa, and Lambda's layers, look the same in every plot.
const (
	hueLambda = iota
	hueKappa
	hueBatch
	hueSpeed
	hueOther // the first of those that follow
	hueCount = 8
)

// hueOf gives a line its colour by what its name says it is.
func hueOf(name string, i int) int {
	switch {
	case strings.Contains(name, "batch"):
		return hueBatch
	case strings.Contains(name, "speed"):
		return hueSpeed
	case strings.Contains(name, "kappa"):
		return hueKappa
	case strings.Contains(name, "lambda"):
		return hueLambda
	default:
		return hueOther + i%(hueCount-hueOther)
	}
}

// percentileTicks label the axis of a spectrum: position is the number of nines.
var percentileTicks = []tick{
	{0, "0 %"}, {nines(50), "50 %"}, {1, "90 %"}, {2, "99 %"}, {3, "99.9 %"}, {4, "99.99 %"}, {5, "99.999 %"},
}

// nines places a percentile (0..100) so that every further nine takes the same room.
func nines(percentile float64) float64 { return -math.Log10(1 - percentile/100) }

// latencyPlot draws the percentile spectrum of visibility, one line per group with right answers.
func latencyPlot(scenario string, gs []*group) *plot {
	p := &plot{
		ID:    slug(scenario) + "-latency",
		Title: "How long until an event is in a served answer",
		About: "Lower is better. Read it as: this share of the events was visible within so many ms of its " +
			"intended send time. Every step to the right is ten times rarer.",
		X: axis{Name: "share of events", Ticks: percentileTicks},
		Y: axis{Name: "ms", Log: true},
	}
	for i, g := range gs {
		if q := spectrumOf(g); q != nil {
			p.Lines = append(p.Lines, line{Name: g.Label, Hue: hueOf(g.Label, i), Points: spectrumPoints(q)})
			p.Data.Rows = append(p.Data.Rows, quantileRow(g.Label, q))
		}
	}
	p.Data.Head = []string{"arm", "samples", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms"}
	return p
}

// spectrumOf returns the spectrum of the group's first run; repetitions are in the table.
func spectrumOf(g *group) *result.Quantiles {
	if g.worst() != runRight {
		return nil
	}
	for _, r := range g.counted() {
		if r.LatencyMs != nil && len(r.LatencyMs.Visible.Spectrum) > 0 {
			return &r.LatencyMs.Visible
		}
	}
	return nil
}

func spectrumPoints(q *result.Quantiles) [][2]float64 {
	var points [][2]float64
	for _, pt := range q.Spectrum {
		if pt[0] < 100 {
			points = append(points, [2]float64{nines(pt[0]), pt[1]})
		}
	}
	return points
}

func quantileRow(name string, q *result.Quantiles) []cell {
	row := []cell{text(name), text(figure(float64(q.Count)))}
	for _, x := range []*float64{q.P50, q.P90, q.P99, q.P999, q.Max} {
		row = append(row, optional(x, ""))
	}
	return row
}

func optional(x *float64, unit string) cell {
	if x == nil {
		return cell{Text: missing, Tone: absent}
	}
	return text(inUnit(*x, unit))
}

// timePlots draw what the runs recorded over time, each unit in plots of its own: the arms that ran
// alone in one plot, each run of both arms at once in another, since those two must not be compared.
func timePlots(scenario string, gs []*group) []*plot {
	var all []*plot
	for _, kind := range overTime {
		alone := kind.plot(slug(scenario)+"-"+kind.id, kind.alone)
		together := kind.plot(slug(scenario)+"-"+kind.id+"-both", ", both arms on one log")
		together.About += " This is a load test: the arms share the machine, so it ranks nothing."
		for _, g := range gs {
			if worst := g.worst(); worst != runRight && worst != runMistaken {
				continue
			}
			p := alone
			if g.Arm == "both" {
				p = together
			}
			p.addRun(g.counted()[0], kind)
		}
		all = append(all, alone, together)
	}
	return slices.DeleteFunc(all, func(p *plot) bool { return len(p.Lines) == 0 })
}

// A timeKind is how series of one kind are drawn over time.
type timeKind struct {
	id, unit, title, about string
	since                  string // the run began, when it says nothing
	alone                  string // what the title says of arms that are reported apart
	log                    bool
	has                    func(result.Series) bool
}

// visible begins the names of the series that say how long events took to be visible.
const visible = "event visible, "

// rowsExact is the series of a run that was cut off at deadlines.
const rowsExact = "rows exact"

var overTime = []timeKind{
	{
		id: "latency-time", unit: "ms", title: "How long until an event is in a served answer, over time", alone: ", alone", log: true,
		about: "Of the events sent in each half second: the median (a line), the 90th percentile (dashed), the slowest (dots). " +
			"A stall stands where it hit. Grey: batch runs, kills and compactions.",
		has: func(s result.Series) bool { return strings.HasPrefix(s.Name, visible) },
	},
	{
		id: "time", unit: "ms", title: "Freshness over time", alone: ", alone", log: true,
		about: "Age of the newest event in the answer, worst partition. Lower is fresher. Grey: batch runs, kills and compactions.",
		has:   func(s result.Series) bool { return s.Unit == "ms" && !strings.HasPrefix(s.Name, visible) },
	},
	{
		id: "exact", unit: "%", title: "Exact answers over time",
		about: "Of the windows whose last reading was on the log half a second before, those that were served as they " +
			"are in the end: truth A counts every reading, truth B (dashed) none that was late. Grey: batch runs and faults.",
		has: func(s result.Series) bool { return s.Unit == "%" && s.Name != rowsExact },
	},
	{
		id: "deadlines", unit: "%", title: "Rows exact when time is up", since: "seconds since the first process was started",
		about: "Of all rows that the complete log has, those that were served and right at each deadline. Higher is better.",
		has:   func(s result.Series) bool { return s.Name == rowsExact },
	},
}

func (k timeKind) plot(id, how string) *plot {
	return &plot{
		ID:    id,
		Title: k.title + how,
		About: k.about,
		X:     axis{Name: cmp.Or(k.since, "seconds since the run began")},
		Y:     axis{Name: k.unit, Log: k.log},
		Data:  table{Head: []string{"line", "samples", "median " + k.unit, "max " + k.unit}},
	}
}

// addRun adds the lines of a run that are of a kind. Lines of several runs are told apart by the arm.
func (p *plot) addRun(r *result.Run, kind timeKind) {
	for _, s := range r.Series {
		if !kind.has(s) || len(s.Points) == 0 {
			continue
		}
		name := strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(s.Name, visible), "freshness"))
		if r.Arm != "both" && !strings.Contains(name, r.Arm) {
			name = strings.TrimSpace(r.Arm + " " + name)
		}
		p.Lines = append(p.Lines, line{Name: name, Hue: hueOf(name, len(p.Lines)), Points: s.Points, Style: styleOf(s.Name)})
		p.Data.Rows = append(p.Data.Rows, seriesRow(name, s.Points))
	}
	if len(p.Lines) == 0 {
		return
	}
	for _, m := range r.Marks {
		name := m.Name
		if r.Arm != "both" && !strings.Contains(name, r.Arm) {
			name = r.Arm + ": " + name
		}
		p.Bands = append(p.Bands, band{name, m.From, max(m.To, m.From)})
	}
}

// styleOf tells the lines of one arm apart that have its colour.
func styleOf(name string) style {
	switch name {
	case visible + "p90", "truth B":
		return dashed
	case visible + "max":
		return dots
	default:
		return drawn
	}
}

func seriesRow(name string, points [][2]float64) []cell {
	var ys []float64
	for _, pt := range points {
		ys = append(ys, pt[1])
	}
	return []cell{
		text(name), text(figure(float64(len(ys)))), text(figure(ledger.Median(ys))), text(figure(slices.Max(ys))),
	}
}

// costPlot stacks the CPU of every component, one bar per group with right answers.
func costPlot(scenario string, gs []*group) *plot {
	p := &plot{
		ID:    slug(scenario) + "-cost",
		Title: "CPU seconds per million events, by component",
		About: "Shorter is cheaper. Whole processes with the broker, nothing taken off; generator and driver are not in it.",
		Data:  table{Head: []string{"run", "component", "CPU s per million events", "peak memory", "read", "written", "starts"}},
	}
	for _, g := range gs {
		if g.worst() != runRight {
			continue
		}
		// A run without a cost had both arms on one log: its processes share a broker and two
		// cores with the other arm's, so bars beside each other would be a ranking of nothing.
		if r := g.counted()[0]; r.Cost != nil && len(r.Components) > 0 && r.Events > 0 {
			p.addComponents(g.Label, r)
		}
	}
	p.paint(componentHues)
	return p
}

// componentHues: a layer has the colour that it has in other plots, and no component that of a whole architecture.
var componentHues = map[string]int{
	"batch": hueBatch, "speed": hueSpeed, "ingest": hueOther, "process": hueOther + 1, "serve": hueOther + 2, "broker": hueOther + 3,
}

func (p *plot) addComponents(label string, r *result.Run) {
	b := bar{Name: label, Unit: "s"}
	for _, c := range r.Components {
		perMillion := c.CPUSeconds / float64(r.Events) * 1e6
		b.Parts = append(b.Parts, part{Name: c.Name, Value: perMillion})
		p.Data.Rows = append(p.Data.Rows, []cell{
			text(label), text(c.Name), text(figure(perMillion)), text(inUnit(float64(c.PeakRSSBytes), "B")),
			text(inUnit(float64(c.ReadBytes), "B")), text(inUnit(float64(c.WrittenBytes), "B")),
			text(fmt.Sprint(c.Starts)),
		})
	}
	p.Bars = append(p.Bars, b)
}

// paint gives every name of a part the hue that is known of it, or one in the order of appearance. A component of the
// two sides with the same role ("lambda serve", "kappa serve") shares it.
func (p *plot) paint(known map[string]int) {
	hues := maps.Clone(known)
	if hues == nil {
		hues = map[string]int{}
	}
	for i := range p.Bars {
		for j := range p.Bars[i].Parts {
			part := &p.Bars[i].Parts[j]
			role := strings.TrimPrefix(strings.TrimPrefix(part.Name, "lambda "), "kappa ")
			if _, known := hues[role]; !known {
				hues[role] = len(hues) % hueCount
			}
			part.Hue = hues[role]
		}
	}
}
