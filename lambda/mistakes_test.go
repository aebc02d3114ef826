package lambda

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
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
	build(t, newGeneration(cfg, h, event.NewDecoder(schemas{})), p.parts[0], d.records, rand.New(rand.NewPCG(9, 9)))
	after, _ := d.serving.Windows(httpapi.All())
	require.ElementsMatch(t, before, after)
}

// Ensure that nobody is accused who makes no mistake.
func TestNoMistakes(t *testing.T) {
	d := divide(t, testConfig(t), 4)
	_, stamp := d.serving.Windows(httpapi.All())
	require.Equal(t, httpapi.Stamp{Version: "v1", Generation: 1}, stamp)
}

// Ensure that a change that was deployed to one layer only steps exactly at the boundary: rows below
// it are of the new version, rows above it of the old one, and that the answers name both.
func TestPinVersion(t *testing.T) {
	differed := 0
	for seed := range uint64(12) {
		cfg := testConfig(t)
		cfg.Version, cfg.Mistakes.PinVersion = "v3", "v1"
		d := divide(t, cfg, seed)
		want := naiveAnswer(t, cfg, d.records, d.boundary)
		windows, stamp := d.serving.Windows(httpapi.All())
		alerts, _ := d.serving.Alerts(httpapi.All())
		want.requireAnswer(t, windows, alerts)
		require.Equal(t, httpapi.Stamp{
			Version: "v3+v1", Generation: 1, Mistake: "speed pinned to v1",
		}, stamp)
		require.Equal(t, stamp, d.serving.Status().Stamp)
		followed := cfg
		followed.Mistakes = Mistakes{}
		whole := naiveAnswer(t, followed, d.records, d.boundary)
		if !view.Compare(whole.windowTable(t), want.windowTable(t)).OK() {
			differed++
		}
	}
	require.Greater(t, differed, 8, "the step is there to be seen")
}

// Ensure that a version that nobody knows is refused, under the name of its flag.
func TestPinUnknownVersion(t *testing.T) {
	cfg := testConfig(t)
	cfg.Log, cfg.Mistakes.PinVersion = new(eventlog.Log), "v9"
	require.ErrorContains(t, cfg.Validate(), `pin version "v9": must be one of v1`)
}

// Ensure that a naive merge counts what it is said to count, while the log goes on: what the batch
// view has of a window that was open counts twice until a batch run begins after the window's end.
func TestNaiveMerge(t *testing.T) {
	log := startLog(t, 1)
	cfg := logConfig(t, log)
	cfg.Mistakes.NaiveMerge = true
	start(t, cfg, Ingest)
	start(t, cfg, Speed)
	s := serve(t, cfg)
	batch := func(covers int64) (generation int64) {
		require.Eventually(t, func() bool {
			m := runBatchNow(t, cfg)
			generation = m.Generation
			return m.boundary(0) == covers
		}, patience, 10*time.Millisecond)
		return generation
	}
	counted := func() map[int64]int64 {
		windows, stamp := s.Windows(httpapi.All())
		require.Equal(t, "naive merge", stamp.Mistake)
		readings := map[int64]int64{}
		for _, w := range windows {
			readings[w.Start] = w.Readings
		}
		return readings
	}
	drive := func(from, to int64) {
		for seq := from; seq < to; seq++ {
			send(t, log, []eventlog.Record{recordOf(t, measured("a", seq, 1_000_000+seq*1000))})
		}
	}
	drive(0, 15)
	settle(t, s, 0)
	require.Equal(t, map[int64]int64{1_000_000: 10, 1_010_000: 5}, counted(), "no batch, no overlap")
	settle(t, s, batch(15))
	require.Equal(t, map[int64]int64{1_000_000: 10, 1_010_000: 10}, counted(), "the open window twice")
	drive(15, 25)
	settle(t, s, s.Status().Generation)
	require.Equal(t, map[int64]int64{1_000_000: 10, 1_010_000: 15, 1_020_000: 5}, counted(),
		"it stays so, and the next window is right")
	settle(t, s, batch(25))
	require.Equal(t, map[int64]int64{1_000_000: 10, 1_010_000: 10, 1_020_000: 10}, counted(),
		"the batch repairs one window and doubles the next")
	late := measured("a", 30, 1_019_000)
	send(t, log, []eventlog.Record{recordOf(t, late)})
	settle(t, s, s.Status().Generation)
	require.EqualValues(t, 10, counted()[1_010_000], "a latecomer is older than the batch run: dropped")
	settle(t, s, batch(26))
	require.EqualValues(t, 11, counted()[1_010_000], "until the next one")

	trips, _, kept := s.Trips(httpapi.All())
	require.True(t, kept)
	require.Len(t, trips, 1)
	require.EqualValues(t, 2*26, trips[0].Readings, "a trip that goes on has every reading of it twice")

	again := serve(t, cfg) // a new process starts with all generations at once
	settle(t, again, s.Status().Generation)
	windows, _ := s.Windows(httpapi.All())
	same, _ := again.Windows(httpapi.All())
	require.ElementsMatch(t, windows, same)
}

// Ensure that a serving that overlaps views says what is missing when the speed layer hands over.
func TestNaiveMergeTakesTwo(t *testing.T) {
	log := startLog(t, 1)
	cfg := logConfig(t, log)
	start(t, cfg, Ingest)
	start(t, cfg, Speed)
	cfg.Mistakes.NaiveMerge = true
	s, err := NewServing(t.Context(), cfg)
	require.NoError(t, err)
	send(t, log, []eventlog.Record{recordOf(t, measured("a", 0, 1_000_000))})
	require.Eventually(t, func() bool {
		m := runBatchNow(t, cfg)
		return m.boundary(0) == 1
	}, patience, 10*time.Millisecond)
	require.ErrorContains(t, s.Run(t.Context()), "start it with --merge naive too")
}
