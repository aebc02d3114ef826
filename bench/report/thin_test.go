package report

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/result"
)

// Ensure that a line with fewer points keeps its peaks, its valleys and its order, and that one that has room keeps all.
func TestThin(t *testing.T) {
	var all [][2]float64
	for i := range 1_000 {
		all = append(all, [2]float64{float64(i) * 0.047, 10 + math.Sin(float64(i))})
	}
	all[333][1], all[777][1] = 5_000, 0.25
	l := line{Points: all}
	require.Equal(t, 10, l.thin(200))
	require.LessOrEqual(t, len(l.Points), 200)
	require.Contains(t, l.Points, rounded(all[333]))
	require.Contains(t, l.Points, rounded(all[777]))
	for i := 1; i < len(l.Points); i++ {
		require.Less(t, l.Points[i-1][0], l.Points[i][0])
	}
	short := line{Points: all[:200]}
	require.Equal(t, 1, short.thin(200))
	require.Len(t, short.Points, 200)
	require.Equal(t, [2]float64{123.457, 0.001235}, rounded([2]float64{123.456789, 0.00123456}))
	require.Equal(t, [2]float64{0, -15}, rounded([2]float64{0, -15}))
}

// Ensure that the report of the largest run that there is, with its lines and with sources, is at most 2 MB.
func TestLargestReport(t *testing.T) {
	s := referenceRun(t)
	first := map[string]bool{}
	for i := range s.Runs {
		r := &s.Runs[i]
		if of := r.Scenario + groupLabel(r); !first[of] { // others are not drawn
			first[of] = true
			addLines(r)
		}
	}
	sizes, root := ownSource(t)
	s.CodeSize = sizes
	dir := t.TempDir()
	keepSource(t, dir, root)
	require.NoError(t, Write(dir, s, nil))
	html, err := os.ReadFile(filepath.Join(dir, "report.html"))
	require.NoError(t, err)
	require.Contains(t, string(html), `aria-label="Source of kappa/process.go"`)
	require.Contains(t, string(html), "Drawn are the least and the greatest")
	require.LessOrEqual(t, len(html), 2_000_000)
	require.Greater(t, len(html), 1_500_000, "a page with everything: is it still here?")
}

// addLines gives a run the lines that its figures come from, as many points as half a minute has.
func addLines(r *result.Run) {
	add := func(unit, name string, points int) {
		line := result.Series{Name: name, Unit: unit}
		for i := range points {
			line.Points = append(line.Points, [2]float64{float64(i) * 0.0470123, 8 + 7.123456*math.Sin(float64(i))})
		}
		r.Series = append(r.Series, line)
	}
	for _, layer := range r.FreshnessLayers {
		add("ms", "freshness "+layer.Layer, 640)
	}
	if r.LatencyMs != nil {
		for _, name := range []string{"p50", "p90", "max"} {
			add("ms", visible+name, 60)
		}
		for i := range 22 {
			r.LatencyMs.Visible.Spectrum = append(r.LatencyMs.Visible.Spectrum, [2]float64{float64(i) * 4.5, 7.123456 * float64(i)})
		}
	}
	if len(r.Series) == 0 {
		add("%", "truth A", 300)
		add("%", "truth B", 300)
	}
}
