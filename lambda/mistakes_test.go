package lambda

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// readingsIn adds up what windows say.
func readingsIn(windows []view.Window) (readings int64) {
	for _, w := range windows {
		readings += w.Readings
	}
	return readings
}

// Ensure that without de-duplication every delivery counts, wherever the log is divided, by either
// logic of the batch layer; that nothing else changes; and that the answers say so.
func TestCountRepeats(t *testing.T) {
	for seed := range uint64(20) {
		cfg := testConfig(t)
		cfg.Logic = []string{ByColumns, ByEvents}[seed%2]
		right := cfg
		cfg.Mistakes.CountRepeats = true
		d := divide(t, cfg, seed)
		want := naiveAnswer(t, cfg, d.records, d.boundary)
		windows, stamp := d.serving.Windows(httpapi.All())
		alerts, _ := d.serving.Alerts(httpapi.All())
		want.requireAnswer(t, windows, alerts)
		want.requireTrips(t, d.serving)
		status := d.serving.Status()
		require.Equal(t, want.counters, status.Counters)
		require.Equal(t, len(want.alerts), status.Rows.Alerts)
		require.Equal(t, "no de-duplication", stamp.Mistake)
		require.Equal(t, stamp, status.Stamp)

		truth := naiveAnswer(t, right, d.records, d.boundary)
		repeats := truth.counters.Duplicates + truth.counters.Conflicts
		require.Positive(t, repeats)
		require.Equal(t, readingsIn(truth.windowTable(t))+repeats, readingsIn(windows))
		require.Equal(t, truth.counters.DroppedLate, status.Counters.DroppedLate)
		require.Zero(t, status.Counters.Duplicates+status.Counters.Conflicts)
	}
}

// Ensure what the documentation says of kills: a generation that is built again doubles nothing, also
// without de-duplication.
func TestCountRepeatsSurvivesARebuild(t *testing.T) {
	cfg := testConfig(t)
	cfg.Mistakes.CountRepeats = true
	d := divide(t, cfg, 4)
	before, _ := d.serving.Windows(httpapi.All())
	p := d.serving.live.Load()
	h, err := cfg.loadHandover(p.manifest, 0)
	require.NoError(t, err)
	build(t, newGeneration(cfg, h, schemas{}), p.parts[0], d.records, rand.New(rand.NewPCG(9, 9)))
	after, _ := d.serving.Windows(httpapi.All())
	require.ElementsMatch(t, before, after)
}

// Ensure that nobody is accused who makes no mistake.
func TestNoMistakes(t *testing.T) {
	d := divide(t, testConfig(t), 4)
	_, stamp := d.serving.Windows(httpapi.All())
	require.Equal(t, httpapi.Stamp{Version: "v1", Generation: 1}, stamp)
}
