//bench:only mistakes
package lambda

import (
	"cmp"
	"slices"
	"strings"
)

// Mistakes are what published implementations get wrong, to be switched on one by one, so that it
// can be shown what each of them costs. The zero value makes none. Every answer that one of them
// had a hand in says so (see [lambdakappa/internal/httpapi.Stamp]).
type Mistakes struct {
	// CountRepeats takes every delivery for a reading of its own: at-least-once, and not
	// idempotent. Batch and speed layer each have to be told.
	//
	// A reading that is twice on the log counts twice, in either layer and across the boundary.
	// Kills alone double nothing: a batch run begins with the master dataset, whose files are
	// ranges of offsets, and a generation of the speed layer with its boundary, so both read
	// again what they had read and forget what they had counted. What a reading's alert says is
	// still said once, for alerts are kept by reading.
	CountRepeats bool
}

// of batch and of speed are the mistakes of a layer, in words; "" when there are none.
func (m Mistakes) ofBatch() string { return m.ofEither() }
func (m Mistakes) ofSpeed() string { return m.ofEither() }

func (m Mistakes) ofEither() string {
	if m.CountRepeats {
		return "no de-duplication"
	}
	return ""
}

// together lists the mistakes of several layers, each once.
func together(mistakes ...string) string {
	slices.Sort(mistakes)
	mistakes = slices.Compact(mistakes)
	return strings.Join(slices.DeleteFunc(mistakes, func(m string) bool { return m == "" }), ", ")
}

// keepLastAlerts leaves one alert of a reading that was counted more than once: the last, as the
// speed view does.
func (f *batchFold) keepLastAlerts() {
	slices.SortStableFunc(f.alerts, func(a, b batchAlert) int {
		return cmp.Or(cmp.Compare(a.car, b.car), cmp.Compare(a.seq, b.seq))
	})
	slices.Reverse(f.alerts)
	f.alerts = slices.CompactFunc(f.alerts, func(a, b batchAlert) bool {
		return a.car == b.car && a.seq == b.seq
	})
}
