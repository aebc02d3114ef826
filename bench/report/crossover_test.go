package report

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/result"
)

// Ensure that what was not measured is dashed and said to be extrapolated, and that a sentence never
// names a place that was not found.
func TestCrossoverPlot(t *testing.T) {
	at, low, high := 10.0, 8.0, 14.0
	c := result.Crossover{
		Says: "Lambda costs more above", Figure: "CPU per million events", Unit: "s", Over: "batch interval", OverIn: "s",
		Lines: []result.Fitted{
			{Arm: "lambda", Slope: 2, Points: [][2]float64{{1, 2}, {4, 8}}},
			{Arm: "kappa", Intercept: 20, Points: [][2]float64{{1, 20}, {4, 20}}},
		},
		At: &at, Low: &low, High: &high, Extrapolated: true,
	}
	plots := crossoverPlots(result.Scenario{Name: "always-on", Crossovers: []result.Crossover{c}})
	require.Len(t, plots, 1)
	p := plots[0]
	require.Contains(t, p.About, "Lambda costs more above 10 s (95 %: 8 to 14 s), extrapolated beyond what was measured.")
	var styles []style
	for _, l := range p.Lines {
		styles = append(styles, l.Style)
	}
	require.Equal(t, []style{drawn, dots, dashed, drawn, dots, dashed}, styles)
	require.Equal(t, [2]float64{4, 8}, p.Lines[2].Points[0], "the dashed line begins where measuring ended")
	svg := string(p.svgFile())
	require.Contains(t, svg, "stroke-dasharray")
	require.Contains(t, svg, "<circle")
	requireXML(t, svg)

	c.At, c.Why = nil, "the lines do not cross up to ten times what was measured"
	require.Equal(t, "No crossover: the lines do not cross up to ten times what was measured.", saidOf(&c))
	require.Empty(t, crossoverLines(&result.Summary{Scenarios: []result.Scenario{{Crossovers: []result.Crossover{c}}}}))
}
