package kappa

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// driving is an ordinary reading of a car that moves, parked one of a car that does not.
func driving(car string, seq, at int64) event.CarSensor {
	e := measured(car, seq, at)
	e.Speed = 2
	return e
}

func parked(car string, seq, at int64) event.CarSensor {
	e := measured(car, seq, at)
	e.Speed = 0
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
func spans(trips []view.Trip) (all [][3]int64) {
	for _, trip := range trips {
		all = append(all, [3]int64{trip.Start / 1000, trip.End / 1000, trip.Readings})
	}
	return all
}

func TestTripByHand(t *testing.T) {
	a, b := driving("a", 0, 3_000), driving("a", 1, 5_000)
	a.Speed, b.Speed = 1.5, 0.25
	b.Accelerometer11, b.Accelerometer12 = -2.75, 2.51
	require.Equal(t, []view.Trip{{
		CarID: "a",
		Stretch: view.Stretch{
			Start: 3_000, End: 5_000, Readings: 2, SpeedSum: 7 << 22, HarshBrakes: 1,
		},
		Distance: 1.75, // 1.5 and 0.25 m/s, for a second each
	}}, straight(t, logOf(t, a, parked("a", 2, 6_000), b)).Trips)
}

// Ensure that a brake is harsh when both front wheels feel more than the limit.
func TestHarshBrakes(t *testing.T) {
	f := func(left, right float32, want int64) {
		t.Helper()
		e := driving("a", 0, 0)
		e.Accelerometer11, e.Accelerometer12 = left, right
		e.Accelerometer21, e.Accelerometer22 = 20, 20
		require.Equal(t, want, driven(&e).HarshBrakes)
	}
	f(2.75, 2.75, 1)
	f(-2.75, 2.75, 1)
	f(2.5, 2.75, 0)
	f(2.75, -2.5, 0)
	f(20, 0, 0)
}

// Ensure that a late reading that bridges two trips leaves one with the smaller start: one changed
// row, and a tombstone behind it. So does a reading before the first one, of a row that was written.
func TestBridgeIsATombstoneAndARow(t *testing.T) {
	m := newMemory()
	task := m.resume(t)
	log := logOf(t,
		driving("a", 0, 100_000), driving("a", 1, 131_000), driving("a", 2, 120_000),
		driving("a", 3, 95_000))
	judge := func(r eventlog.Record) []eventlog.Record {
		t.Helper()
		before := len(m.changelog)
		require.NoError(t, task.judge(&r))
		require.False(t, m.flush(t, task, math.MaxInt))
		rows := slices.Clone(m.changelog[before:])
		return slices.DeleteFunc(rows, func(r eventlog.Record) bool { return rowKind(&r) != tripKind })
	}
	startOf := func(r eventlog.Record) int64 {
		start, _, err := rowKey(&r)
		require.NoError(t, err)
		return start
	}
	require.Len(t, judge(log[0]), 1)
	require.Len(t, judge(log[1]), 1)
	require.Equal(t, [][3]int64{{100, 100, 1}, {131, 131, 1}}, spans(m.outcome(t).Trips))

	bridged := judge(log[2])
	require.Len(t, bridged, 2)
	require.EqualValues(t, 100_000, startOf(bridged[0]))
	require.NotEmpty(t, bridged[0].Value)
	require.EqualValues(t, 131_000, startOf(bridged[1]))
	require.Nil(t, bridged[1].Value)
	require.Equal(t, [][3]int64{{100, 131, 3}}, spans(m.outcome(t).Trips))

	earlier := judge(log[3])
	require.Len(t, earlier, 2)
	require.EqualValues(t, 95_000, startOf(earlier[0]))
	require.EqualValues(t, 100_000, startOf(earlier[1]))
	require.Nil(t, earlier[1].Value)
	require.Equal(t, [][3]int64{{95, 131, 4}}, spans(m.outcome(t).Trips))

	m.compact()
	require.Equal(t, [][3]int64{{95, 131, 4}}, spans(m.outcome(t).Trips))

	// What no flush has seen leaves no trace.
	m = newMemory()
	task = m.resume(t)
	for _, r := range log[:3] {
		require.NoError(t, task.judge(&r))
	}
	log[3].Offset = 3
	require.Len(t, judge(log[3]), 1)
	require.Equal(t, [][3]int64{{95, 131, 4}}, spans(m.outcome(t).Trips))
}

// Ensure that a restore begins early enough for the trips, which wait longer than windows do: the
// reading at 0 s is on the trip that the last one prolongs, and its copy is a copy.
func TestRestoreKnowsWhatTripsNeed(t *testing.T) {
	log := logOf(t,
		driving("a", 0, 1_000),
		driving("b", 0, 52_000), // closes [0, 10), and not for the trips
		driving("a", 0, 25_000),
		driving("b", 1, 79_000), // closes that as well, and not the trip
		driving("a", 1, 31_000))
	want := straight(t, log)
	require.Equal(t, [][3]int64{{1, 31, 2}, {52, 79, 2}}, spans(want.Trips))
	m := newMemory()
	for i := range log {
		task := m.resume(t)
		require.NoError(t, task.judge(&log[i]))
		require.False(t, m.flush(t, task, math.MaxInt))
		m.commitAt(t, task)
	}
	require.Equal(t, want, m.outcome(t))
}

// Ensure that between the row that swallows another and the tombstone of that one nobody is answered
// a reading twice or not at all.
func TestNoReadingTwiceBetweenTwoRows(t *testing.T) {
	m := newMemory()
	task := m.resume(t)
	log := logOf(t, driving("a", 0, 100_000), driving("a", 1, 131_000), driving("a", 2, 120_000))
	for _, r := range log {
		require.NoError(t, task.judge(&r))
		require.False(t, m.flush(t, task, math.MaxInt))
	}
	p, readings := newPart(), int64(0)
	for _, r := range m.changelog {
		_, _, err := p.take([]eventlog.Record{r})
		require.NoError(t, err)
		var now int64
		for _, trip := range p.readTrips(nil, everything, 1) {
			now += trip.Readings
		}
		require.GreaterOrEqual(t, now, readings)
		require.LessOrEqual(t, now, int64(len(log)))
		readings = now
	}
	require.EqualValues(t, 3, readings)
}

// Ensure that a flush that is torn between any two of its rows loses no reading and counts none
// twice, and that the tombstone that it lacked is written by the next life.
func TestTornBridge(t *testing.T) {
	log := logOf(t,
		driving("a", 0, 100_000), driving("a", 1, 131_000), driving("b", 0, 131_000),
		driving("a", 2, 120_000), driving("a", 2, 120_000), parked("b", 0, 132_000))
	want := straight(t, log)
	require.Equal(t, [][3]int64{{100, 131, 3}, {131, 131, 1}}, spans(want.Trips))
	for try := range 18 {
		survives, commits := try/2, try%2 == 0
		m := newMemory()
		task := m.resume(t)
		for i := range log[:3] {
			require.NoError(t, task.judge(&log[i]))
		}
		require.False(t, m.flush(t, task, math.MaxInt))
		if commits {
			m.commitAt(t, task)
		}
		for i := range log[3:] {
			require.NoError(t, task.judge(&log[3+i]))
		}
		m.flush(t, task, survives)

		task = m.resume(t)
		require.Equal(t, commits, task.Position == 3)
		require.True(t, m.live(t, task, log, rand.New(rand.NewPCG(0, 0)), 1, 1, 1, false))
		require.Equal(t, want, m.outcome(t), survives)
		m.compact()
		rows := 0
		for _, r := range m.changelog {
			if rowKind(&r) == tripKind && r.Value != nil {
				rows++
			}
		}
		require.Equal(t, 2, rows, "what is left of (a, 131 s) after %d rows is its tombstone", survives)
	}
}

// naiveTrips is truth B for the trips, from the definition and with all readings at hand.
func naiveTrips(t testing.TB, rules event.Rules, log []eventlog.Record) (all [][3]int64, late int64) {
	decoder, watermark := event.NewDecoder(schemas{}), int64(math.MinInt64/2)
	type id struct {
		car string
		seq int64
	}
	seen, times := map[id]int64{}, map[string][]int64{} // window start; event times of those that move
	for _, r := range log {
		var e event.CarSensor
		if decoder.Decode(r.Key, r.Value, &e) != nil || rules.CheckSkew(e.EventTime, r.AppendTime) != nil {
			continue
		}
		at, wait := e.EventTime, rules.TripGap+rules.AllowedLateness
		start, known := seen[id{e.CarID, e.Seq}]
		switch {
		case at+wait <= watermark:
			late++
		case known && start+rules.Window+wait > watermark:
		default:
			seen[id{e.CarID, e.Seq}] = at - at%rules.Window
			if e.Speed > 0 {
				times[e.CarID] = append(times[e.CarID], at)
			}
		}
		watermark = max(watermark, at-rules.DisorderBound)
	}
	cars := make([]string, 0, len(times))
	for car := range times {
		cars = append(cars, car)
	}
	slices.Sort(cars)
	for _, car := range cars {
		slices.Sort(times[car])
		for i, at := range times[car] {
			if i == 0 || at-times[car][i-1] > rules.TripGap {
				all = append(all, [3]int64{at, at, 0})
			}
			last := &all[len(all)-1]
			last[1], last[2] = at, last[2]+1
		}
	}
	return all, late
}

// Ensure that trips are what the definition says, whatever the rules and the log.
func TestTripsByDefinition(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMemory()
		m.cfg.Rules.Window = rapid.SampledFrom([]int64{1_000, 10_000, 60_000}).Draw(rt, "window")
		m.cfg.Rules.TripGap = rapid.SampledFrom([]int64{0, 999, 1_000, 5_000, 30_000}).Draw(rt, "gap")
		m.cfg.Rules.AllowedLateness = rapid.SampledFrom([]int64{10_000, 30_000}).Draw(rt, "lateness")
		log := disturbed(t, rapid.Uint64Range(0, 20).Draw(rt, "log"), 2, 300)
		for i := range log { // some stand
			if log[i].Offset%3 == 0 {
				var e event.CarSensor
				if event.NewDecoder(schemas{}).Decode(log[i].Key, log[i].Value, &e) == nil {
					e.Speed = 0
					log[i].Value = recordOf(t, e).Value
				}
			}
		}
		got := m.straight(rt, log)
		want, late := naiveTrips(t, m.cfg.Rules, log)
		var served [][3]int64
		for _, trip := range got.Trips {
			served = append(served, [3]int64{trip.Start, trip.End, trip.Readings})
		}
		require.Equal(rt, want, served)
		require.Equal(rt, late, got.Progress.Counters.DroppedLateTrips)
	})
}

// Ensure that the late topic has one entry per offset, which names the views that did without.
func TestLateNamesTheViews(t *testing.T) {
	said := straight(t, logOf(t,
		driving("a", 0, 162_000),  // watermark 160
		driving("a", 1, 115_000),  // its window ends at 120, and closes at 150
		driving("a", 2, 100_000))) // 100 + 30 + 30
	require.Equal(t, map[string]string{
		"cars/0/1": "late windows,alerts", "cars/0/2": "late windows,alerts,trips",
	}, said.Sides)
	long := newMemory()
	long.cfg.Rules.Window = 100_000
	require.Equal(t, map[string]string{"cars/0/1": "late trips"},
		long.straight(t, logOf(t, driving("a", 0, 162_000), driving("a", 1, 100_000))).Sides)
}

// Ensure that without trips there is none, nothing is said of them, and all else is as it was.
func TestWithoutTrips(t *testing.T) {
	log := disturbed(t, 5, 3, 400)
	m := newMemory()
	m.cfg = withoutTrips()
	got, want := m.straight(t, log), straight(t, log)
	require.Empty(t, got.Trips)
	require.Equal(t, want.Windows, got.Windows)
	require.Equal(t, want.Alerts, got.Alerts)
	require.Zero(t, got.Progress.Counters.DroppedLateTrips)
	for _, r := range m.changelog {
		require.NotContains(t, []byte{tripKind, seenKind}, rowKind(&r))
	}
	require.Nil(t, m.resume(t).trips)
}

// Ensure that the state of the trips is bounded by the horizon and by trips that are not over, also
// for cars that fall silent (invariant 6).
func TestTripStateForgets(t *testing.T) {
	task := memoryTask()
	for seq := range int64(2_000) {
		e := driving("steady", seq, seq*1000)
		if seq%10 == 5 {
			e = driving(carName(int(seq)), 0, seq*1000)
		}
		r := recordOf(t, e)
		r.Offset = seq
		require.NoError(t, task.judge(&r))
		task.flushed(true)
	}
	require.LessOrEqual(t, len(task.trips.cars), 1+11)
	steady := task.trips.cars["steady"]
	require.Len(t, steady.trips, 1)
	require.EqualValues(t, 1_800, steady.trips[0].Readings)
	require.LessOrEqual(t, len(steady.seen), 8)
	for _, c := range task.trips.cars {
		for _, trip := range c.trips {
			require.False(t, task.rules.TripForgotten(task.trips.horizon(trip.End), task.Watermark))
		}
	}
}

// Ensure that rows of trips survive the changelog as they are.
func TestTripRowRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		time := rapid.Int64Range(0, math.MaxInt64/2)
		want := trip{
			car: &tripCar{id: rapid.StringN(1, 40, -1).Draw(t, "car")},
			Stretch: view.Stretch{
				Start: time.Draw(t, "start"), Readings: rapid.Int64Min(1).Draw(t, "readings"),
				SpeedSum: rapid.Int64().Draw(t, "sum"), HarshBrakes: rapid.Int64().Draw(t, "harsh"),
			},
			foldedTo: rapid.Int64().Draw(t, "foldedTo"),
		}
		want.End = want.Start + time.Draw(t, "length")
		seen := []reading{{3, 7, 1}, {2, 9, rapid.Uint32().Draw(t, "fingerprint")}}
		var rows changelogWriter
		rows.trip(&want, 1)
		rows.tripWindow(&tripWindow{car: want.car, start: 10, seen: seen}, 1)
		start, id, err := rowKey(&rows.records[0])
		require.NoError(t, err)
		require.Equal(t, want.car.id, string(id))
		var row tripRow
		require.NoError(t, readTrip(start, rows.records[0].Value, &row))
		require.Equal(t, tripRow{want.Stretch, want.foldedTo}, row)
		read, err := readTripWindow(rows.records[1].Value)
		require.NoError(t, err)
		require.Equal(t, seen, read)
	})
}

// Ensure that no bytes make the readers of rows panic, or allocate more than they are worth, and
// that what they take is a trip.
func FuzzTripRows(f *testing.F) {
	var rows changelogWriter
	c := &tripCar{id: "a"}
	rows.trip(&trip{car: c, Stretch: view.Stretch{Start: 5, End: 9, Readings: 1}}, 0)
	rows.tripWindow(&tripWindow{car: c, seen: []reading{{1, 2, 3}}}, 0)
	rows.goneTrip(view.TripKey{CarID: "a", Start: 7}, 0)
	for _, r := range rows.records {
		f.Add(r.Key, r.Value)
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		var row tripRow
		if readTrip(100, value, &row) == nil {
			require.GreaterOrEqual(t, row.End, row.Start)
			require.Positive(t, row.Readings)
		}
		seen, _ := readTripWindow(value)
		require.LessOrEqual(t, len(seen), len(value)/6+1, "a reading takes six bytes at least")
		r := eventlog.Record{Key: key, Value: value}
		_ = memoryTask().restoreRow(&r)
		_, _, _ = newPart().take([]eventlog.Record{r})
	})
}

// Ensure that a view's name says what is in it.
func TestViewNames(t *testing.T) {
	cfg := DefaultConfig()
	f := func(version string, views view.Set, want string) {
		t.Helper()
		cfg.Version, cfg.Views = version, views
		require.Equal(t, want, cfg.ViewName())
		gotVersion, gotViews := readName(want)
		require.Equal(t, version, gotVersion)
		require.Equal(t, views, gotViews)
	}
	f("v1", view.All, "v1")
	f("v2", view.Windows|view.Alerts, "v2-windows-alerts")
	require.Equal(t, "kappa.changelog.v2-windows-alerts", ChangelogTopic(cfg.ViewName()))
	version, _ := readName("v1-somebody's")
	require.Error(t, checkVersion(version))
}

// Ensure that a distance goes by how often cars send to whoever computes the trips, and not by what
// serving was told.
func TestReadingIntervalTravelsWithTheView(t *testing.T) {
	cfg := testConfig(startLog(t, 1))
	require.NoError(t, CreateTopics(context.Background(), cfg.Log, 1, cfg.ViewName()))
	s, serving := serve(t, cfg)
	cfg.Rules.ReadingInterval = 10_000
	send(t, cfg.Log, logOf(t, driving("a", 0, 100_000), driving("a", 1, 110_000))) // 2 m/s
	process := background(t, func(ctx context.Context) error { return Process(ctx, cfg) })
	awaitEnd(t, s)
	trips, _, _ := s.Trips(everything)
	require.Len(t, trips, 1)
	require.EqualValues(t, 40, trips[0].Distance)
	serving.stop(t)
	process.stop(t)
}
