//bench:change view
package kappa

import (
	"encoding/binary"
	"slices"

	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// tripRow is a row of the changelog as far as the key does not say it.
type tripRow struct {
	view.Stretch       // Start is in the key
	foldedTo     int64 // offsets below it that belong to the trip are in it
}

// trip appends the row of a trip.
func (c *changelogWriter) trip(t *trip, appendTime int64) {
	start, split := c.key(tripKind, t.Start, t.car.id)
	b := binary.AppendVarint(c.buffer, t.foldedTo)
	b = binary.AppendVarint(b, t.End-t.Start)
	b = binary.AppendVarint(b, t.Readings)
	b = binary.AppendVarint(b, t.SpeedSum)
	c.buffer = binary.AppendVarint(b, t.HarshBrakes)
	c.add(start, split, appendTime)
}

// goneTrip appends the tombstone of a row that is no row any more. It comes after the row that has
// swallowed it. Nobody who reads the changelog in order needs it, for that row says it all; it is
// there so that compaction forgets the old one.
func (c *changelogWriter) goneTrip(k view.TripKey, appendTime int64) {
	start, split := c.key(tripKind, k.Start, k.CarID)
	c.add(start, split, appendTime)
	c.records[len(c.records)-1].Value = nil
}

// tripWindow appends the readings of a window that the trips have seen.
func (c *changelogWriter) tripWindow(w *tripWindow, appendTime int64) {
	start, split := c.key(seenKind, w.start, w.car.id)
	c.buffer = appendReadings(c.buffer, w.seen)
	c.add(start, split, appendTime)
}

// trips appends what has changed, and returns the watermark up to which it matters to a restore. Seen
// readings come last: whoever finds a reading among them finds it on its trip as well.
func (c *changelogWriter) trips(s *tripState, appendTime int64) (needed int64) {
	needed = noRows
	for _, t := range s.changed {
		if t.gone {
			continue
		}
		c.trip(t, appendTime)
		needed = max(needed, neededForTrips(s.rules, s.horizon(t.End)))
	}
	for _, k := range s.gone {
		c.goneTrip(k, appendTime)
	}
	for _, w := range s.marked {
		c.tripWindow(w, appendTime)
		needed = max(needed, neededForTrips(s.rules, w.start))
	}
	return needed
}

// readTrip decodes the value of a trip's row; start is from its key.
func readTrip(start int64, value []byte, row *tripRow) error {
	f := fields{rest: value}
	row.foldedTo = f.varint()
	row.Start, row.End = start, start+f.varint()
	row.Readings = f.varint()
	row.SpeedSum = f.varint()
	row.HarshBrakes = f.varint()
	if f.short || len(f.rest) > 0 || row.End < row.Start || row.Readings <= 0 {
		return errRow
	}
	return nil
}

// readTripWindow decodes the value of a row of seen readings.
func readTripWindow(value []byte) ([]reading, error) {
	f := fields{rest: value}
	seen, err := readReadings(&f, nil)
	if err == nil && len(f.rest) > 0 {
		err = errRow
	}
	return seen, err
}

// restoreTrip takes a trip's row into the state if it is not over at the position. Of two rows of
// which one contains the other the greater one is newer, also when a crash has cut off the tombstone
// that was to follow: it is written with the next flush.
func (t *task) restoreTrip(r *eventlog.Record) error {
	start, id, err := rowKey(r)
	if err != nil {
		return err
	}
	s := t.trips
	if s == nil {
		return errRow // a view is named by what it keeps
	}
	if len(r.Value) == 0 {
		key := view.TripKey{CarID: string(id), Start: start}
		s.gone = slices.DeleteFunc(s.gone, func(k view.TripKey) bool { return k == key })
		return nil
	}
	var row tripRow
	if err := readTrip(start, r.Value, &row); err != nil {
		return err
	}
	if t.rules.TripForgotten(s.horizon(row.End), t.Watermark) {
		return nil
	}
	t.kept.flushed(r.Offset, t.kept.lastProgress, neededForTrips(t.rules, s.horizon(row.End)))
	t.ahead = max(t.ahead, row.End)
	s.oldest = min(s.oldest, s.horizon(row.End))
	s.restore(s.car(string(id)), row)
	return nil
}

// restore puts a trip in the place of all that it contains, unless it is itself contained.
//
//bench:change view take
func (s *tripState) restore(c *tripCar, row tripRow) {
	at := 0
	for i, other := range c.trips {
		if other.Contains(&row.Stretch) && other.Readings >= row.Readings {
			return
		}
		if other.Start < row.Start {
			at = i + 1
		}
	}
	restored := &trip{Stretch: row.Stretch, car: c, foldedTo: row.foldedTo, written: true}
	c.trips = slices.Insert(c.trips, at, restored)
	c.trips = slices.DeleteFunc(c.trips, func(other *trip) bool {
		swallowed := other != restored && row.Contains(&other.Stretch)
		if swallowed && other.Start != row.Start {
			s.dropRow(other)
		}
		return swallowed
	})
}

// restoreTripWindow takes the seen readings of a window into the state if the trips have not
// forgotten it at the position.
func (t *task) restoreTripWindow(r *eventlog.Record) error {
	start, id, err := rowKey(r)
	if err != nil {
		return err
	}
	if t.trips == nil {
		return errRow
	}
	seen, err := readTripWindow(r.Value)
	if err != nil || t.rules.TripForgotten(start, t.Watermark) {
		return err
	}
	t.kept.flushed(r.Offset, t.kept.lastProgress, neededForTrips(t.rules, start))
	c := t.trips.car(string(id))
	w := t.trips.window(c, start)
	if len(seen) > len(w.seen) { // rows of one window only ever grow
		w.seen = seen
	}
	for i := range w.seen {
		c.lastSeq = max(c.lastSeq, w.seen[i].seq)
	}
	return nil
}
