package oracle

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/event"
	"lambdakappa/view"
)

// withTrips is small with trips: gap 20 s, so that with a lateness of 10 s and a disorder of 3 s a
// reading is late once a younger one has come that is 33 s ahead.
func withTrips(partitions int) Config {
	cfg := small(partitions)
	cfg.Trips, cfg.TripGapMs, cfg.IntervalMs = true, 20_000, 500
	return cfg
}

// standing is a reading of a car that stands.
func standing(car string, seq, second int64) *event.CarSensor {
	e := reading(car, seq, second)
	e.Speed = 0
	return e
}

// spans are trips in short: seconds of start and end, and readings.
func spans(a Answer) (all [][3]int64) {
	for _, trip := range a.Trips {
		all = append(all, [3]int64{trip.Start / 1000, trip.End / 1000, trip.Readings})
	}
	return all
}

func TestTripByHand(t *testing.T) {
	a, b := reading("a", 0, 3), reading("a", 1, 5)
	a.Speed, b.Speed = 1.5, 0.25
	b.Accelerometer11, b.Accelerometer12 = -2.75, 2.51
	o := oracleOf(t, withTrips(1), logOf(a, standing("a", 2, 6), b))
	require.Equal(t, view.Table[view.TripKey, view.Trip]{{
		CarID: "a",
		Stretch: view.Stretch{
			Start: 3_000, End: 5_000, Readings: 2, SpeedSum: 7 << 22, HarshBrakes: 1,
		},
		Distance: 0.875, // 1.75 m/s for half a second each
	}}, o.TruthB().Trips)
}

// Ensure that a brake is harsh when both front wheels feel more than the limit.
func TestHarsh(t *testing.T) {
	f := func(left, right float32, want bool) {
		t.Helper()
		e := reading("a", 0, 0)
		e.Accelerometer11, e.Accelerometer12 = left, right
		e.Accelerometer21, e.Accelerometer22 = 20, 20
		require.Equal(t, want, harsh(e))
	}
	f(2.75, 2.75, true)
	f(-2.75, 2.75, true)
	f(2.5, 2.75, false)
	f(2.75, -2.5, false)
	f(20, 0, false) // a shock absorber
}

// Ensure that the gap is included, that a late reading bridges two trips, and that the one that
// remains has the smaller start.
func TestALateReadingBridges(t *testing.T) {
	log := logOf(reading("a", 0, 100), reading("a", 1, 120), reading("a", 2, 141), reading("a", 3, 121))
	o := oracleOf(t, withTrips(1), log[:3])
	require.Equal(t, [][3]int64{{100, 120, 2}, {141, 141, 1}}, spans(o.TruthB()))
	o = oracleOf(t, withTrips(1), log)
	require.Equal(t, [][3]int64{{100, 141, 4}}, spans(o.TruthB()))
}

// Ensure that lateness for the trips is apart from lateness for the windows, and exclusive.
func TestLateForTrips(t *testing.T) {
	log := logOf(
		reading("a", 0, 53),  // watermark 50
		reading("a", 1, 21),  // late for its window, in time for the trips
		reading("a", 2, 20),  // late for both: 20 + 20 + 10
		reading("a", 3, 153), // watermark 150
		reading("a", 4, 120), // late for both
		reading("a", 5, 130), // its window [130, 140) closes at 150
		reading("a", 6, 140), // in time for both
	)
	o := oracleOf(t, withTrips(1), log)
	b := o.TruthB()
	require.Equal(t, map[Position]bool{{0, 1}: true, {0, 2}: true, {0, 4}: true, {0, 5}: true}, b.Late)
	require.Equal(t, map[Position]bool{{0, 2}: true, {0, 4}: true}, b.LateTrips)
	require.EqualValues(t, 4, b.Counters.DroppedLate)
	require.EqualValues(t, 2, b.Counters.DroppedLateTrips)
	require.Equal(t, [][3]int64{{21, 21, 1}, {53, 53, 1}, {130, 153, 3}}, spans(b))

	a := o.TruthA()
	require.Empty(t, a.LateTrips)
	require.Zero(t, a.Counters.DroppedLateTrips)
	require.Equal(t, [][3]int64{{20, 21, 2}, {53, 53, 1}, {120, 153, 4}}, spans(a))
}

// Ensure that with windows that are longer than the gap it is the other way round: late for the
// trips and in time for the window.
func TestLateForTripsAlone(t *testing.T) {
	cfg := withTrips(1)
	cfg.WindowMs = 100_000
	b := oracleOf(t, cfg, logOf(reading("a", 0, 53), reading("a", 1, 20))).TruthB()
	require.Empty(t, b.Late)
	require.Equal(t, map[Position]bool{{0, 1}: true}, b.LateTrips)
	require.Equal(t, [][3]int64{{53, 53, 1}}, spans(b))
}

// Ensure that a reading counts once on a trip, standing or not, and that a conflict cannot drive.
func TestTripsCountOnce(t *testing.T) {
	parked, driven := standing("a", 0, 5), reading("a", 0, 15)
	log := logOf(parked, driven, reading("a", 1, 6), reading("a", 1, 6))
	o := oracleOf(t, withTrips(1), log)
	require.Equal(t, [][3]int64{{6, 6, 1}}, spans(o.TruthA()))
	require.Equal(t, [][3]int64{{6, 6, 1}}, spans(o.TruthB()))
}

// Ensure that truth B forgets a reading with its window: once all of it is late for the trips.
func TestTripsForget(t *testing.T) {
	again := reading("a", 0, 50)
	// [0, 10) is forgotten at 10 + 20 + 10 = 40.
	before := logOf(reading("a", 0, 9), reading("a", 1, 42), again)
	after := logOf(reading("a", 0, 9), reading("a", 1, 43), again)
	require.Equal(t, [][3]int64{{9, 9, 1}, {42, 42, 1}}, spans(oracleOf(t, withTrips(1), before).TruthB()))
	require.Equal(t, [][3]int64{{9, 9, 1}, {43, 50, 2}}, spans(oracleOf(t, withTrips(1), after).TruthB()))
	require.Equal(t, [][3]int64{{9, 9, 1}, {43, 43, 1}}, spans(oracleOf(t, withTrips(1), after).TruthA()))
}

// Law: truth A's trips are the readings in the order of time, cut where the gap is too wide.
func TestLawTripsByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := withTrips(2)
		log := anyLog(t, 2, true)
		times, seen := map[string][]int64{}, map[view.AlertKey]bool{}
		for _, e := range log {
			if e.Event == nil || cfg.future(e.Event.EventTime, e.AppendTime) {
				continue
			}
			id := view.AlertKey{CarID: e.Event.CarID, Seq: e.Event.Seq}
			if !seen[id] && e.Event.Speed > 0 {
				times[id.CarID] = append(times[id.CarID], e.Event.EventTime)
			}
			seen[id] = true
		}
		want := map[view.TripKey][2]int64{} // end and readings
		for car, all := range times {
			slices.Sort(all)
			start := all[0]
			for i, at := range all {
				if i > 0 && at-all[i-1] > cfg.TripGapMs {
					start = at
				}
				key := view.TripKey{CarID: car, Start: start}
				want[key] = [2]int64{at, want[key][1] + 1}
			}
		}
		got := map[view.TripKey][2]int64{}
		for _, trip := range oracleOf(t, cfg, log).TruthA().Trips {
			got[trip.Key()] = [2]int64{trip.End, trip.Readings}
		}
		require.Equal(t, want, got)
	})
}

// Law: at any boundary the answer lies between the truths, and every event that is in no trip is
// accounted for.
func TestLawTripsAtBoundaries(t *testing.T) {
	readings := func(a Answer) (n int64) {
		for _, trip := range a.Trips {
			n += trip.Readings
		}
		return n
	}
	rapid.Check(t, func(t *rapid.T) {
		log := anyLog(t, 2, false)
		o := oracleOf(t, withTrips(2), log)
		end := make([]int64, 2)
		for _, e := range log {
			end[e.Partition] = e.Offset + 1
		}
		require.Equal(t, o.TruthB(), o.Lambda([]int64{0, 0}))
		require.Equal(t, o.TruthA(), o.Lambda(end))
		between := o.Lambda(anyBoundary(t, 2))
		require.LessOrEqual(t, readings(o.TruthB()), readings(between))
		require.LessOrEqual(t, readings(between), readings(o.TruthA()))
		require.EqualValues(t, len(between.LateTrips), between.Counters.DroppedLateTrips)
	})
}

// Law: without trips everything else is the same.
func TestLawTripsChangeNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log, boundary := anyLog(t, 2, true), anyBoundary(t, 2)
		with := oracleOf(t, withTrips(2), log).Lambda(boundary)
		without := oracleOf(t, small(2), log).Lambda(boundary)
		require.Empty(t, without.Trips)
		require.Empty(t, without.LateTrips)
		with.Trips, with.LateTrips, with.Counters.DroppedLateTrips = without.Trips, without.LateTrips, 0
		require.Equal(t, without, with)
	})
}

func TestTripConfigErrors(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) { c.TripGapMs = -1 }, func(c *Config) { c.IntervalMs = 0 },
	} {
		cfg := withTrips(1)
		change(&cfg)
		_, err := New(cfg)
		require.ErrorContains(t, err, "must not be negative, must be above 0")
	}
}
