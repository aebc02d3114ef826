package oracle

import "math"

// A memory knows which readings of a car were seen, for as long as that matters to a view.
type memory struct {
	fingerprints map[int64]uint32  // by seq: of every reading that counts as seen
	windows      map[int64][]int64 // the same seqs by window start, to forget them together
	next         int64             // no window is forgotten below this watermark
}

func newMemory() memory {
	return memory{fingerprints: map[int64]uint32{}, windows: map[int64][]int64{}, next: math.MaxInt64}
}

// remember remembers a reading until its window is forgotten, at watermark ends.
func (m *memory) remember(seq, start int64, fingerprint uint32, ends int64) {
	m.fingerprints[seq] = fingerprint
	m.windows[start] = append(m.windows[start], seq)
	m.next = min(m.next, ends)
}

// forget forgets the windows that end, by ends, at or below the watermark. What a car has seen
// matters to its own events alone, so it is enough to do this when one of them comes.
func (m *memory) forget(ends func(start int64) int64, watermark int64) {
	if watermark < m.next {
		return
	}
	m.next = math.MaxInt64
	for start, seqs := range m.windows {
		if watermark < ends(start) {
			m.next = min(m.next, ends(start))
			continue
		}
		for _, seq := range seqs {
			delete(m.fingerprints, seq)
		}
		delete(m.windows, start)
	}
}
