//bench:only lambda
package lambda

import (
	"math"
	"slices"

	"lambdakappa/view"
)

// A columnLogic is one version of f over columns: the detector that it goes by, and the columns that
// it reads. The speed layer has its own, see logics.
type columnLogic struct {
	version  string
	detector columnDetector
	columns  int // of foldColumns, from the first
}

// columnLogics are the known versions, the oldest first. v1 watches the front tyres alone, and takes
// the vibration of a car that barely rolls for a broken drive shaft; v2 repairs both. Later versions
// tell more of a window: it is the columns that they read beyond v2's which say so.
var columnLogics = []columnLogic{
	{"v1", columnDetector{}, colFingerprint + 1},
	{"v2", repaired, colFingerprint + 1},   //bench:change bugfix version
	{"v3", repaired, colIntakeAirFlow + 1}, //bench:change metric version
	{"v4", repaired, colAmbientTemp + 1},   //bench:change field version
}

// repaired is the detector of v2 and later.
//
//bench:change bugfix detector
var repaired = columnDetector{backTires: true, fromSpeed: 5}

// columnLogicOf returns the logic of a known version.
func columnLogicOf(version string) columnLogic {
	i := slices.IndexFunc(columnLogics, func(l columnLogic) bool { return l.version == version })
	return columnLogics[i]
}

// names are the names of the columns that the version reads.
func (l columnLogic) names() []string { return foldColumns[:l.columns] }

// A columnDetector is what the versions of the rules differ in.
type columnDetector struct {
	fromSpeed float64 // m/s; the drive shaft is watched above it

	//bench:change bugfix detector
	backTires bool // watch the tyres of the back axle too
}

// mark looks at all readings of a batch: fired[i] becomes the first rule that fires for row i, or
// view.NoRule. It runs one loop per rule over the few columns that the rule reads, the last rule
// first: so the first one that fires is what remains.
//
// It compares and divides in float64 and never adds to a product, so that no machine's fused
// multiply-add can change an answer.
//
//bench:logic
func (d columnDetector) mark(b *columnBatch, fired []view.Rule) {
	clear(fired)
	markBatteryCell(b, fired)
	markDriveShaft(b, fired, d.fromSpeed)
	markShockAbsorber(b, fired)
	d.markTireLeak(b, fired)
	markOverheating(b, fired)
}

//bench:logic
func markBatteryCell(b *columnBatch, fired []view.Rule) {
	charge := b.floats(colBatteryPercentage)
	for i, voltage := range b.floats(colBatteryVoltage) {
		if voltage < 210 && charge[i] > 20 {
			fired[i] = view.BatteryCell
		}
	}
}

//bench:logic
func markDriveShaft(b *columnBatch, fired []view.Rule, fromSpeed float64) {
	vibration := b.floats(colVibration)
	for i, v := range b.floats(colSpeed) {
		if speed := float64(v); speed > fromSpeed && float64(vibration[i]) > 150*speed {
			fired[i] = view.DriveShaft
		}
	}
}

// markShockAbsorber looks for one corner far above the others: all of them together are the road.
//
//bench:logic
func markShockAbsorber(b *columnBatch, fired []view.Rule) {
	a11, a12, a21, a22 := accelerometers(b)
	for i := range fired {
		if isCalm(a11[i]) && isCalm(a12[i]) && isCalm(a21[i]) && isCalm(a22[i]) {
			continue // nearly every row; finding the range takes five times as long
		}
		low, high := shockRange(a11[i], a12[i], a21[i], a22[i])
		if high > 6 && high > 3*low {
			fired[i] = view.ShockAbsorber
		}
	}
}

// isCalm reports whether one corner alone cannot fire the rule of the shock absorbers.
//
//bench:logic
func isCalm(acceleration float32) bool { return acceleration <= 6 && acceleration >= -6 }

//bench:logic
func (d columnDetector) markTireLeak(b *columnBatch, fired []view.Rule) {
	t11, t12, t21, t22 := tires(b)
	for i := range fired {
		lowest, highest := d.watchedTire(t11[i], t12[i], t21[i], t22[i])
		if lowest < 26 && int64(highest)-int64(lowest) >= 4 {
			fired[i] = view.TireLeak
		}
	}
}

//bench:logic
func markOverheating(b *columnBatch, fired []view.Rule) {
	for i, coolant := range b.floats(colCoolantTemp) {
		if coolant > 110 {
			fired[i] = view.Overheating
		}
	}
}

// score returns how far beyond the limit of the rule that fired row i is. It runs for the
// few rows that fired, so it may look at one row at a time.
//
//bench:logic
func (d columnDetector) score(b *columnBatch, i int, rule view.Rule) float64 {
	switch rule {
	case view.Overheating:
		return float64(b.floats(colCoolantTemp)[i]) / 110
	case view.TireLeak:
		t11, t12, t21, t22 := tires(b)
		lowest, _ := d.watchedTire(t11[i], t12[i], t21[i], t22[i])
		return 26 / float64(max(lowest, 1))
	case view.ShockAbsorber:
		a11, a12, a21, a22 := accelerometers(b)
		_, high := shockRange(a11[i], a12[i], a21[i], a22[i])
		return high / 6
	case view.DriveShaft:
		return float64(b.floats(colVibration)[i]) / (150 * float64(b.floats(colSpeed)[i]))
	default: // view.BatteryCell
		return 210 / max(float64(b.floats(colBatteryVoltage)[i]), 1)
	}
}

func tires(b *columnBatch) (t11, t12, t21, t22 []int32) {
	return b.int32s(colTire), b.int32s(colTire + 1), b.int32s(colTire + 2), b.int32s(colTire + 3)
}

func accelerometers(b *columnBatch) (a11, a12, a21, a22 []float32) {
	return b.floats(colAccelerometer), b.floats(colAccelerometer + 1),
		b.floats(colAccelerometer + 2), b.floats(colAccelerometer + 3)
}

// watchedTire returns the lowest pressure of the tyres that are watched and the highest of all.
//
//bench:logic
func (d columnDetector) watchedTire(t11, t12, t21, t22 int32) (lowest, highest int32) {
	lowest, highest = min(t11, t12), max(t11, t12, t21, t22)
	if d.backTires { //bench:change bugfix detector
		lowest = min(lowest, t21, t22)
	}
	return lowest, highest
}

// shockRange returns the weakest and the strongest acceleration of the four corners, without
// direction.
//
//bench:logic
func shockRange(a11, a12, a21, a22 float32) (low, high float64) {
	a, b := math.Abs(float64(a11)), math.Abs(float64(a12))
	c, d := math.Abs(float64(a21)), math.Abs(float64(a22))
	return min(a, b, c, d), max(a, b, c, d)
}
