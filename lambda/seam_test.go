package lambda

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// A deadLetterBox takes dead letters.
type deadLetterBox struct{ records []eventlog.Record }

func (m *deadLetterBox) Append(
	_ context.Context, _ string, _ int, records []eventlog.Record,
) (int64, error) {
	m.records = append(m.records, records...)
	return 0, nil
}

func (m *deadLetterBox) DeleteRecords(context.Context, string, []int64) error { return nil }

// ingestAll makes master files of records, cut at the given offsets and at the end.
func ingestAll(t testing.TB, cfg Config, records []eventlog.Record, cuts ...int64) *deadLetterBox {
	t.Helper()
	dead := &deadLetterBox{}
	task := newIngestTask(cfg, 0, dead, schemas{})
	if len(records) > 0 {
		task.position = records[0].Offset
	}
	for _, cut := range append(cuts, math.MaxInt64) {
		n := 0
		for n < len(records) && records[n].Offset < cut {
			n++
		}
		require.NoError(t, task.add(context.Background(), records[:n]))
		if task.segment != nil {
			require.NoError(t, task.roll(records[n-1].Offset+1))
		}
		records = records[n:]
	}
	return dead
}

// loadPair loads a published generation as serving does.
func loadPair(t testing.TB, cfg Config, m *Manifest) *pair {
	t.Helper()
	s := &Serving{cfg: cfg, partitions: 1}
	p := DefaultConfig().newPair(m, 1)
	batches, err := s.loadBatch(m)
	require.NoError(t, err)
	p.setBatches(batches)
	return p
}

// build drives a generation over the records from its boundary on, flushing now and then, and
// materialises what it writes.
func build(t testing.TB, g *generation, p *part, records []eventlog.Record, random *rand.Rand) {
	t.Helper()
	offset := int64(1000)
	deliver := func() {
		for i := range g.rows.records {
			g.rows.records[i].Offset = offset
			offset++
		}
		_, err := p.take(g.rows.records, &speedRow{})
		require.NoError(t, err)
	}
	g.rows.begin()
	g.Build = offset
	deliver()
	for i := range records {
		if records[i].Offset < g.boundary {
			continue
		}
		require.NoError(t, g.judge(&records[i]))
		if random.IntN(10) == 0 || i == len(records)-1 {
			require.NoError(t, g.encode())
			deliver()
			g.alerts = g.alerts[:0]
			g.flushed()
		}
	}
}

// A divided log is folded by both layers, and served.
type divided struct {
	records  []eventlog.Record
	boundary int64
	speed    *generation
	serving  *Serving
}

// divide divides a disturbed log anywhere.
func divide(t testing.TB, cfg Config, seed uint64) divided {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	records := stopAndGo(t, disturbed(t, seed, 1+random.IntN(4), 300))
	boundary := random.Int64N(int64(len(records)) + 1)

	ingestAll(t, cfg, records[:boundary], boundary/3, boundary/2)
	m, err := runBatch(context.Background(), cfg, 1)
	require.NoError(t, err)
	require.Equal(t, boundary, m.boundary(0))
	h, err := cfg.loadHandover(m, 0)
	require.NoError(t, err)
	p := loadPair(t, cfg, m)
	g := newGeneration(cfg, h, event.NewDecoder(schemas{}))
	build(t, g, p.parts[0], records, random)
	p.stampAs(&p.parts[0].progress)
	s := &Serving{cfg: cfg}
	s.live.Store(p)
	s.ends.Store(&[]int64{int64(len(records))})
	return divided{records, boundary, g, s}
}

// Ensure that a log that is divided at any offset is answered as the definition says: everything
// below the boundary, what is in time from there on, no reading twice. (Invariants 3 and 4.)
func TestMergeAtAnyBoundary(t *testing.T) {
	for seed := range uint64(40) {
		cfg := testConfig(t)
		cfg.Version = logics[seed%uint64(len(logics))].version
		cfg.Rules.TripGap = brittleGaps[seed%uint64(len(brittleGaps))]
		d := divide(t, cfg, seed)
		records, g, s := d.records, d.speed, d.serving
		want := naiveAnswer(t, cfg, records, d.boundary)
		windows, _ := s.Windows(httpapi.All())
		alerts, _ := s.Alerts(httpapi.All())
		want.requireAnswer(t, windows, alerts)
		want.requireTrips(t, s)
		status := s.Status()
		require.Equal(t, want.counters, status.Counters)
		require.EqualValues(t, want.watermark, status.Partitions[0].Watermark)
		require.EqualValues(t, len(records), status.Partitions[0].Position)
		require.Equal(t, len(want.windows), status.Rows.Windows)
		require.Equal(t, len(want.alerts), status.Rows.Alerts)
		var late []eventlog.Record
		for _, o := range want.lateOffsets() {
			late = append(late, sideRecord(0, &records[o], "late", ""))
		}
		require.Len(t, g.sides.dropped, len(late))
		for i := range late {
			require.Equal(t, late[i].Key, g.sides.dropped[i].Key)
			require.Equal(t, late[i].Value, g.sides.dropped[i].Value)
			views := string(g.sides.dropped[i].Header("views"))
			require.Equal(t, want.late[want.lateOffsets()[i]].String(), views)
		}
	}
}

// brittleGaps are gaps of trips that every late reading breaks, and many a one mends, and the usual
// one.
var brittleGaps = []int64{1_000, 999, 0, 5_000, 30_000}

// stopAndGo has the cars of every third event stand.
func stopAndGo(t testing.TB, records []eventlog.Record) []eventlog.Record {
	t.Helper()
	decoder := event.NewDecoder(schemas{})
	for i := range records {
		var e event.CarSensor
		if i%3 == 0 && decoder.Decode(records[i].Key, records[i].Value, &e) == nil {
			e.Speed = 0
			records[i].Value = recordOf(t, e).Value
		}
	}
	return records
}

// Ensure that what is open at the boundary, and nothing else, is handed over. (Invariant 3.)
func TestHandoverIsWhatIsOpen(t *testing.T) {
	testHandover(t, view.Windows|view.Alerts, event.Rules.Closed)
	testHandover(t, view.All, event.Rules.TripForgotten)
}

func testHandover(
	t *testing.T, views view.Set, forgotten func(event.Rules, int64, event.Watermark) bool,
) {
	cfg := testConfig(t)
	cfg.Views = views
	records := disturbed(t, 5, 3, 600)
	ingestAll(t, cfg, records)
	m, err := runBatch(context.Background(), cfg, 1)
	require.NoError(t, err)
	h, err := cfg.loadHandover(m, 0)
	require.NoError(t, err)
	require.Equal(t, naiveAnswer(t, cfg, records, int64(len(records))).watermark, h.watermark)
	handed := h.named()
	require.NotEmpty(t, handed)
	for _, r := range handed {
		require.False(t, forgotten(cfg.Rules, r.WindowStart, h.watermark))
		require.GreaterOrEqual(t, r.WindowStart, h.oldest)
		require.LessOrEqual(t, r.WindowStart, h.newest)
	}
	open := 0
	for key, tally := range naiveAnswer(t, cfg, records, int64(len(records))).windows {
		if !forgotten(cfg.Rules, key.Start, h.watermark) {
			open += int(tally.Readings)
		}
	}
	require.Len(t, handed, open)
}

// Ensure that an incremental run says, row for row, what a run over everything says, and leaves
// the same state behind. (Invariant 5.)
func TestIncrementalEqualsFull(t *testing.T) {
	for seed := range uint64(6) {
		records := disturbed(t, seed, 3, 300)
		full, incremental := testConfig(t), testConfig(t)
		full.Rules.TripGap = brittleGaps[seed%uint64(len(brittleGaps))]
		incremental.Rules = full.Rules
		incremental.Incremental = true
		var last, lastFull *Manifest
		for _, end := range []int64{100, 200, 200, int64(len(records))} {
			for _, cfg := range []Config{full, incremental} {
				from := int64(0)
				if last != nil {
					from = lastBoundary(t, cfg)
				}
				ingestAll(t, cfg, records[from:end], from+30)
			}
			var err error
			lastFull, err = runBatch(context.Background(), full, 1)
			require.NoError(t, err)
			last, err = runBatch(context.Background(), incremental, 1)
			require.NoError(t, err)
			require.Equal(t, lastFull.Generation-1, last.Base)
			require.Equal(t, lastFull.Partitions, last.Partitions)
			requireSameView(t, full, incremental, last.Generation)
		}
		require.Less(t, last.Rows, lastFull.Rows)
	}
}

func lastBoundary(t testing.TB, cfg Config) int64 {
	m, err := cfg.newestManifest()
	require.NoError(t, err)
	return m.boundary(0)
}

func requireSameView(t testing.TB, a, b Config, generation int64) {
	partA, err := loadBatchPart(a.generationDir(generation), 0, a.Views)
	require.NoError(t, err)
	partB, err := loadBatchPart(b.generationDir(generation), 0, b.Views)
	require.NoError(t, err)
	require.Equal(t, partA, partB)
	manifestA, err := a.loadManifest(generation)
	require.NoError(t, err)
	handA, err := a.loadHandover(manifestA, 0)
	require.NoError(t, err)
	handB, err := b.loadHandover(manifestA, 0)
	require.NoError(t, err)
	require.ElementsMatch(t, handA.named(), handB.named())
}

// named is what is handed over, row by row.
func (h *handover) named() []handoverEntry {
	var entries []handoverEntry
	for id, c := range h.cars {
		for i, seq := range c.seqs {
			entries = append(entries, handoverEntry{id, seq, c.windowStarts[i], c.fingerprints[i]})
		}
	}
	return entries
}

// Ensure that a run after one that made a mistake does not go on from it.
func TestIncrementalForgetsMistakes(t *testing.T) {
	cfg := testConfig(t)
	cfg.Incremental = true
	records := disturbed(t, 3, 2, 200)
	ingestAll(t, cfg, records)
	careless := cfg
	careless.Mistakes.CountRepeats = true
	_, err := runBatch(t.Context(), careless, 1)
	require.NoError(t, err)
	m, err := runBatch(t.Context(), cfg, 1)
	require.NoError(t, err)
	require.Zero(t, m.Base)
	require.Empty(t, m.Mistake)
	require.Equal(t, naiveAnswer(t, cfg, records, int64(len(records))).counters, m.Counters)
}

// Ensure that a run with other rules, or another version, begins anew.
func TestIncrementalOnlyWithTheSameLogic(t *testing.T) {
	cfg := testConfig(t)
	cfg.Incremental = true
	records := disturbed(t, 3, 2, 200)
	ingestAll(t, cfg, records)
	for _, change := range []struct {
		change func()
		base   int64
	}{
		{func() {}, 0},
		{func() {}, 1},
		{func() { cfg.Version = "v2" }, 0},
		{func() { cfg.Rules.Window = 5000 }, 0},
		{func() {}, 4},
		{func() { cfg.Views = view.Windows | view.Alerts }, 0},
		{func() {}, 6},
		{func() { cfg.Views = view.All }, 0},
	} {
		change.change()
		m, err := runBatch(context.Background(), cfg, 1)
		require.NoError(t, err)
		require.Equal(t, change.base, m.Base)
		part, err := loadBatchPart(cfg.generationDir(m.Generation), 0, m.Views)
		require.NoError(t, err)
		want := naiveAnswer(t, cfg, records, int64(len(records)))
		require.Len(t, part.windows, len(want.windows))
		require.Len(t, part.alerts, len(want.alerts))
		require.Equal(t, want.counters, m.Counters)
	}
}

// Ensure that dead letters are counted, kept, and not in any file.
func TestIngestSortsOutDeadLetters(t *testing.T) {
	cfg := testConfig(t)
	records := disturbed(t, 9, 2, 300)
	dead := ingestAll(t, cfg, records, 10, 20)
	want := naiveAnswer(t, cfg, records, int64(len(records)))
	require.Len(t, dead.records, len(want.dead))
	for i, offset := range want.dead {
		require.Equal(t, records[offset].Value, dead.records[i].Value)
		require.Equal(t, sideRecord(0, &records[offset], "", "").Key, dead.records[i].Key)
	}
	require.Positive(t, want.counters.DeadLetters[event.ReasonMalformed])
	require.Positive(t, want.counters.DeadLetters[event.ReasonFuture])
}
