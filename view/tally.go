package view

import "math"

// unit is the fixed-point scale of sums: 2^24 per whole.
const unit = 1 << 24

// Fixed returns x in units of 2^-24, rounded half to even. Sums of it do not depend on order,
// which float sums do. |x| must be below event.MaxMagnitude.
func Fixed(x float32) int64 { return int64(math.RoundToEven(float64(x) * unit)) }

// Mean returns sum/n for a sum of [Fixed] values, divided once. n must be above 0.
func Mean(sum, n int64) float64 { return float64(sum) / unit / float64(n) }

// A Tally is what is known of one car in one window. It is a commutative monoid under [Tally.Merge]
// with [EmptyTally] as identity (Boykin et al., "Summingbird", 2014): disjoint sets of readings may
// be folded apart, in any order, and merged.
//
// Invariant: a reading is in at most one of two tallies that are merged. The owner of the fold
// guarantees it; a Tally cannot see duplicates.
type Tally struct {
	Readings           int64   // distinct readings
	SpeedSum           int64   // m/s, units of 2^-24
	SpeedMax           float32 // m/s
	CoolantTempMax     float32 // degrees C
	EngineVibrationMax float32 // mV
	TirePressureMin    int32   // psi, over all four tyres
	BatteryVoltageMin  float32 // V
	CurrentDrawSum     int64   // A, units of 2^-24
	Anomalies          int64   // readings that the detector flags
	LastSeq            int64   // greatest seq

	// Metrics that came later. 0 says that nothing is known: the version of the logic does not have
	// the metric, or no reading had anything to say. So it is served as absent, and as the identity
	// of max it needs no care when tallies are merged.
	//
	//bench:change metric answer
	IntakeAirFlowMax float32 // g/s

	//bench:change field answer
	AmbientTempMax float32 // K
}

// EmptyTally is the identity of [Tally.Merge]: a tally of no readings.
func EmptyTally() Tally {
	inf := float32(math.Inf(1))
	return Tally{
		SpeedMax: -inf, CoolantTempMax: -inf, EngineVibrationMax: -inf,
		TirePressureMin: math.MaxInt32, BatteryVoltageMin: inf, LastSeq: -1,
	}
}

// Merge adds the readings of o to t.
func (t *Tally) Merge(o *Tally) {
	t.Readings += o.Readings
	t.SpeedSum += o.SpeedSum
	t.SpeedMax = max(t.SpeedMax, o.SpeedMax)
	t.CoolantTempMax = max(t.CoolantTempMax, o.CoolantTempMax)
	t.EngineVibrationMax = max(t.EngineVibrationMax, o.EngineVibrationMax)
	t.TirePressureMin = min(t.TirePressureMin, o.TirePressureMin)
	t.BatteryVoltageMin = min(t.BatteryVoltageMin, o.BatteryVoltageMin)
	t.CurrentDrawSum += o.CurrentDrawSum
	t.Anomalies += o.Anomalies
	t.LastSeq = max(t.LastSeq, o.LastSeq)
	t.IntakeAirFlowMax = max(t.IntakeAirFlowMax, o.IntakeAirFlowMax) //bench:change metric merge
	t.AmbientTempMax = max(t.AmbientTempMax, o.AmbientTempMax)       //bench:change field merge
}

// SpeedMean is the mean speed in m/s. The tally must not be empty.
func (t *Tally) SpeedMean() float64 { return Mean(t.SpeedSum, t.Readings) }

// CurrentDrawMean is the mean current in A. The tally must not be empty.
func (t *Tally) CurrentDrawMean() float64 { return Mean(t.CurrentDrawSum, t.Readings) }
