package report

import (
	"slices"

	"lambdakappa/bench/ledger"
)

// A metric is a figure as tables show it.
type metric struct{ ledger.Metric }

func metricNamed(name string) metric { return metric{ledger.Named(name)} }

// values returns the metric of every counted run of the group that has it.
func (m metric) values(g *group) []float64 {
	var xs []float64
	for _, r := range g.counted() {
		if x := m.Get(r); x != nil {
			xs = append(xs, *x)
		}
	}
	return xs
}

// cell is the median of the group, with the range when there are several runs.
func (m metric) cell(g *group) cell {
	if g.worst() == runVoid {
		return cell{Text: "void", Tone: void}
	}
	xs := m.values(g)
	if len(xs) == 0 && m.Layer && g.Arm == "kappa" {
		return cell{Text: "no such layer", Tone: absent}
	}
	if len(xs) == 0 {
		return cell{Text: missing, Tone: absent}
	}
	shown := inUnit(ledger.Median(xs), m.Unit)
	if len(xs) > 1 && slices.Min(xs) != slices.Max(xs) {
		shown += " (" + inUnit(slices.Min(xs), m.Unit) + " to " + inUnit(slices.Max(xs), m.Unit) + ")"
	}
	if g.isStruckOut() {
		return cell{Text: shown, Tone: struck}
	}
	return cell{Text: shown, Tone: plain}
}
