package kappa

import (
	"sort"

	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// carRows are the rows of one car: slices without pointers, so that half a million rows are no
// work for the garbage collector.
type carRows struct {
	id      string
	windows []windowCell // ascending starts
	alerts  []alertCell  // ascending seqs
	//bench:change view
	trips   []view.Stretch // ascending starts
	lastSeq int64          // greatest in any window
	near    seqBits        // those in any window that are near lastSeq
}

type windowCell struct {
	start int64
	tally view.Tally
}

type alertCell struct {
	seq, eventTime, offset int64
	score                  float64
	rule                   view.Rule
}

// seqBits is the set of the visible seqs that answers may name, those above
// lastSeq - [httpapi.MaxVisible]: the bit of a seq is its remainder.
type seqBits [httpapi.MaxVisible / 64]uint64

// bit returns the word of a seq and its bit in there.
func (b *seqBits) bit(seq int64) (word *uint64, bit uint64) {
	return &b[uint64(seq)/64%uint64(len(b))], 1 << (uint64(seq) % 64)
}

// window returns the row that starts at start, which may be new and empty. Rows mostly arrive in
// the order of their starts, so it looks from the end.
func (c *carRows) window(start int64) (cell *windowCell, isNew bool) {
	i := len(c.windows)
	for i > 0 && c.windows[i-1].start > start {
		i--
	}
	if i > 0 && c.windows[i-1].start == start {
		return &c.windows[i-1], false
	}
	c.windows = append(c.windows, windowCell{})
	copy(c.windows[i+1:], c.windows[i:])
	c.windows[i] = windowCell{start: start}
	return &c.windows[i], true
}

// alert returns the alert of a reading, which may be new and empty.
func (c *carRows) alert(seq int64) (cell *alertCell, isNew bool) {
	i := sort.Search(len(c.alerts), func(i int) bool { return c.alerts[i].seq >= seq })
	if i < len(c.alerts) && c.alerts[i].seq == seq {
		return &c.alerts[i], false
	}
	c.alerts = append(c.alerts, alertCell{})
	copy(c.alerts[i+1:], c.alerts[i:])
	c.alerts[i] = alertCell{seq: seq}
	return &c.alerts[i], true
}

// name remembers that a reading is visible. What is too far behind the greatest is in no answer.
func (c *carRows) name(seq int64) {
	if seq > c.lastSeq {
		for n := max(c.lastSeq, seq-httpapi.MaxVisible) + 1; n < seq; n++ {
			word, bit := c.near.bit(n) // so far it was that of a seq which is too far behind now
			*word &^= bit
		}
		c.lastSeq = seq
	}
	if seq > c.lastSeq-httpapi.MaxVisible {
		word, bit := c.near.bit(seq)
		*word |= bit
	}
}

// visible names the readings above a seq, ascending, as far back as answers go.
func (c *carRows) visible(afterSeq int64) []int64 {
	if afterSeq < 0 {
		return nil
	}
	var seqs []int64
	for seq := max(afterSeq, c.lastSeq-httpapi.MaxVisible); seq < c.lastSeq; {
		seq++
		if word, bit := c.near.bit(seq); *word&bit != 0 {
			seqs = append(seqs, seq)
		}
	}
	return seqs
}
