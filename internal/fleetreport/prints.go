package fleetreport

// prints remembers the readings of a car by seq: the fingerprint of each, never 0. Seqs count from 0
// without gaps at the source, so most of them lie in a slice, at 4 bytes a reading.
type prints struct {
	dense  []uint32
	sparse map[int64]uint32 // of seqs that are far beyond dense
}

// far is how many seqs may be missing before one is kept apart.
const far = 1024

// note remembers a reading unless its seq is known. It returns what was known of it, 0 for nothing.
func (p *prints) note(seq int64, print uint32) (prior uint32) {
	if seq >= int64(2*len(p.dense)+far) {
		return p.noteSparse(seq, print)
	}
	if seq >= int64(len(p.dense)) {
		p.grow(seq + 1)
	}
	if prior = p.dense[seq]; prior == 0 {
		p.dense[seq] = print
	}
	return prior
}

// grow makes dense reach to length, and moves what was kept apart below it.
func (p *prints) grow(length int64) {
	p.dense = append(p.dense, make([]uint32, length-int64(len(p.dense)))...)
	for seq, print := range p.sparse {
		if seq < length {
			p.dense[seq] = print
			delete(p.sparse, seq)
		}
	}
}

func (p *prints) noteSparse(seq int64, print uint32) (prior uint32) {
	if prior = p.sparse[seq]; prior != 0 {
		return prior
	}
	if p.sparse == nil {
		p.sparse = map[int64]uint32{}
	}
	p.sparse[seq] = print
	return 0
}
