package kappa

import "unsafe"

// readingBytes is what one seen reading takes in memory.
const readingBytes = int64(unsafe.Sizeof(reading{}))

// remembered is how many bytes the state holds for de-duplication alone: the readings of windows that
// could still take a copy of one, for the windows and, where they are kept, once more for the trips.
// It is what was asked for, without the memory that slices keep in reserve.
func (s *state) remembered() int64 {
	var readings int
	for _, c := range s.cars {
		for _, w := range c.open {
			readings += len(w.seen)
		}
	}
	if s.trips != nil { //bench:change view
		readings += s.trips.remembered()
	}
	return int64(readings) * readingBytes
}

// remembered is how many readings the trips hold for de-duplication.
//
//bench:change view
func (s *tripState) remembered() (readings int) {
	for _, c := range s.cars {
		for _, w := range c.seen {
			readings += len(w.seen)
		}
	}
	return readings
}
