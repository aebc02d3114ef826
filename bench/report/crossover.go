package report

import (
	"fmt"
	"math"
	"strings"

	"lambdakappa/bench/result"
)

// crossoverPlots draw the fitted lines of a scenario over what was varied, with the runs that they
// were fitted to. Beyond the measured a line is dashed.
func crossoverPlots(q result.Scenario) []*plot {
	var plots []*plot
	for i := range q.Crossovers {
		if c := &q.Crossovers[i]; len(c.Lines) > 0 {
			plots = append(plots, crossoverPlot(fmt.Sprintf("%s-crossover-%d", slug(q.Name), i+1), c))
		}
	}
	return plots
}

func crossoverPlot(id string, c *result.Crossover) *plot {
	p := &plot{
		ID:    id,
		Title: c.Figure + " over " + c.Over,
		About: saidOf(c) + " Dots are runs; a line is the straight line through them, dashed where nothing was measured.",
		X:     axis{Name: withUnit(c.Over, c.OverIn), Unit: c.OverIn},
		Y:     axis{Name: withUnit(c.Figure, c.Unit)},
		Data:  table{Head: []string{"line", "runs", "at 0", "for each more"}},
	}
	least, most := measured(c)
	end := most
	if c.At != nil {
		end = max(end, *c.At*1.1)
	}
	for i, l := range c.Lines {
		hue := hueOf(l.Arm, i)
		at := func(x float64) [2]float64 { return [2]float64{x, l.Intercept + l.Slope*x} }
		p.Lines = append(p.Lines, line{Name: l.Arm, Hue: hue, Points: [][2]float64{at(least), at(most)}})
		if len(l.Points) > 0 {
			p.Lines = append(p.Lines, line{Name: l.Arm + ", runs", Hue: hue, Points: l.Points, Style: dots})
		}
		if end > most {
			p.Lines = append(p.Lines, line{
				Name: l.Arm + ", extrapolated", Hue: hue, Points: [][2]float64{at(most), at(end)}, Style: dashed,
			})
		}
		p.Data.Rows = append(p.Data.Rows, []cell{
			text(l.Arm), text(fmt.Sprint(len(l.Points))), text(inUnit(l.Intercept, c.Unit)), text(inUnit(l.Slope, c.Unit)),
		})
	}
	return p
}

func withUnit(name, unit string) string {
	if unit == "" {
		return name
	}
	return name + ", " + unit
}

func measured(c *result.Crossover) (least, most float64) {
	least, most = math.Inf(1), math.Inf(-1)
	for _, l := range c.Lines {
		for _, p := range l.Points {
			least, most = min(least, p[0]), max(most, p[0])
		}
	}
	return least, most
}

// saidOf is the sentence about a crossover: with its place, or why there is none.
func saidOf(c *result.Crossover) string {
	if c.At == nil {
		return "No crossover: " + c.Why + "."
	}
	said := strings.ToUpper(c.Says[:1]) + c.Says[1:] + " " + inUnit(*c.At, c.OverIn)
	switch {
	case c.Low != nil:
		said += fmt.Sprintf(" (95 %%: %s to %s)", figure(*c.Low), inUnit(*c.High, c.OverIn))
	default:
		said += " (" + c.Why + ")"
	}
	if c.Extrapolated {
		said += ", extrapolated beyond what was measured"
	}
	return said + "."
}

// crossoverLines are the sentences of all crossovers that were found within what was measured: advice is
// no place for what nobody has seen.
func crossoverLines(s *result.Summary) []string {
	var lines []string
	for i := range s.Scenarios {
		for k := range s.Scenarios[i].Crossovers {
			if c := &s.Scenarios[i].Crossovers[k]; c.At != nil && c.Low != nil && !c.Extrapolated {
				lines = append(lines, saidOf(c))
			}
		}
	}
	return lines
}
