//bench:only mistakes
package lambda

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
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

	// NaiveMerge adds two views that overlap, as published examples do: nobody hands over a
	// boundary. The speed layer runs on over everything and takes no notice of batch runs. Serving
	// adds what it says to the newest batch view, and drops of it what is older than the batch run:
	// windows and trips that had ended by then, and alerts from before. Speed layer and serving have to be
	// told.
	//
	// So what the batch view has of a window that was still open counts twice, until the next
	// batch run begins after the end of the window; and what had come by then, or comes later, for
	// a window that had ended, and that ingest had not written yet, does not count at all until
	// then. The time of a batch run is taken on the log's clock, the append time of the newest
	// event that it has seen: a history that is played again is then merged as it was live.
	NaiveMerge bool

	// PinVersion is the version that the speed layer goes by, whatever the batch layer's is: a
	// change that was deployed to one layer only. "" is to follow. Answers are then of two versions,
	// below and above the boundary, and move on with every batch run. Their version names both.
	PinVersion string
}

// ofBatch says the mistakes of the batch layer in words; "" when there are none.
func (m Mistakes) ofBatch() string {
	if m.CountRepeats {
		return "no de-duplication"
	}
	return ""
}

// ofSpeed says those of the speed layer.
func (m Mistakes) ofSpeed() string {
	pinned, naive := "", ""
	if m.PinVersion != "" {
		pinned = "speed pinned to " + m.PinVersion
	}
	if m.NaiveMerge {
		naive = "naive merge"
	}
	return together(m.ofBatch(), naive, pinned)
}

// speedVersion is the version that the speed layer goes by when the batch layer's is another.
func (m Mistakes) speedVersion(batch string) string {
	return cmp.Or(m.PinVersion, batch)
}

// versions names the version of a batch view, and that of its speed view if that is another.
func versions(batch, speed string) string {
	if speed == "" || speed == batch {
		return batch
	}
	return batch + "+" + speed
}

// A batchTime is the time of a batch run, as a naive merge takes it.
type batchTime struct{ at, window int64 }

// hasPassed reports whether a row of the speed view is older than the batch run.
func (b *batchTime) hasPassed(row *speedRow) bool {
	switch {
	case b == nil:
		return false
	case row.kind == windowRow:
		return row.start+b.window <= b.at
	case row.kind == tripKind: //bench:change view
		return !row.gone && row.trip.End < b.at
	default:
		return row.kind == alertRow && row.alert.EventTime < b.at
	}
}

// takeOverlapping takes rows of the one speed view that there is when nobody hands over.
func (s *Serving) takeOverlapping(partition int, records []eventlog.Record, row *speedRow) error {
	s.mu.Lock() // no row may come while the pair is swapped
	defer s.mu.Unlock()
	live := s.live.Load()
	for i := range records {
		if g := rowGeneration(&records[i]); g != 0 {
			return fmt.Errorf("the speed layer hands over (generation %d): start it with --merge naive too", g)
		}
	}
	progressed, err := live.parts[partition].take(records, row)
	if progressed {
		live.stampAs(&live.parts[partition].progress)
	}
	return err
}

// overlaps makes a pair of a batch view and the speed view as it stands, but for what is older than
// the batch run. It does so, and says so, only where that is asked for. The caller holds s.mu.
func (s *Serving) overlaps(p *pair) bool {
	if !s.cfg.Mistakes.NaiveMerge {
		return false
	}
	since := &batchTime{window: p.manifest.Rules.Window}
	for i := range p.manifest.Partitions {
		since.at = max(since.at, p.manifest.newestAppend(i))
	}
	for i, old := range s.live.Load().parts {
		p.parts[i].overlap(old, since)
	}
	p.stampAs(&p.parts[0].progress)
	return true
}

// overlap takes over the speed view of a part.
func (p *part) overlap(old *part, since *batchTime) {
	old.mu.RLock()
	defer old.mu.RUnlock()
	p.since, p.builds, p.progress, p.reach = since, maps.Clone(old.builds), old.progress, old.reach
	for id, c := range old.cars {
		kept := &carRows{id: id, lastSeq: -1}
		for _, w := range c.windows {
			if !since.hasPassed(&speedRow{kind: windowRow, start: w.start}) {
				w.seqs = slices.Clone(w.seqs)
				kept.windows = append(kept.windows, w)
				kept.lastSeq = max(kept.lastSeq, w.tally.LastSeq)
			}
		}
		for _, a := range c.alerts {
			if !since.hasPassed(&speedRow{kind: alertRow, alert: view.Alert{EventTime: a.eventTime}}) {
				kept.alerts = append(kept.alerts, a)
			}
		}
		for _, t := range c.trips { //bench:change view
			if !since.hasPassed(&speedRow{kind: tripKind, trip: t}) {
				kept.trips = append(kept.trips, t)
			}
		}
		p.cars[id] = kept
		p.all = append(p.all, kept)
	}
	p.setBatch(p.batch) // counts the rows anew
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
