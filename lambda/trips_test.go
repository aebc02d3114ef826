package lambda

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// driving is an ordinary reading of a car that moves.
func driving(car string, seq, at int64) event.CarSensor {
	e := measured(car, seq, at)
	e.Speed = 2
	return e
}

// logOf is a log of readings, each sent when the youngest of them was measured.
func logOf(t testing.TB, readings ...event.CarSensor) []eventlog.Record {
	var records []eventlog.Record
	var now int64
	for _, e := range readings {
		r := recordOf(t, e)
		now = max(now, r.AppendTime)
		r.AppendTime = now
		records = append(records, r)
	}
	return numbered(records...)
}

// spans are trips in short: seconds of start and end, and readings.
func spans(s *Serving, layer httpapi.Layer) (all [][3]int64) {
	r := httpapi.All()
	r.Layer = layer
	trips, _, _ := s.Trips(r)
	table, err := view.NewTable(trips)
	if err != nil {
		panic(err)
	}
	for _, trip := range table {
		all = append(all, [3]int64{trip.Start / 1000, trip.End / 1000, trip.Readings})
	}
	return all
}

// serveDivided serves a log that is divided at a boundary.
func serveDivided(t testing.TB, records []eventlog.Record, boundary int64) *Serving {
	t.Helper()
	cfg := testConfig(t)
	ingestAll(t, cfg, records[:boundary])
	m := runBatchOnce(t, cfg)
	h, err := cfg.loadHandover(m, 0)
	require.NoError(t, err)
	p := loadPair(t, cfg, m)
	g := newGeneration(cfg, h, event.NewDecoder(schemas{}))
	build(t, g, p.parts[0], records, rand.New(rand.NewPCG(1, 1)))
	s := &Serving{cfg: cfg}
	p.stampAs(&progress{})
	s.live.Store(p)
	s.ends.Store(&[]int64{int64(len(records))})
	return s
}

func TestTripByHand(t *testing.T) {
	a, b := driving("a", 0, 3_000), driving("a", 1, 5_000)
	a.Speed, b.Speed = 1.5, 0.25
	b.Accelerometer11, b.Accelerometer12 = -2.75, 2.51
	parked := driving("a", 2, 6_000)
	parked.Speed = 0
	log := logOf(t, a, parked, b)
	for boundary := range int64(len(log) + 1) {
		s := serveDivided(t, log, boundary)
		trips, _, kept := s.Trips(httpapi.All())
		require.True(t, kept)
		require.Equal(t, []view.Trip{{
			CarID: "a",
			Stretch: view.Stretch{
				Start: 3_000, End: 5_000, Readings: 2, SpeedSum: 7 << 22, HarshBrakes: 1,
			},
			Distance: 1.75, // 1.5 and 0.25 m/s, for a second each
		}}, trips, "boundary %d", boundary)
	}
}

// Ensure that a brake is harsh when both front wheels feel more than the limit, in either logic.
func TestHarshBrakes(t *testing.T) {
	f := func(left, right float32, want int64) {
		t.Helper()
		e := driving("a", 0, 0)
		e.Accelerometer11, e.Accelerometer12 = left, right
		e.Accelerometer21, e.Accelerometer22 = 20, 20
		require.Equal(t, want, driven(&e).HarshBrakes)
		require.Equal(t, want == 1, isHarsh(left) && isHarsh(right))
	}
	f(2.75, 2.75, 1)
	f(-2.75, 2.75, 1)
	f(2.5, 2.75, 0)
	f(2.75, -2.5, 0)
	f(20, 0, 0)
}

// Ensure that a trip across the boundary is one, that a reading after it may bridge two trips before
// it, and that the layers apart say what each of them has.
func TestTripsAcrossTheBoundary(t *testing.T) {
	log := logOf(t,
		driving("a", 0, 100_000), driving("a", 1, 131_000), driving("b", 0, 90_000),
		driving("a", 2, 120_000), driving("a", 3, 140_000), driving("a", 3, 140_000))
	s := serveDivided(t, log, 3)
	require.Equal(t, [][3]int64{{100, 100, 1}, {131, 131, 1}, {90, 90, 1}}, spans(s, httpapi.Batch))
	require.Equal(t, [][3]int64{{120, 140, 2}}, spans(s, httpapi.Speed))
	require.Equal(t, [][3]int64{{100, 140, 4}, {90, 90, 1}}, spans(s, httpapi.Merged))
	require.Equal(t, 2, s.Status().Rows.Trips, "one less than the batch view has alone")

	of := func(from, to int64, car string) []view.Trip {
		trips, _, _ := s.Trips(httpapi.Range{From: from, To: to, Car: car, Layer: httpapi.Merged})
		return trips
	}
	require.Len(t, of(100_000, 100_001, "a"), 1)
	require.Empty(t, of(100_001, 200_000, "a"), "what begins before is not in the range")
	require.Empty(t, of(0, 100_000, "a"))
	require.Empty(t, of(0, 200_000, "c"))
}

// Ensure that a copy after the boundary counts once, also when its window is closed and only the
// trips wait for it: the hand-over knows it.
func TestTripsKnowWhatTheBatchViewCounted(t *testing.T) {
	log := logOf(t,
		driving("a", 0, 1_000), driving("b", 0, 52_000), // closes [0, 10)
		driving("a", 0, 1_000), driving("a", 0, 29_000), driving("b", 1, 72_000),
		driving("a", 0, 25_000)) // forgotten by now
	s := serveDivided(t, log, 2)
	require.Equal(t, [][3]int64{{1, 25, 2}, {52, 72, 2}}, spans(s, httpapi.Merged))
}

// Ensure that a late reading that bridges two trips leaves one with the smaller start: one changed
// row, and a tombstone behind it. So does a reading before the first one, of a row that was written.
func TestBridgeIsATombstoneAndARow(t *testing.T) {
	g := newGeneration(testConfig(t), emptyHandover(testConfig(t), 0), event.NewDecoder(schemas{}))
	log := logOf(t,
		driving("a", 0, 100_000), driving("a", 1, 131_000), driving("a", 2, 120_000),
		driving("a", 3, 95_000))
	judge := func(records ...eventlog.Record) (rows []speedRow) {
		t.Helper()
		for _, r := range records {
			require.NoError(t, g.judge(&r))
		}
		require.NoError(t, g.encode())
		for i := range g.rows.records {
			var row speedRow
			require.NoError(t, readRow(&g.rows.records[i], &row))
			if row.kind == tripKind {
				rows = append(rows, row)
			}
		}
		g.flushed()
		return rows
	}
	require.Len(t, judge(log[0]), 1)
	require.Len(t, judge(log[1]), 1)
	bridged := judge(log[2])
	require.Len(t, bridged, 2)
	require.EqualValues(t, 100_000, bridged[0].trip.Start)
	require.EqualValues(t, 3, bridged[0].trip.Readings)
	require.True(t, bridged[1].gone)
	require.EqualValues(t, 131_000, bridged[1].start)
	earlier := judge(log[3])
	require.Len(t, earlier, 2)
	require.EqualValues(t, 95_000, earlier[0].trip.Start)
	require.True(t, earlier[1].gone)
	require.EqualValues(t, 100_000, earlier[1].start)

	// What no flush has seen leaves no trace.
	g = newGeneration(testConfig(t), emptyHandover(testConfig(t), 0), event.NewDecoder(schemas{}))
	require.Len(t, judge(log...), 1)
}

// Ensure that rows of two builds may mix: one that begins again after a crash says smaller trips
// once more, and tombstones of them, and changes nothing. (Invariant 7.)
func TestTripsOfTwoBuildsMix(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 5))
		cfg := testConfig(t)
		cfg.Rules.TripGap = brittleGaps[seed%3]
		records := disturbed(t, seed, 2, 200)
		rows := newPart(&Manifest{Rules: cfg.Rules, Views: cfg.Views}, 0)
		rows.setBatch(&batchPart{})
		again := func(end int) {
			build(t, newGeneration(cfg, emptyHandover(cfg, 0), event.NewDecoder(schemas{})), rows, records[:end], random)
		}
		again(150)
		before := rows.readTrips(nil, httpapi.All(), 1)
		again(random.IntN(150))
		require.ElementsMatch(t, before, rows.readTrips(nil, httpapi.All(), 1))
		again(len(records))
		p := &pair{manifest: &Manifest{Views: cfg.Views, Rules: cfg.Rules}, parts: []*part{rows}}
		s := &Serving{cfg: cfg}
		p.stampAs(&progress{})
		s.live.Store(p)
		s.ends.Store(&[]int64{int64(len(records))})
		naiveAnswer(t, cfg, records, 0).requireTrips(t, s)
	}
}

// Ensure that the number of trips is right whenever the batch view comes: before the rows of the
// speed view, or after them.
func TestTripsAreCountedWheneverTheBatchViewComes(t *testing.T) {
	cfg := testConfig(t)
	cfg.Rules.TripGap = 1_000
	records := disturbed(t, 3, 3, 300)
	ingestAll(t, cfg, records[:150])
	m := runBatchOnce(t, cfg)
	h, err := cfg.loadHandover(m, 0)
	require.NoError(t, err)
	s := &Serving{cfg: cfg, partitions: 1}
	p := DefaultConfig().newPair(m, 1)
	build(t, newGeneration(cfg, h, event.NewDecoder(schemas{})), p.parts[0], records, rand.New(rand.NewPCG(1, 1)))
	batches, err := s.loadBatch(m)
	require.NoError(t, err)
	p.setBatches(batches)
	p.stampAs(&progress{})
	s.live.Store(p)
	s.ends.Store(&[]int64{int64(len(records))})
	naiveAnswer(t, cfg, records, 150).requireTrips(t, s)
}

// Ensure that without trips there is none, and all else is as it was.
func TestWithoutTrips(t *testing.T) {
	records := disturbed(t, 5, 3, 300)
	cfg := testConfig(t)
	cfg.Views = view.Windows | view.Alerts
	ingestAll(t, cfg, records[:150])
	m := runBatchOnce(t, cfg)
	require.NoFileExists(t, partFile(cfg.generationDir(1), "trips", 0))
	h, err := cfg.loadHandover(m, 0)
	require.NoError(t, err)
	p := loadPair(t, cfg, m)
	g := newGeneration(cfg, h, event.NewDecoder(schemas{}))
	require.Nil(t, g.trips)
	build(t, g, p.parts[0], records, rand.New(rand.NewPCG(1, 1)))
	s := &Serving{cfg: cfg}
	p.stampAs(&progress{})
	s.live.Store(p)
	s.ends.Store(&[]int64{int64(len(records))})
	trips, _, kept := s.Trips(httpapi.All())
	require.False(t, kept)
	require.Empty(t, trips)
	want := naiveAnswer(t, cfg, records, 150)
	windows, _ := s.Windows(httpapi.All())
	alerts, _ := s.Alerts(httpapi.All())
	want.requireAnswer(t, windows, alerts)
	require.Equal(t, want.counters, s.Status().Counters)
	require.Equal(t, cfg.Views, s.Status().Views)
}

// Ensure that the memory of the trips is bounded by the horizon and by trips that are not over, also
// for cars that fall silent. (Invariant 8.)
func TestTripStateForgets(t *testing.T) {
	cfg := testConfig(t)
	g := newGeneration(cfg, emptyHandover(cfg, 0), event.NewDecoder(schemas{}))
	for seq := range int64(2_000) {
		e := driving("steady", seq, seq*1000)
		if seq%10 == 5 {
			e = driving(carName(int(seq)), 0, seq*1000)
		}
		r := recordOf(t, e)
		r.Offset = seq
		require.NoError(t, g.judge(&r))
		g.flushed()
	}
	require.LessOrEqual(t, len(g.trips.cars), 1+11)
	steady := g.trips.cars["steady"]
	require.Len(t, steady.trips, 1)
	require.EqualValues(t, 1_800, steady.trips[0].Readings)
	require.LessOrEqual(t, len(steady.seen), 8)
}

// Ensure that a view is added by the next batch run, with all history, and that the speed layer and
// serving follow, while answers go on.
func TestAViewIsAddedByABatchRun(t *testing.T) {
	log := startLog(t, 2)
	cfg := logConfig(t, log)
	without := cfg
	without.Views = view.Windows | view.Alerts
	records := disturbed(t, 4, 6, 400)
	send(t, log, records[:200])
	start(t, without, Ingest)
	start(t, without, Speed)
	serving := serve(t, without)
	first := batch(t, without)
	requireTruth(t, serving, settle(t, serving, first.Generation))
	_, _, kept := serving.Trips(httpapi.All())
	require.False(t, kept, "not kept, which is not the same as none")
	require.Equal(t, without.Views, serving.Status().Views)

	second := batch(t, cfg)
	send(t, log, records[200:])
	requireTruth(t, serving, settle(t, serving, second.Generation))
	_, _, kept = serving.Trips(httpapi.All())
	require.True(t, kept)
	require.Equal(t, cfg.Views, serving.Status().Views)
}

// Ensure that a distance goes by how often cars send to whoever computes the trips, and not by what
// serving was told.
func TestReadingIntervalTravelsWithTheView(t *testing.T) {
	cfg := logConfig(t, startLog(t, 1))
	serving := serve(t, cfg)
	cfg.Rules.ReadingInterval = 10_000
	send(t, cfg.Log, logOf(t, driving("a", 0, 100_000), driving("a", 1, 110_000))) // 2 m/s
	start(t, cfg, Ingest)
	start(t, cfg, Speed)
	requireDistance := func() {
		t.Helper()
		trips, _, _ := serving.Trips(httpapi.All())
		require.Len(t, trips, 1)
		require.EqualValues(t, 40, trips[0].Distance)
	}
	settle(t, serving, 0)
	requireDistance()
	settle(t, serving, batch(t, cfg).Generation)
	requireDistance()
}
