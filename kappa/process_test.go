package kappa

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// judged is what became of a log of one partition, one event after the other.
func judged(t *testing.T, records ...eventlog.Record) *task {
	t.Helper()
	task := memoryTask()
	for _, r := range numbered(records...) {
		require.NoError(t, task.judge(&r))
	}
	return task
}

// Ensure that a window row is what a pencil says.
func TestFoldByHand(t *testing.T) {
	a, b := hot("a", 7, 3_000), measured("a", 4, 9_000)
	a.Speed, a.CurrentDraw, a.TirePressure22, a.BatteryVoltage = 1.5, 0.25, 31, 230
	b.Speed, b.CurrentDraw, b.EngineVibrationAmplitude = 0.25, -0.5, 30
	task := judged(t, recordOf(t, a), recordOf(t, b))
	require.Len(t, task.changed, 1)
	require.Equal(t, view.Tally{
		Readings: 2, Anomalies: 1, LastSeq: 7,
		SpeedSum: 7 << 22, SpeedMax: 1.5, // 1.75 is 7 quarters
		CoolantTempMax: 121, EngineVibrationMax: 30, TirePressureMin: 31,
		BatteryVoltageMin: 230, CurrentDrawSum: -1 << 22,
	}, task.changed[0].tally)
	require.Len(t, task.alerts, 1)
	require.Equal(t, view.Alert{
		AlertKey:  view.AlertKey{CarID: "a", Seq: 7},
		EventTime: 3_000, Rule: view.Overheating, Score: 1.1,
	}, task.alerts[0].Alert)
}

// Ensure that v3 and v4 tell one metric more each, and that earlier versions know nothing of it.
func TestNewMetric(t *testing.T) {
	e := measured("a", 0, 3_000)
	e.IntakeAirFlowSpeed, e.AmbientTemp = 7.25, 280.5
	for version, want := range map[string][2]float32{"v1": {}, "v2": {}, "v3": {7.25}, "v4": {7.25, 280.5}} {
		task := versionTask(version)
		r := recordOf(t, e)
		require.NoError(t, task.judge(&r))
		tally := &task.changed[0].tally
		require.Equal(t, want, [2]float32{tally.IntakeAirFlowMax, tally.AmbientTempMax}, version)
	}
}

// Ensure the order of tests (invariant 1): what an event could be called twice, it is called by
// the earlier test.
func TestOrderOfTests(t *testing.T) {
	counters := func(records ...eventlog.Record) view.Counters {
		t.Helper()
		return judged(t, records...).Counters
	}
	first := recordOf(t, measured("a", 0, 5_000))
	closes := recordOf(t, measured("a", 1, 42_000)) // watermark 40 s: [0 s, 10 s) is closed
	almost := recordOf(t, measured("a", 1, 41_999))
	other := measured("a", 0, 15_000)
	conflict := recordOf(t, other)

	require.Equal(t, view.Counters{Events: 2, Duplicates: 1}, counters(first, first))
	require.Equal(t, view.Counters{Events: 2, Conflicts: 1}, counters(first, conflict))
	require.Equal(t, view.Counters{Events: 3, Duplicates: 1}, counters(first, almost, first))
	require.Equal(t, view.Counters{Events: 3, DroppedLate: 1}, counters(first, closes, first),
		"late comes before duplicate")
	require.Equal(t, view.Counters{Events: 3}, counters(first, closes, conflict),
		"the reading was forgotten with its window")

	future := first
	future.AppendTime = -1
	require.Equal(t, view.Counters{
		Events: 2, DeadLetters: map[event.Reason]int64{event.ReasonFuture: 1},
	}, counters(first, future), "the skew guard comes before duplicate")

	garbage := future
	garbage.Value = garbage.Value[:8]
	require.Equal(t, view.Counters{
		Events: 1, DeadLetters: map[event.Reason]int64{event.ReasonMalformed: 1},
	}, counters(garbage), "decoding comes first")
}

// Ensure that the watermark follows every event that passed the guard, and no other.
func TestWatermark(t *testing.T) {
	watermark := func(records ...eventlog.Record) event.Watermark {
		t.Helper()
		return judged(t, records...).Watermark
	}
	early := recordOf(t, measured("a", 0, 5_000))
	conflict := recordOf(t, measured("a", 0, 20_000))
	future := recordOf(t, measured("a", 1, 90_000))
	future.AppendTime = 84_999
	require.Equal(t, event.NoWatermark, watermark(future))
	require.EqualValues(t, 3_000, watermark(early, future))
	require.EqualValues(t, 18_000, watermark(early, conflict), "a conflict has a believable clock")
	require.EqualValues(t, 18_000, watermark(conflict, early), "it never goes back")
}

// Ensure that a failure of ours is an error and never a dead letter.
func TestRegistryFailureIsAnError(t *testing.T) {
	task := memoryTask()
	task.decoder = event.NewDecoder(&flickeringRegistry{})
	r := recordOf(t, measured("a", 0, 0))
	require.ErrorContains(t, task.judge(&r), "read offset 0: look up schema 1: unexpected EOF")
	require.Empty(t, task.Counters.DeadLetters)
}

// Ensure that a failure of ours leaves the state as it was: whoever keeps it, as after a rebalance, goes
// on with the event that was not judged. (Invariant 4.)
func TestRegistryFailureSkipsNothing(t *testing.T) {
	records := disturbed(t, 5, 3, 300)
	whole, task := judged(t, records...), memoryTask()
	task.decoder = event.NewDecoder(&flickeringRegistry{})
	failures := 0
	for int(task.Position) < len(records) {
		if task.judge(&records[task.Position]) != nil {
			failures++
		}
	}
	require.Equal(t, len(event.Schemas), failures)
	require.Equal(t, whole.progress, task.progress)
	require.Equal(t, whole.alerts, task.alerts)
}

// Ensure that state is bounded by open windows (invariant 6), also for cars that fall silent.
func TestStateForgets(t *testing.T) {
	task := memoryTask()
	for seq := range int64(2_000) {
		r := recordOf(t, measured("steady", seq, seq*1000))
		if seq%10 == 5 {
			r = recordOf(t, measured(carName(int(seq)), 0, seq*1000))
		}
		r.Offset = seq
		require.NoError(t, task.judge(&r))
		task.flushed(true)
	}
	require.LessOrEqual(t, len(task.cars), 1+5)
	require.LessOrEqual(t, len(task.cars["steady"].open), 5)
	require.LessOrEqual(t, len(task.spare), 20, "memory of closed windows is used again")
	require.EqualValues(t, 1960*1000, task.oldest)
}

// Ensure that a window that closes before its flush is flushed all the same.
func TestClosedWindowsAreFlushed(t *testing.T) {
	task := judged(t, recordOf(t, measured("a", 0, 0)), recordOf(t, measured("a", 1, 90_000)))
	require.Len(t, task.cars["a"].open, 1)
	require.Len(t, task.changed, 2)
	task.flushed(true)
	require.Len(t, task.spare, 1)
}

// Ensure that every rule fires just beyond its limit, not at it, and with the score by hand.
func TestDetectors(t *testing.T) {
	f := func(version string, change func(*event.CarSensor), rule view.Rule, score float64) {
		t.Helper()
		e := measured("a", 0, 0)
		change(&e)
		logic, known := logicOf(version)
		require.True(t, known)
		gotRule, gotScore := logic.detect(&e)
		require.Equal(t, rule.String(), gotRule.String())
		require.Equal(t, score, gotScore)
	}
	both := func(change func(*event.CarSensor), rule view.Rule, score float64) {
		t.Helper()
		f("v1", change, rule, score)
		f("v2", change, rule, score)
	}
	tires := func(p11, p12, p21, p22 int32) func(*event.CarSensor) {
		return func(e *event.CarSensor) {
			e.TirePressure11, e.TirePressure12, e.TirePressure21, e.TirePressure22 = p11, p12, p21, p22
		}
	}
	corners := func(a, b, c, d float32) func(*event.CarSensor) {
		return func(e *event.CarSensor) {
			e.Accelerometer11, e.Accelerometer12, e.Accelerometer21, e.Accelerometer22 = a, b, c, d
		}
	}
	shaft := func(speed, vibration float32) func(*event.CarSensor) {
		return func(e *event.CarSensor) { e.Speed, e.EngineVibrationAmplitude = speed, vibration }
	}
	battery := func(voltage, charge float32) func(*event.CarSensor) {
		return func(e *event.CarSensor) { e.BatteryVoltage, e.BatteryPercentage = voltage, charge }
	}

	both(func(*event.CarSensor) {}, view.NoRule, 0)
	both(func(e *event.CarSensor) { e.CoolantTemp = 110 }, view.NoRule, 0)
	both(func(e *event.CarSensor) { e.CoolantTemp = 165 }, view.Overheating, 1.5)

	both(tires(26, 30, 30, 30), view.NoRule, 0)
	both(tires(25, 28, 28, 28), view.NoRule, 0) // 3 apart: cold weather, not a leak
	both(tires(25, 29, 29, 29), view.TireLeak, 1.04)
	both(tires(30, 13, 30, 30), view.TireLeak, 2)
	both(tires(-3, 30, 30, 30), view.TireLeak, 26)
	both(tires(math.MinInt32, 30, 30, math.MaxInt32), view.TireLeak, 26) // fits no int32
	f("v1", tires(30, 30, 13, 30), view.NoRule, 0)
	f("v2", tires(30, 30, 13, 30), view.TireLeak, 2)

	both(corners(6, 0, 0, 0), view.NoRule, 0)
	both(corners(9, 3, 3, 3), view.NoRule, 0) // the road, not one corner
	both(corners(-9, 2, 3, 3), view.ShockAbsorber, 1.5)
	both(corners(1, 1, 6+1.0/256, 1), view.ShockAbsorber, (6+1.0/256)/6)
	both(corners(1, 1, 1, -6-1.0/256), view.ShockAbsorber, (6+1.0/256)/6)

	both(shaft(10, 1500), view.NoRule, 0)
	both(shaft(10, 3000), view.DriveShaft, 2)
	both(shaft(0, 3000), view.NoRule, 0)
	f("v1", shaft(5, 1500), view.DriveShaft, 2)
	f("v2", shaft(5, 1500), view.NoRule, 0)

	both(battery(210, 50), view.NoRule, 0)
	both(battery(105, 20), view.NoRule, 0)
	both(battery(105, 21), view.BatteryCell, 2)
	both(battery(0.5, 21), view.BatteryCell, 210)

	// The first rule in order names the alert.
	both(func(e *event.CarSensor) { e.CoolantTemp = 121; battery(105, 50)(e) }, view.Overheating, 1.1)
}
