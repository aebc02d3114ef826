package oracle

import (
	"fmt"
	"math"
	"strings"

	"lambdakappa/event"
	"lambdakappa/view"
)

// A detector looks at one reading. It returns the first rule that fires, with how far beyond the
// rule's limit the reading is, or view.NoRule.
type detector func(e *event.CarSensor) (view.Rule, float64)

// A logic is one version of the answer: which readings are anomalies, and what a window tells.
type logic struct {
	version string
	detect  detector
	add     func(t *view.Tally, e *event.CarSensor)
}

// logics are the known versions, the oldest first.
var logics = []logic{
	{"v1", detectV1, add},
	{"v2", detectV2, add},   //bench:change bugfix version
	{"v3", detectV2, addV3}, //bench:change metric version
	{"v4", detectV2, addV4}, //bench:change field version
}

// logicOf returns the logic of a version.
func logicOf(version string) (logic, error) {
	var names []string
	for _, l := range logics {
		if l.version == version {
			return l, nil
		}
		names = append(names, l.version)
	}
	return logic{}, fmt.Errorf("version %q: known are %s", version, strings.Join(names, ", "))
}

// detectV1 has two mistakes that v2 repairs: it looks for leaks on the front axle alone, and it
// takes the vibration of a car that barely rolls for a broken drive shaft.
func detectV1(e *event.CarSensor) (view.Rule, float64) {
	front := min(e.TirePressure11, e.TirePressure12)
	return detect(e, front, 0)
}

// detectV2 watches all four tyres, and the drive shaft only above 5 m/s.
//
//bench:change bugfix detector
func detectV2(e *event.CarSensor) (view.Rule, float64) {
	lowest := min(e.TirePressure11, e.TirePressure12, e.TirePressure21, e.TirePressure22)
	return detect(e, lowest, 5)
}

// detect is what the versions have in common: tire is the lowest pressure among the watched
// tyres, and the drive shaft is watched above fromSpeed.
func detect(e *event.CarSensor, tire int32, fromSpeed float64) (view.Rule, float64) {
	coolant := float64(e.CoolantTemp)
	if coolant > 110 {
		return view.Overheating, coolant / 110
	}

	low := float64(tire)
	high := float64(max(e.TirePressure11, e.TirePressure12, e.TirePressure21, e.TirePressure22))
	if low < 26 && high-low >= 4 {
		return view.TireLeak, 26 / max(low, 1)
	}

	weakest, strongest := accelerations(e)
	if strongest > 6 && strongest > 3*weakest {
		return view.ShockAbsorber, strongest / 6
	}

	speed, vibration := float64(e.Speed), float64(e.EngineVibrationAmplitude)
	if speed > fromSpeed && vibration > 150*speed {
		return view.DriveShaft, vibration / (150 * speed)
	}

	voltage := float64(e.BatteryVoltage)
	if voltage < 210 && e.BatteryPercentage > 20 {
		return view.BatteryCell, 210 / max(voltage, 1)
	}
	return view.NoRule, 0
}

// accelerations returns the weakest and the strongest of the four corners, without direction.
func accelerations(e *event.CarSensor) (weakest, strongest float64) {
	weakest, strongest = math.Inf(1), 0
	for _, a := range [...]float32{
		e.Accelerometer11, e.Accelerometer12, e.Accelerometer21, e.Accelerometer22,
	} {
		weakest = min(weakest, math.Abs(float64(a)))
		strongest = max(strongest, math.Abs(float64(a)))
	}
	return weakest, strongest
}
