package datagen_test

import (
	"math"
	"math/bits"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/datagen"
	"lambdakappa/event"
)

// detect is the rule detector that the workloads are made for, in its plainest form. The pipelines
// have their own; here it only judges the generator.
func detect(e *event.CarSensor, v2 bool) datagen.Labels {
	front := min(e.TirePressure11, e.TirePressure12)
	back := min(e.TirePressure21, e.TirePressure22)
	most := max(e.TirePressure11, e.TirePressure12, e.TirePressure21, e.TirePressure22)
	least, crawl := front, float32(0)
	if v2 {
		least, crawl = min(front, back), 5
	}
	high, low := 0.0, math.Inf(1)
	for _, a := range [...]float32{
		e.Accelerometer11, e.Accelerometer12, e.Accelerometer21, e.Accelerometer22,
	} {
		high, low = max(high, math.Abs(float64(a))), min(low, math.Abs(float64(a)))
	}
	switch {
	case e.CoolantTemp > 110:
		return datagen.Overheating
	case least < 26 && most-least >= 4:
		return datagen.TireLeak
	case high > 6 && high > 3*low:
		return datagen.ShockAbsorber
	case e.Speed > crawl && float64(e.EngineVibrationAmplitude) > 150*float64(e.Speed):
		return datagen.DriveShaft
	case e.BatteryVoltage < 210 && e.BatteryPercentage > 20:
		return datagen.BatteryCell
	default:
		return 0
	}
}

// alarms counts what a detector makes of a stream.
type alarms struct {
	readings, labelled, flagged, right int

	crawling int // flagged by v1 alone, on a sound drive shaft
	onlyV2   int
	byRule   map[datagen.Labels]int
	byLabel  map[datagen.Labels]int
}

func judge(spec datagen.Spec) alarms {
	a := alarms{byRule: map[datagen.Labels]int{}, byLabel: map[datagen.Labels]int{}}
	st := spec.Stream()
	var p datagen.Planned
	for st.Next(&p) {
		v1, v2 := detect(&p.Event, false), detect(&p.Event, true)
		a.readings++
		if p.Labels != 0 {
			a.labelled++
			a.byLabel[p.Labels]++
		}
		if v1 != 0 {
			a.flagged++
			a.byRule[v1]++
		}
		if v1&p.Labels != 0 {
			a.right++
		}
		if v1 != 0 && v2 == 0 && p.Labels&datagen.DriveShaft == 0 {
			a.crawling++
		}
		if v1 == 0 && v2 != 0 {
			a.onlyV2++
		}
	}
	return a
}

// A run of a minute has to show the same share of failures as one of hours, from its start.
func TestAlarmsAreRareMostlyRightAndDifferByVersion(t *testing.T) {
	for name, spec := range map[string]datagen.Spec{
		"many cars for a minute": fleet(1, 4_000, time.Minute),
		"few cars for hours":     fleet(2, 40, 2*time.Hour),
		"another seed":           fleet(77, 1_000, 5*time.Minute),
	} {
		t.Run(name, func(t *testing.T) {
			a := judge(spec)
			t.Logf("%+v", a)
			share := float64(a.flagged) / float64(a.readings)
			require.Greater(t, share, 0.005, "flagged")
			require.Less(t, share, 0.03, "flagged")
			require.Greater(t, a.right*10, a.flagged*7, "most alarms are labelled failures")
			require.Greater(t, a.crawling, 0, "false alarms at crawling speed that v2 does not raise")
			require.Greater(t, a.onlyV2, 0, "back tyre leaks that v1 misses")
			require.Less(t, float64(a.labelled)/float64(a.readings), 0.06, "failures are rare")
			require.Len(t, a.byRule, 5, "every rule fires")
		})
	}
}

// fleet is a clean workload at 1 Hz.
func fleet(seed uint64, cars int, d time.Duration) datagen.Spec {
	return datagen.Spec{
		Seed: seed, Cars: cars, Rate: float64(cars), Duration: d, Start: datagen.DefaultStart(),
	}
}

// Ensure that whatever a car shows is possible, and exact in fixed point.
func TestSensorsStayInTheirRanges(t *testing.T) {
	st := fleet(3, 200, 10*time.Minute).Stream()
	var p datagen.Planned
	for st.Next(&p) {
		e := &p.Event
		for name, v := range map[string]struct{ x, low, high float32 }{
			"coolant_temp":               {e.CoolantTemp, 0, 170},
			"intake_air_temp":            {e.IntakeAirTemp, 0, 60},
			"intake_air_flow_speed":      {e.IntakeAirFlowSpeed, 0, 200},
			"battery_percentage":         {e.BatteryPercentage, 0, 100},
			"battery_voltage":            {e.BatteryVoltage, 150, 260},
			"current_draw":               {e.CurrentDraw, -20, 60},
			"speed":                      {e.Speed, 0, 47},
			"engine_vibration_amplitude": {e.EngineVibrationAmplitude, 0, 9000},
			"throttle_pos":               {e.ThrottlePos, 0, 1},
			"accelerometer_1_1_value":    {e.Accelerometer11, -40, 40},
			"accelerometer_2_2_value":    {e.Accelerometer22, -40, 40},
			"tire_pressure_1_1":          {float32(e.TirePressure11), 10, 34},
			"tire_pressure_2_2":          {float32(e.TirePressure22), 10, 34},
		} {
			if !(v.x >= v.low && v.x <= v.high) || v.x*256 != float32(int32(v.x*256)) {
				t.Fatalf("%s/%d %s = %v: not a multiple of 1/256 in [%v, %v]",
					e.CarID, e.Seq, name, v.x, v.low, v.high)
			}
		}
	}
}

// Ensure that the sensors hang together: what follows from what, averaged over a fleet.
func TestThrottleSpeedVibrationChargeAndHeatHangTogether(t *testing.T) {
	spec := fleet(4, 50, time.Hour)
	var standing, moving, slow, fast, cold, warm mean
	for car := range spec.Cars {
		for seq := range int64(1800) {
			e, labels := spec.Reading(car, seq)
			later, _ := spec.Reading(car, seq+1)
			switch {
			case labels != 0:
			case e.Speed == 0:
				standing.add(later.BatteryPercentage - e.BatteryPercentage)
				cold.add(later.CoolantTemp - e.CoolantTemp)
			default:
				moving.add(later.BatteryPercentage - e.BatteryPercentage)
				warm.add(later.CoolantTemp - e.CoolantTemp)
				if e.ThrottlePos > 0.5 {
					fast.add(later.Speed - e.Speed)
				} else if e.ThrottlePos == 0 {
					slow.add(later.Speed - e.Speed)
				}
			}
		}
	}
	require.Greater(t, standing.value(), 0.0, "chargers fill")
	require.Less(t, moving.value(), 0.0, "driving drains")
	require.Less(t, cold.value(), 0.0, "standing cools")
	require.Greater(t, warm.value(), 0.0, "driving warms")
	require.Greater(t, fast.value(), 1.0, "an open throttle accelerates")
	require.Less(t, slow.value(), -1.0, "a closed throttle brakes")
}

type mean struct {
	sum float64
	n   int
}

func (m *mean) add(x float32)  { m.sum, m.n = m.sum+float64(x), m.n+1 }
func (m *mean) value() float64 { return m.sum / float64(m.n) }

// Ensure that a failure begins and is repaired while others last.
func TestFailuresBeginAndAreRepaired(t *testing.T) {
	spec := fleet(5, 40, time.Hour)
	begun, repaired := 0, 0
	for car := range spec.Cars {
		_, before := spec.Reading(car, 0)
		for seq := int64(1); seq < 3600; seq++ {
			_, now := spec.Reading(car, seq)
			begun += bits.OnesCount8(uint8(now &^ before))
			repaired += bits.OnesCount8(uint8(before &^ now))
			before = now
		}
	}
	require.Greater(t, begun, 10)
	require.Greater(t, repaired, 10)
	require.Less(t, begun, spec.Cars*2, "failures are rare")
}
