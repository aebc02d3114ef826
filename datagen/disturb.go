package datagen

import (
	"fmt"
	"time"
)

// Disturbances are what goes wrong between car and log. Rates are shares of the readings, 0 to 1;
// the zero value disturbs nothing. No rate changes what the others draw.
type Disturbances struct {
	OutOfOrder float64 // sent up to 1.9 s late: overtaken, but within the disorder bound
	Late       float64 // in every band of LateBands: sent that much later
	Duplicates float64 // sent again, the same bytes: half within 2 s, some after more than 30 s
	Conflicts  float64 // another reading claims the same (car, seq), shortly after
	Malformed  float64 // an extra payload that no reader can take; the reading itself is sent too
	Skew       float64 // the clock is 10 s to 1 h ahead: no reader may take the reading

	Silent    float64       // of the spans of SilentFor, those in which a car keeps its readings
	SilentFor time.Duration // and uploads them all when the span ends

	BurstFactor float64       // the rate during a burst, in multiples of Rate; 0 and 1 are no bursts
	BurstEvery  time.Duration // from the end of one burst to the end of the next
	BurstLength time.Duration
}

// LateBands are by how much late readings are sent late: within the default allowed lateness, at
// its edge, and beyond it. Each band is 10 % wide.
var LateBands = [...]time.Duration{5 * time.Second, 20 * time.Second, 40 * time.Second, 90 * time.Second}

// disturbed reports whether any reading can be: without it, the stream takes the fast path.
func (d Disturbances) disturbed() bool {
	return d.OutOfOrder+d.Late+d.Duplicates+d.Conflicts+d.Malformed+d.Skew+d.Silent > 0
}

func (d Disturbances) validate() error {
	for _, s := range d.settings() {
		if s.rate != nil && !(*s.rate >= 0 && *s.rate <= 1) {
			return fmt.Errorf("%s %v: must be between 0 and 1", s.name, *s.rate)
		}
	}
	if sum := d.OutOfOrder + d.Late*float64(len(LateBands)) + d.Skew; sum > 1 {
		return fmt.Errorf("out-of-order + %d x late + skew: %v is more than all readings",
			len(LateBands), sum)
	}
	if d.Silent > 0 && d.SilentFor < time.Second {
		return fmt.Errorf("silent-for %s: must be at least 1s when silent is set", d.SilentFor)
	}
	return d.validateBursts()
}

func (d Disturbances) validateBursts() error {
	switch {
	case d.BurstFactor == 0 || d.BurstFactor == 1:
		return nil
	case !(d.BurstFactor > 1 && d.BurstFactor <= 1000):
		return fmt.Errorf("burst-factor %v: must be 0 for none or between 1 and 1000", d.BurstFactor)
	case d.BurstLength <= 0:
		return fmt.Errorf("burst-length %s: must be above 0", d.BurstLength)
	case d.BurstEvery <= d.BurstLength:
		return fmt.Errorf("burst-every %s: must be above burst-length (%s)", d.BurstEvery, d.BurstLength)
	}
	return nil
}

// Kind says what became of a reading on its way.
type Kind uint8

// The kinds.
const (
	Clean      Kind = iota // sent when it was measured
	OutOfOrder             // sent a little late
	Late                   // sent late, in one of LateBands
	Uploaded               // kept by a silent car and sent with many others
	Skewed                 // measured by a clock that is ahead
	Duplicate              // an extra event: the same bytes again
	Conflict               // an extra event: the same identity, another content
	Malformed              // an extra event: a broken payload
)

var kindNames = [...]string{
	"clean", "out_of_order", "late", "uploaded", "skewed", "duplicate", "conflict", "malformed",
}

// String returns the kind's name.
func (k Kind) String() string { return kindNames[k] }

// Extra reports whether events of this kind come on top of the readings.
func (k Kind) Extra() bool { return k >= Duplicate }
