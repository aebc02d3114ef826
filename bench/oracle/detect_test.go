package oracle

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/view"
)

// Ensure that every rule fires just beyond its limit, not at it, and with the score by hand.
func TestDetectors(t *testing.T) {
	f := func(version string, change func(*event.CarSensor), rule view.Rule, score float64) {
		t.Helper()
		logic, err := logicOf(version)
		require.NoError(t, err)
		e := reading("a", 0, 0)
		change(e)
		gotRule, gotScore := logic.detect(e)
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
	shaft := func(speed, vibration float32) func(*event.CarSensor) {
		return func(e *event.CarSensor) { e.Speed, e.EngineVibrationAmplitude = speed, vibration }
	}
	corners := func(a, b, c, d float32) func(*event.CarSensor) {
		return func(e *event.CarSensor) {
			e.Accelerometer11, e.Accelerometer12, e.Accelerometer21, e.Accelerometer22 = a, b, c, d
		}
	}
	battery := func(voltage, percentage float32) func(*event.CarSensor) {
		return func(e *event.CarSensor) { e.BatteryVoltage, e.BatteryPercentage = voltage, percentage }
	}

	both(func(*event.CarSensor) {}, view.NoRule, 0)
	both(func(e *event.CarSensor) { e.CoolantTemp = 110 }, view.NoRule, 0)
	both(func(e *event.CarSensor) { e.CoolantTemp = 165 }, view.Overheating, 1.5)

	both(tires(26, 30, 30, 30), view.NoRule, 0)
	both(tires(25, 28, 28, 28), view.NoRule, 0) // only 3 apart: cold weather, not a leak
	both(tires(25, 29, 29, 29), view.TireLeak, 1.04)
	both(tires(30, 13, 30, 30), view.TireLeak, 2)
	both(tires(30, 0, 30, 30), view.TireLeak, 26)
	both(tires(30, -3, 30, 30), view.TireLeak, 26)
	both(tires(math.MinInt32, 30, 30, math.MaxInt32), view.TireLeak, 26) // the difference fits no int32
	f("v1", tires(30, 30, 13, 30), view.NoRule, 0)
	f("v2", tires(30, 30, 13, 30), view.TireLeak, 2)

	both(corners(6, 0, 0, 0), view.NoRule, 0)
	both(corners(9, 3, 3, 3), view.NoRule, 0) // the road, not one corner
	both(corners(-9, 2, 3, 3), view.ShockAbsorber, 1.5)

	both(shaft(10, 1500), view.NoRule, 0)
	both(shaft(10, 3000), view.DriveShaft, 2)
	both(shaft(0, 3000), view.NoRule, 0)
	f("v1", shaft(5, 1500), view.DriveShaft, 2)
	f("v2", shaft(5, 1500), view.NoRule, 0)

	both(battery(210, 50), view.NoRule, 0)
	both(battery(105, 20), view.NoRule, 0)
	both(battery(105, 21), view.BatteryCell, 2)
	both(battery(0, 21), view.BatteryCell, 210)

	// The first rule in order names the alert.
	both(func(e *event.CarSensor) { e.CoolantTemp = 121; battery(105, 50)(e) }, view.Overheating, 1.1)
}

// Ensure that the two versions answer differently where v1 is mistaken, and only there.
func TestVersions(t *testing.T) {
	leak, crawl := reading("a", 0, 1), reading("a", 1, 2)
	leak.TirePressure21 = 13
	crawl.Speed = 0.5
	log := logOf(leak, crawl, hot("a", 2, 3))

	v1 := oracleOf(t, small(1), log).TruthB()
	cfg := small(1)
	cfg.Version = "v2"
	v2 := oracleOf(t, cfg, log).TruthB()

	require.Equal(t, []view.AlertKey{{CarID: "a", Seq: 1}, {CarID: "a", Seq: 2}}, alertKeys(v1))
	require.Equal(t, []view.AlertKey{{CarID: "a", Seq: 0}, {CarID: "a", Seq: 2}}, alertKeys(v2))
	require.Equal(t, v1.Windows, v2.Windows, "two alerts each: the windows happen to agree")
	require.Equal(t, v1.Counters, v2.Counters)
}

// Ensure that v3 and v4 tell one metric more each, of which earlier versions know nothing, and are the
// version before otherwise.
func TestNewMetric(t *testing.T) {
	some, more, none := reading("a", 0, 1), reading("a", 1, 2), reading("b", 0, 1)
	some.IntakeAirFlowSpeed, more.IntakeAirFlowSpeed, none.IntakeAirFlowSpeed = 4.5, 7.25, -1
	more.TirePressure21, some.AmbientTemp = 13, 280.5
	answer := func(version string) Answer {
		cfg := small(1)
		cfg.Version = version
		return oracleOf(t, cfg, logOf(some, more, none)).TruthB()
	}
	v2, v3 := answer("v2"), answer("v3")
	require.Zero(t, v2.Windows[0].IntakeAirFlowMax)
	require.EqualValues(t, 7.25, v3.Windows[0].IntakeAirFlowMax)
	require.Zero(t, v3.Windows[1].IntakeAirFlowMax, "nothing is known of an engine that took no air")
	v4 := answer("v4")
	require.EqualValues(t, 280.5, v4.Windows[0].AmbientTempMax)
	v4.Windows[0].AmbientTempMax = 0
	require.Equal(t, v3, v4)
	v3.Windows[0].IntakeAirFlowMax = 0
	require.Equal(t, v2, v3)
}
