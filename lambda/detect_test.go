package lambda

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/view"
)

// Ensure that both layers' detectors say what the rules say, at every limit. The layers are written
// apart, so every case is put to both.
func TestDetectors(t *testing.T) {
	type verdict struct {
		rule  view.Rule
		score float64
	}
	none := verdict{}
	for _, c := range []struct {
		name   string
		change func(e *event.CarSensor)
		v1, v2 verdict
	}{
		{"nothing", func(e *event.CarSensor) {}, none, none},
		{"at the limit of heat", func(e *event.CarSensor) { e.CoolantTemp = 110 }, none, none},
		{
			"hot", func(e *event.CarSensor) { e.CoolantTemp = 121 },
			verdict{view.Overheating, 1.1},
			verdict{view.Overheating, 1.1},
		},
		{
			"front tyre", func(e *event.CarSensor) { e.TirePressure12 = 20 },
			verdict{view.TireLeak, 1.3},
			verdict{view.TireLeak, 1.3},
		},
		{
			"flat front tyre", func(e *event.CarSensor) { e.TirePressure11 = -3 },
			verdict{view.TireLeak, 26},
			verdict{view.TireLeak, 26},
		},
		{
			"back tyre", func(e *event.CarSensor) { e.TirePressure21 = 13 },
			none,
			verdict{view.TireLeak, 2},
		},
		{"all tyres are low", func(e *event.CarSensor) {
			e.TirePressure11, e.TirePressure12, e.TirePressure21, e.TirePressure22 = 25, 25, 28, 28
		}, none, none},
		{"tyres at both limits", func(e *event.CarSensor) {
			e.TirePressure11, e.TirePressure12, e.TirePressure21, e.TirePressure22 = 25, 25, 29, 29
		}, verdict{view.TireLeak, 26.0 / 25}, verdict{view.TireLeak, 26.0 / 25}},
		{"tyres at the ends of int32", func(e *event.CarSensor) {
			e.TirePressure11, e.TirePressure22 = math.MinInt32, math.MaxInt32
		}, verdict{view.TireLeak, 26}, verdict{view.TireLeak, 26}},
		{
			"one shock absorber", func(e *event.CarSensor) { e.Accelerometer22 = -9 },
			verdict{view.ShockAbsorber, 1.5},
			verdict{view.ShockAbsorber, 1.5},
		},
		{"a bad road", func(e *event.CarSensor) {
			e.Accelerometer11, e.Accelerometer12, e.Accelerometer21, e.Accelerometer22 = 9, -8, 3, 4
		}, none, none},
		{"shock at the limit", func(e *event.CarSensor) { e.Accelerometer11 = 6 }, none, none},
		{
			"drive shaft", func(e *event.CarSensor) { e.Speed, e.EngineVibrationAmplitude = 10, 3000 },
			verdict{view.DriveShaft, 2},
			verdict{view.DriveShaft, 2},
		},
		{
			"vibration at the limit",
			func(e *event.CarSensor) { e.Speed, e.EngineVibrationAmplitude = 10, 1500 },
			none, none,
		},
		{
			"crawling", func(e *event.CarSensor) { e.Speed, e.EngineVibrationAmplitude = 5, 1500 },
			verdict{view.DriveShaft, 2},
			none,
		},
		{
			"standing", func(e *event.CarSensor) { e.Speed, e.EngineVibrationAmplitude = 0, 1500 },
			none, none,
		},
		{
			"battery", func(e *event.CarSensor) { e.BatteryVoltage = 200 },
			verdict{view.BatteryCell, 1.05},
			verdict{view.BatteryCell, 1.05},
		},
		{
			"no voltage", func(e *event.CarSensor) { e.BatteryVoltage = -5 },
			verdict{view.BatteryCell, 210},
			verdict{view.BatteryCell, 210},
		},
		{"empty battery", func(e *event.CarSensor) {
			e.BatteryVoltage, e.BatteryPercentage = 200, 20
		}, none, none},
		{"everything: the first rule names it", func(e *event.CarSensor) {
			e.CoolantTemp, e.TirePressure11, e.Accelerometer11, e.BatteryVoltage = 220, 1, 100, 1
		}, verdict{view.Overheating, 2}, verdict{view.Overheating, 2}},
		{"battery and shaft: the first rule names it", func(e *event.CarSensor) {
			e.Speed, e.EngineVibrationAmplitude, e.BatteryVoltage = 10, 3000, 1
		}, verdict{view.DriveShaft, 2}, verdict{view.DriveShaft, 2}},
	} {
		e := measured("car-1", 0, 1_000_000)
		c.change(&e)
		for version, want := range map[string]verdict{"v1": c.v1, "v2": c.v2} {
			rule, score := speedDetector(version)(&e)
			require.Equal(t, want, verdict{rule, score}, "%s, speed layer, %s", c.name, version)

			alerts := batchAlerts(t, version, &e)
			if want == none {
				require.Empty(t, alerts, "%s, batch layer, %s", c.name, version)
				continue
			}
			require.Len(t, alerts, 1, "%s, batch layer, %s", c.name, version)
			require.Equal(t, want, verdict{alerts[0].rule, alerts[0].score},
				"%s, batch layer, %s", c.name, version)
		}
	}
}

// Ensure that every corner fires just above the limit of the shock absorbers, in either direction:
// the batch layer looks at most rows only as far as this limit.
func TestShockAbsorberAboveItsLimit(t *testing.T) {
	const above = 6 + 1.0/256
	for corner := range 4 {
		for _, shock := range []float32{above, -above} {
			e := measured("car-1", 0, 1_000_000)
			corners := []*float32{
				&e.Accelerometer11, &e.Accelerometer12, &e.Accelerometer21, &e.Accelerometer22,
			}
			*corners[corner] = shock
			rule, score := speedDetector("v1")(&e)
			require.Equal(t, view.ShockAbsorber, rule)
			alerts := batchAlerts(t, "v1", &e)
			require.Len(t, alerts, 1, "corner %d, %v", corner, shock)
			require.Equal(t, score, alerts[0].score)
		}
	}
}

// speedDetector is the detector of the speed layer.
func speedDetector(version string) detector {
	logic, _ := logicOf(version)
	return logic.detect
}

// batchAlerts puts one event through the columnar fold.
func batchAlerts(t *testing.T, version string, e *event.CarSensor) []batchAlert {
	t.Helper()
	path := t.TempDir() + "/one.parquet"
	require.NoError(t, writeParquet(path, func(emit func(masterRow)) {
		emit(newMasterRow(e, 0, 0, 0))
	}))
	f := newBatchFold(event.DefaultRules(), view.All)
	logic := newColumnFold(f, version)
	err := scanFile(path, logic.names(), logic.add)
	require.NoError(t, err)
	require.EqualValues(t, len(f.alerts), f.windows.at(0).tally.Anomalies)
	return f.alerts
}
