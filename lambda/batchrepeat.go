package lambda

import (
	"math"

	"lambdakappa/view"
)

// Duplicate or conflict? A reading that was seen before is not counted either way, so the fold
// does not need to know. The counters do, and it takes the fingerprint of the first copy, which
// may be anywhere in the dataset. Copies are few, so this is a pass of its own over the few files
// whose seqs include one of them.

// A repeat is a reading that was seen before.
type repeat struct {
	car         int32
	seq         int64
	fingerprint uint32
}

// A readingID is the identity of a reading.
type readingID struct {
	car int32
	seq int64
}

// judgeRepeats counts every repeat as a duplicate or a conflict.
func (p *batchPartition) judgeRepeats() error {
	if len(p.fold.repeats) == 0 {
		return nil
	}
	wanted := make([]seqSet, len(p.fold.cars))
	for _, r := range p.fold.repeats {
		wanted[r.car].add(r.seq)
	}
	firsts, err := p.firstFingerprints(wanted)
	if err != nil {
		return err
	}
	gone, err := p.seenInGoneFiles(wanted)
	if err != nil {
		return err
	}
	for i, r := range p.fold.repeats {
		// Nobody knows any more what the first copy in a file that is gone was like: what comes again is a duplicate.
		isConflict := firsts[readingID{r.car, r.seq}] != r.fingerprint && !gone[r.car].has(r.seq)
		countRepeat(&p.manifest.Counters, isConflict)
		if p.cut != nil && i < p.cut.repeats {
			countRepeat(&p.cut.Counters, isConflict)
		}
	}
	return nil
}

func countRepeat(c *view.Counters, isConflict bool) {
	if isConflict {
		c.Conflicts++
	} else {
		c.Duplicates++
	}
}

// seenInGoneFiles returns the seqs whose first copy was in a file that is gone, of the cars that something is wanted of.
func (p *batchPartition) seenInGoneFiles(wanted []seqSet) ([]seqSet, error) {
	gone := make([]seqSet, len(wanted))
	if p.rest.End == 0 {
		return gone, nil
	}
	return gone, p.remains.readSeen(p.cfg, p.partition, func(id []byte, run seqRun) {
		if car := p.fold.car(id); len(wanted[car]) > 0 {
			gone[car] = append(gone[car], run)
		}
	})
}

// firstFingerprints returns the fingerprint of the first copy, in files, of every wanted reading.
func (p *batchPartition) firstFingerprints(wanted []seqSet) (map[readingID]uint32, error) {
	left := 0
	lowest, highest := int64(math.MaxInt64), int64(math.MinInt64)
	for _, seqs := range wanted {
		for _, run := range seqs {
			left += int(run.last - run.first + 1)
			lowest, highest = min(lowest, run.first), max(highest, run.last)
		}
	}
	firsts := make(map[readingID]uint32, left)
	for i := 0; i < len(p.chain) && len(firsts) < left; i++ {
		err := withParquet(p.chain[i].path, func(f *parquetFile) error {
			if first, last, ok := f.int64Range("seq"); ok && (last < lowest || first > highest) {
				return nil
			}
			return p.scanFingerprints(f, wanted, firsts)
		})
		if err != nil {
			return nil, err
		}
	}
	return firsts, nil
}

func (p *batchPartition) scanFingerprints(
	f *parquetFile, wanted []seqSet, firsts map[readingID]uint32,
) error {
	var codes []int32
	return f.scan([]string{"car_id", "seq", "fingerprint"}, func(b *columnBatch) error {
		if b.newGroup {
			codes = codes[:0]
			err := b.dictionary(0, func(id []byte) { codes = append(codes, p.fold.car(id)) })
			if err != nil {
				return err
			}
		}
		seqs, fingerprints := b.int64s(1), b.int32s(2)
		for i, code := range b.int32s(0) {
			id := readingID{codes[code], seqs[i]}
			if !wanted[id.car].has(id.seq) {
				continue
			}
			if _, known := firsts[id]; !known {
				firsts[id] = uint32(fingerprints[i])
			}
		}
		return nil
	})
}
