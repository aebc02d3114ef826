package oracle

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/view"
)

// Ensure that every field of a row is what a pencil says.
func TestRowsByHand(t *testing.T) {
	a := hot("a", 7, 3)
	a.Speed, a.CurrentDraw, a.TirePressure22, a.BatteryVoltage = 1.5, 0.25, 31, 230
	b := reading("a", 4, 9)
	b.Speed, b.CurrentDraw, b.EngineVibrationAmplitude = 0.25, -0.5, 180
	o := oracleOf(t, small(1), logOf(a, b))

	got := o.TruthB()
	require.Equal(t, view.Table[view.WindowKey, view.Window]{{
		WindowKey: view.WindowKey{CarID: "a", Start: 0},
		Tally: view.Tally{
			Readings: 2, Anomalies: 2, LastSeq: 7,
			SpeedSum: 7 << 22, SpeedMax: 1.5, // 1.75 is 7 quarters
			CoolantTempMax: 121, EngineVibrationMax: 180, TirePressureMin: 31,
			BatteryVoltageMin: 230, CurrentDrawSum: -1 << 22,
		},
	}}, got.Windows)
	require.Equal(t, view.Table[view.AlertKey, view.Alert]{
		{AlertKey: view.AlertKey{CarID: "a", Seq: 4}, EventTime: 9000, Rule: view.DriveShaft, Score: 4.8},
		{AlertKey: view.AlertKey{CarID: "a", Seq: 7}, EventTime: 3000, Rule: view.Overheating, Score: 1.1},
	}, got.Alerts)
	require.Equal(t, view.Counters{Events: 2}, got.Counters)
	require.Equal(t, []int64{6000}, got.Watermarks)
}

// Ensure that a window holds its start and not its end.
func TestWindowsAreHalfOpen(t *testing.T) {
	o := oracleOf(t, small(1), logOf(reading("a", 0, 10), reading("a", 1, 19), reading("a", 2, 20)))
	require.Equal(t, map[int64]counts{10: {2, 1}, 20: {1, 2}}, inShort(t, o.TruthA()))
}

// Ensure that a window takes updates until the watermark is exactly at its end plus the allowed
// lateness, and that the event that moves the watermark there is judged before it moves.
func TestLateIsJudgedBeforeTheWatermarkMoves(t *testing.T) {
	log := logOf(
		reading("a", 0, 22), // watermark 19: window [0, 10) is still open
		reading("a", 1, 9),  // admitted
		reading("a", 2, 23), // watermark 20 = 10 + 10: closed
		reading("a", 3, 9),  // dropped late
		reading("a", 4, 10), // [10, 20) is open
	)
	o := oracleOf(t, small(1), log)
	b := o.TruthB()
	require.Equal(t, map[int64]counts{0: {1, 1}, 10: {1, 4}, 20: {2, 2}}, inShort(t, b))
	require.Equal(t, map[Position]bool{{0, 3}: true}, b.Late)
	require.EqualValues(t, 1, b.Counters.DroppedLate)

	a := o.TruthA()
	require.Equal(t, map[int64]counts{0: {2, 3}, 10: {1, 4}, 20: {2, 2}}, inShort(t, a))
	require.Empty(t, a.Late)
	require.Zero(t, a.Counters.DroppedLate)
}

// Ensure that the watermark is each partition's own: a fast one closes nobody else's windows.
func TestWatermarkPerPartition(t *testing.T) {
	log := logOf(reading("fast", 0, 100), reading("slow", 0, 1))
	log[1].Partition, log[1].Offset = 1, 0
	b := oracleOf(t, small(2), log).TruthB()
	require.Len(t, b.Windows, 2)
	require.Equal(t, []int64{97_000, -2_000}, b.Watermarks)
}

// Ensure that a clock in the future is a dead letter, moves no watermark, and that the guard is
// exclusive: exactly the allowed skew passes.
func TestSkewGuard(t *testing.T) {
	log := logOf(reading("a", 0, 125), reading("a", 1, 105), reading("a", 2, 95))
	log[0].AppendTime, log[1].AppendTime = 119_999, 100_000
	for name, got := range map[string]Answer{
		"A": oracleOf(t, small(1), log).TruthA(), "B": oracleOf(t, small(1), log).TruthB(),
	} {
		require.Equal(t, map[Position]event.Reason{{0, 0}: event.ReasonFuture}, got.DeadLetters, name)
		require.EqualValues(t, 1, got.Counters.DeadLetters[event.ReasonFuture], name)
		require.Equal(t, map[int64]counts{100: {1, 1}, 90: {1, 2}}, inShort(t, got), name)
	}
	onlyFuture := oracleOf(t, small(1), log[:1]).TruthB()
	require.Equal(t, []int64{math.MinInt64}, onlyFuture.Watermarks)
}

// Ensure that what does not decode is counted under its reason and touches nothing else.
func TestDeadLetters(t *testing.T) {
	log := []Entry{
		{Offset: 0, Reject: event.ReasonMalformed},
		{Offset: 1, Reject: event.ReasonMalformed},
		{Offset: 5, Reject: event.ReasonKeyMismatch}, // offsets may have gaps
	}
	b := oracleOf(t, small(1), log).TruthB()
	require.Empty(t, b.Windows)
	require.Equal(t, view.Counters{Events: 3, DeadLetters: map[event.Reason]int64{
		event.ReasonMalformed: 2, event.ReasonKeyMismatch: 1,
	}}, b.Counters)
	require.Equal(t, event.ReasonKeyMismatch, b.DeadLetters[Position{0, 5}])
}

// Ensure that of two events with one identity the lower offset wins, in both truths, and that the
// bytes decide what the other one is called.
func TestDuplicatesAndConflicts(t *testing.T) {
	first, other := reading("a", 0, 5), hot("a", 0, 15) // the conflict claims another window
	log := logOf(first, first, other)
	log[2].Fingerprint = 1
	o := oracleOf(t, small(1), log)
	for name, got := range map[string]Answer{"A": o.TruthA(), "B": o.TruthB()} {
		require.Equal(t, map[int64]counts{0: {1, 0}}, inShort(t, got), name)
		require.Empty(t, got.Alerts, name)
		require.Equal(t, view.Counters{Events: 3, Duplicates: 1, Conflicts: 1}, got.Counters, name)
		// A conflict has passed the guard: it moves the watermark like everybody else.
		require.Equal(t, []int64{12_000}, got.Watermarks, name)
	}
}

// Ensure that truth B forgets a reading with its window, and truth A never.
func TestForgetting(t *testing.T) {
	again := reading("a", 0, 25)
	log := logOf(reading("a", 0, 5), reading("a", 1, 22), again, reading("a", 2, 23), again)
	log[2].Fingerprint, log[4].Fingerprint = 1, 1
	o := oracleOf(t, small(1), log)
	// Offset 2 comes under watermark 19: [0, 10) is open, (a, 0) is seen. Offset 4 comes under
	// watermark 22 (the conflict moved it): [0, 10) is closed, (a, 0) is forgotten.
	b := o.TruthB()
	require.EqualValues(t, 1, b.Counters.Conflicts)
	require.Equal(t, map[int64]counts{0: {1, 0}, 20: {3, 2}}, inShort(t, b))
	a := o.TruthA()
	require.EqualValues(t, 2, a.Counters.Conflicts)
	require.Equal(t, map[int64]counts{0: {1, 0}, 20: {2, 2}}, inShort(t, a))
}

// Ensure that a late copy of a reading is dropped late, not counted as a duplicate: the order of
// the tests is part of the definition.
func TestLateComesBeforeDuplicate(t *testing.T) {
	again := reading("a", 0, 5)
	log := logOf(again, reading("a", 1, 23), again)
	o := oracleOf(t, small(1), log)
	require.Equal(t, view.Counters{Events: 3, DroppedLate: 1}, o.TruthB().Counters)
	require.Equal(t, view.Counters{Events: 3, Duplicates: 1}, o.TruthA().Counters)
}

// Ensure that a wrong configuration is named.
func TestConfigErrors(t *testing.T) {
	f := func(change func(*Config), want string) {
		t.Helper()
		cfg := small(1)
		change(&cfg)
		_, err := New(cfg)
		require.EqualError(t, err, want)
	}
	f(func(c *Config) { c.WindowMs = 0 }, "window 0 ms: must be above 0")
	f(func(c *Config) { c.Partitions = 0 }, "partitions 0: must be above 0")
	f(func(c *Config) { c.Version = "v9" }, `version "v9": known are v1, v2, v3, v4`)

	_, err := NewFold(small(2), []int64{0})
	require.EqualError(t, err, "boundary of 1 partitions: the log has 2")
}

// Ensure that a log in the wrong order gives no truth at all.
func TestOffsetsMustGrow(t *testing.T) {
	log := logOf(reading("a", 0, 1), reading("a", 1, 2))
	log[1].Offset = 0
	require.PanicsWithValue(t, "offset 0 of partition 0 comes after 0",
		func() { oracleOf(t, small(1), log).TruthB() })
}
