package datagen

import "strings"

// Labels say what is truly wrong with a car at the moment of a reading: a set of failures. They
// are the ground truth for detectors and models and never travel on the log.
type Labels uint8

// The failures.
const (
	Overheating      Labels = 1 << iota // coolant climbs far above working temperature
	TireLeak                            // one tyre loses pressure
	ShockAbsorber                       // one corner is thrown about while the car moves
	DriveShaft                          // vibration far above what the speed explains
	BatteryCell                         // voltage collapses although the battery is charged
	OutdatedFirmware                    // an update was rolled back
)

var failureNames = [...]string{
	"overheating", "tire_leak", "shock_absorber", "drive_shaft", "battery_cell", "outdated_firmware",
}

// String names the failures, joined by "+"; "" for a sound car.
func (l Labels) String() string {
	var names []string
	for i, name := range failureNames {
		if l&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "+")
}

// A failure begins at one age of the car and is repaired at another, on the same day.
type failure struct {
	begin, repair int64 // age in ms, half-open; begin == repair when there is none
	kind          Labels
	corner        int64 // 0..3: which tyre or shock absorber
	size          int64 // 0..255: how bad
}

// failureOdds is one chance in how many that a car has one failure more on a day. With the lengths
// below, 4 to 5 % of the readings carry a label and about 2 % are flagged by the rules: the others
// are not warm, not moving or not leaked enough yet, or run old firmware.
const failureOdds = 8

func (c *car) planFailure(day, nth int64) failure {
	d := c.source.derive(drawFailure).at(2*day + nth)
	if d.below(failureOdds) != 0 {
		return failure{}
	}
	length := d.between(120, 600)
	begin := day*dayLength + d.below(dayLength/1000-length)*1000
	kinds := c.source.derive(drawFailure).at(^(2*day + nth))
	return failure{
		begin:  begin,
		repair: begin + length*1000,
		kind:   1 << kinds.below(int64(len(failureNames))),
		corner: kinds.below(4),
		size:   kinds.below(256),
	}
}
