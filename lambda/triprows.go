//bench:change view
package lambda

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sort"

	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// Trips on their way from the speed layer to an answer: rows, cells, and the merge with the batch
// view.

// trip appends the row of a trip as it is at position covered.
//
//bench:change view encode
func (s *speedViewWriter) trip(t *speedTrip, covered, appendTime int64) {
	start, split := s.rowKey(tripKind, t.Start, t.car.id)
	b := binary.AppendVarint(s.buffer, covered)
	b = binary.AppendVarint(b, t.End-t.Start)
	b = binary.AppendVarint(b, t.Readings)
	b = binary.AppendVarint(b, t.SpeedSum)
	s.buffer = binary.AppendVarint(b, t.HarshBrakes)
	s.add(start, split, appendTime)
}

// goneTrip appends the tombstone of a row that is no row any more. It comes after the row that has
// swallowed it. Nobody who reads the speed view in order needs it, for that row says it all; it is
// there so that compaction forgets the old one.
func (s *speedViewWriter) goneTrip(k view.TripKey, appendTime int64) {
	start, split := s.rowKey(tripKind, k.Start, k.CarID)
	s.add(start, split, appendTime)
	s.records[len(s.records)-1].Value = nil
}

// trips appends what has changed.
func (s *speedViewWriter) trips(t *speedTrips, covered, appendTime int64) {
	for _, trip := range t.changed {
		if !trip.gone {
			s.trip(trip, covered, appendTime)
		}
	}
	for _, k := range t.gone {
		s.goneTrip(k, appendTime)
	}
}

// readTrip decodes the value of a trip's row, which is empty when the trip is gone; what is wrong
// with it is noted in key.
//
//bench:change view decode
func (row *speedRow) readTrip(f, key *fields) {
	row.gone = len(f.rest) == 0
	if row.gone {
		return
	}
	t := &row.trip
	row.covered = f.varint()
	t.Start, t.End = row.start, row.start+f.varint()
	t.Readings = f.varint()
	t.SpeedSum = f.varint()
	t.HarshBrakes = f.varint()
	key.short = key.short || f.short || len(f.rest) > 0 || t.End < t.Start || t.Readings <= 0
}

// takeTrip puts a trip in the place of those that it contains: their rows are gone with it, and not
// with their tombstones. So nobody is answered a reading twice, or not at all. A build that comes
// after a crash says again what was said: smaller trips, which change nothing.
func (p *part) takeTrip(row *speedRow) {
	if row.gone || row.trip.End < p.keptFrom {
		return
	}
	c := p.car(row.car)
	from, to := row.trip.Start, row.trip.End
	for _, t := range around(c.trips, from, to, 0) { // what it may replace
		from, to = min(from, t.Start), max(to, t.End)
	}
	before := p.mergedAround(c, from, to)
	var isNews bool
	if c.trips, isNews = view.Replace(c.trips, row.trip); isNews {
		p.reach = max(p.reach, row.covered)
		p.extra.trips += p.mergedAround(c, from, to) - before
	}
}

// mergedAround is how many trips the pieces of both views make that are in reach of a time. What
// happens to pieces within it changes the number of all trips of the car by as much as this one: what is
// out of reach is joined to none of them, and all that is in reach on one side is joined anyway.
func (p *part) mergedAround(c *carRows, from, to int64) int {
	batch := around(p.batch.tripsOf(c.id, from-p.tripGap), from, to, p.tripGap)
	p.merged = mergeTrips(p.merged[:0], batch, around(c.trips, from, to, p.tripGap), p.tripGap)
	return len(p.merged)
}

// around returns the trips, by ascending start and disjoint, that are no further from a time than the
// gap.
func around(trips []view.Stretch, from, to, gap int64) []view.Stretch {
	first := sort.Search(len(trips), func(i int) bool { return trips[i].End >= from-gap })
	end := sort.Search(len(trips), func(i int) bool { return trips[i].Start > to+gap })
	return trips[first:max(first, end)]
}

// countTrips returns by how many rows the car's trips of the speed view change the number of those of
// the batch view: more, or fewer when they bridge some.
func (p *part) countTrips(c *carRows) int {
	if len(c.trips) == 0 {
		return 0
	}
	batch := p.batch.tripsOf(c.id, c.trips[0].Start-p.tripGap)
	p.merged = mergeTrips(p.merged[:0], batch, c.trips, p.tripGap)
	return len(p.merged) - len(batch)
}

// mergeTrips appends the trips that the pieces of both views make to dst, which is empty.
func mergeTrips(dst, batch, speed []view.Stretch, gap int64) []view.Stretch {
	dst = append(append(dst, batch...), speed...)
	slices.SortFunc(dst, func(a, b view.Stretch) int { return cmp.Compare(a.Start, b.Start) })
	return view.Coalesce(dst, gap)
}

// readingInterval is what a speed counts for in a distance, as the speed layer has it; before its first
// row, otherwise.
func (p *part) readingInterval(otherwise int64) int64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if said := p.progress.ReadingInterval; said > 0 {
		return said
	}
	return otherwise
}

// readTrips appends the part's trips that begin in the range.
func (p *part) readTrips(rows []view.Trip, r httpapi.Range, interval int64) []view.Trip {
	var speed map[string][]view.Stretch
	if r.Layer != httpapi.Batch {
		speed = p.copyTrips(r.Car)
	}
	keptFrom := p.keptNow()
	emit := func(car string, trips []view.Stretch) {
		for _, t := range trips {
			if t.Start >= r.From && t.Start < r.To && t.End >= keptFrom {
				rows = append(rows, view.Trip{
					CarID: car, Stretch: t, Distance: view.Distance(t.SpeedSum, interval),
				})
			}
		}
	}
	if r.Layer != httpapi.Speed && len(p.batch.trips) > 0 {
		for i := range p.batch.carsIn(r.Car) {
			car, trips := p.batch.cars[i], rowsOf(p.batch.trips, p.batch.tripsEnd, i)
			if pieces := speed[car]; len(pieces) > 0 {
				trips = mergeTrips(nil, trips, pieces, p.tripGap)
				delete(speed, car)
			}
			emit(car, trips)
		}
	}
	for car, trips := range speed {
		emit(car, trips)
	}
	return rows
}

// copyTrips copies the trips of the speed view, by car.
func (p *part) copyTrips(car string) map[string][]view.Stretch {
	trips := map[string][]view.Stretch{}
	p.copyRows(car, func(c *carRows) {
		if len(c.trips) > 0 {
			trips[c.id] = append([]view.Stretch(nil), c.trips...)
		}
	})
	return trips
}
