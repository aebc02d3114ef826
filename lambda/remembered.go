package lambda

import "unsafe"

const (
	// readingBytes is what one seen reading takes in memory.
	readingBytes = int64(unsafe.Sizeof(reading{}))
	// runBytes is what a run of seqs takes, however many readings it stands for.
	runBytes = int64(unsafe.Sizeof(seqRun{}))
	// handedBytes is what a reading of the hand-over takes: an element of every column of handedCar.
	handedBytes = int64(unsafe.Sizeof(int64(0)) + unsafe.Sizeof(int64(0)) + unsafe.Sizeof(uint32(0)))
)

// remembered is how many bytes the state holds for de-duplication alone: the readings of windows that
// could still take a copy of one, and those that the batch layer has handed over. It is what was asked
// for, without the memory that slices keep in reserve.
func (s *speedState) remembered() int64 {
	var bytes int64
	for _, c := range s.cars {
		for _, w := range c.open {
			bytes += int64(len(w.seen)) * readingBytes
		}
	}
	handed := s.handed
	if s.trips != nil { //bench:change view keep
		bytes += s.trips.remembered()
		if s.trips.handed != nil {
			handed = s.trips.handed // the same readings, and the trips need them longer
		}
	}
	for _, c := range handed {
		bytes += int64(len(c.seqs)) * handedBytes
	}
	return bytes
}

// remembered is how many bytes the trips hold for de-duplication, but for the hand-over.
//
//bench:change view keep
func (s *speedTrips) remembered() (bytes int64) {
	for _, c := range s.cars {
		for _, w := range c.seen {
			bytes += int64(len(w.seqs)) * runBytes
		}
	}
	return bytes
}

// remembered is how many bytes the batch layer holds for de-duplication alone: the seqs of all history,
// of which a source without holes leaves one run.
func (r *batchRun) remembered() (bytes int64) {
	for _, part := range r.partitions {
		for i := range part.fold.cars {
			bytes += int64(len(part.fold.cars[i].seen)) * runBytes
		}
	}
	return bytes
}
