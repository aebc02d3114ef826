//bench:change view
package lambda

import (
	"slices"
	"sort"

	"lambdakappa/view"
)

// foldedTrips are the trips of a fold, by the index of their car. A reading belongs to the trips
// that it touches, and however late it comes, it may still bridge two.
type foldedTrips struct {
	gap  int64
	cars [][]view.Stretch // ascending starts; two trips of a car are more than the gap apart
}

// add adds a stretch of a car. Readings mostly come in order, and prolong the last trip.
//
//bench:change view interval
func (t *foldedTrips) add(car int32, one view.Stretch) {
	for int(car) >= len(t.cars) {
		t.cars = append(t.cars, nil)
	}
	trips := t.cars[car]
	to := len(trips)
	for to > 0 && trips[to-1].Start > one.End+t.gap {
		to--
	}
	from := to
	for from > 0 && trips[from-1].Reaches(&one, t.gap) {
		from--
		one.Merge(&trips[from])
	}
	if to == from+1 {
		trips[from] = one
		return
	}
	t.cars[car] = slices.Replace(trips, from, to, one)
}

// of returns the trips of a car.
func (t *foldedTrips) of(car int32) []view.Stretch {
	if t == nil || int(car) >= len(t.cars) {
		return nil
	}
	return t.cars[car]
}

// tripsKept is the number of trips that the view has.
func (f *batchFold) tripsKept() (n int64) {
	for car := range f.cars {
		n += int64(len(f.keptTrips(int32(car))))
	}
	return n
}

// drive folds the readings of a batch into trips, column by column: those of a car that moves, and
// that were not seen before. It is a second pass over three columns: without trips there is none.
//
//bench:logic
//bench:only lambda
//bench:change view reading
func (f *columnFold) drive(b *columnBatch) {
	cars, times, speed := b.int32s(colCar), b.int64s(colEventTime), b.floats(colSpeed)
	left, right, _, _ := accelerometers(b)
	again := f.again
	for i, v := range speed {
		if len(again) > 0 && again[0] == i {
			again = again[1:]
			continue
		}
		if v <= 0 { // a car that stands is on no trip
			continue
		}
		one := view.Stretch{Start: times[i], End: times[i], Readings: 1, SpeedSum: view.Fixed(v)}
		if isHarsh(left[i]) && isHarsh(right[i]) {
			one.HarshBrakes = 1
		}
		f.trips.add(f.codes[cars[i]], one)
	}
}

// isHarsh reports whether a front wheel feels more than 2.5 m/s². Both do when the car brakes hard:
// that throws the weight forward.
//
//bench:logic
//bench:only lambda
//bench:change view reading
func isHarsh(acceleration float32) bool { return acceleration > 2.5 || acceleration < -2.5 }

// A tripEntry is a row of the file "trips": raw sums, so that the speed view can be merged in.
//
//bench:change view encode
type tripEntry struct {
	CarID       string `parquet:"car_id,dict"`
	Start       int64  `parquet:"trip_start,delta"`
	End         int64  `parquet:"trip_end,delta"`
	Readings    int64  `parquet:"readings,delta"`
	SpeedSum    int64  `parquet:"speed_sum"`
	HarshBrakes int64  `parquet:"harsh_brakes,delta"`
}

// writeTrips writes the trips of one partition into dir; nothing when they are not kept.
//
//bench:change view encode
func (f *batchFold) writeTrips(dir string, partition int, order carOrder) error {
	if f.trips == nil {
		return nil
	}
	return writeParquet(partFile(dir, "trips", partition), func(emit func(tripEntry)) {
		for _, i := range order.cars {
			for _, s := range f.keptTrips(i) {
				emit(newTripEntry(f.cars[i].id, s))
			}
		}
	})
}

// keptTrips are the trips of a car that the view has.
func (f *batchFold) keptTrips(car int32) []view.Stretch {
	trips := f.trips.of(car)
	return trips[endingFrom(trips, f.keptFrom):]
}

func newTripEntry(car string, s view.Stretch) tripEntry {
	return tripEntry{car, s.Start, s.End, s.Readings, s.SpeedSum, s.HarshBrakes}
}

func (e *tripEntry) stretch() view.Stretch {
	return view.Stretch{
		Start: e.Start, End: e.End, Readings: e.Readings, SpeedSum: e.SpeedSum, HarshBrakes: e.HarshBrakes,
	}
}

// loadTrips comes after loadWindows: a car with a trip has a window.
//
//bench:change view decode
func (p *batchPart) loadTrips(path string) error {
	p.tripsEnd = make([]int32, len(p.cars))
	err := readParquet(path, func(r *tripEntry) error {
		car, err := p.car(r.CarID)
		if err != nil {
			return err
		}
		p.trips = append(p.trips, r.stretch())
		p.tripsEnd[car] = int32(len(p.trips))
		return nil
	})
	p.closeGaps(p.tripsEnd)
	return err
}

// closeGaps gives cars without rows an end: where those before them end.
func (p *batchPart) closeGaps(ends []int32) {
	for i := 1; i < len(ends); i++ {
		ends[i] = max(ends[i], ends[i-1])
	}
}

// tripsOf returns the trips of a car that end at from or later.
func (p *batchPart) tripsOf(car string, from int64) []view.Stretch {
	if p == nil || len(p.trips) == 0 {
		return nil
	}
	i, ok := p.index[car]
	if !ok {
		return nil
	}
	trips := rowsOf(p.trips, p.tripsEnd, i)
	return trips[sort.Search(len(trips), func(i int) bool { return trips[i].End >= from }):]
}
