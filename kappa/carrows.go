package kappa

import (
	"slices"
	"sort"

	"lambdakappa/event"
	"lambdakappa/view"
)

// carRows are the rows of one car: slices without pointers, so that half a million rows are no
// work for the garbage collector.
type carRows struct {
	id      string
	windows []windowCell // ascending starts
	alerts  []alertCell  // ascending seqs
	recent  []seqList    // of the windows that may still change, in no order
	lastSeq int64        // greatest in any window
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

// seqList names the readings of one window.
type seqList struct {
	start int64
	seqs  []int64
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

// name remembers which readings a window holds. Only windows that may still change are kept: who
// waits for a reading knows what came before it.
func (c *carRows) name(start int64, seen []reading, rules event.Rules) {
	l := c.seqList(start, rules)
	l.seqs = slices.Grow(l.seqs[:0], len(seen))
	for i := range seen {
		l.seqs = append(l.seqs, seen[i].seq)
	}
}

// seqList returns the list of a window: its own, one that is out of date, or a new one.
func (c *carRows) seqList(start int64, rules event.Rules) *seqList {
	// The newest window of the car was open when the watermark was at most at its end. A row that
	// may change is at most this much older; twice as much is kept, for queries that come late.
	reach := 2 * (rules.Window + rules.DisorderBound + rules.AllowedLateness)
	oldest := c.windows[len(c.windows)-1].start - reach
	reusable := -1
	for i := range c.recent {
		if c.recent[i].start == start {
			return &c.recent[i]
		}
		if c.recent[i].start < oldest {
			reusable = i
		}
	}
	if reusable < 0 {
		reusable = len(c.recent)
		c.recent = append(c.recent, seqList{})
	}
	c.recent[reusable].start = start
	return &c.recent[reusable]
}

// visible names the readings above a seq, ascending.
func (c *carRows) visible(afterSeq int64) []int64 {
	var seqs []int64
	for _, l := range c.recent {
		for _, seq := range l.seqs {
			if seq > afterSeq {
				seqs = append(seqs, seq)
			}
		}
	}
	slices.Sort(seqs)
	return seqs
}
