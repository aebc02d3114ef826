package accuracy

import (
	"math"
	"sort"

	"lambdakappa/bench/oracle"
	"lambdakappa/view"
)

// A Truth is what both truths say about every window, and when the log said it.
type Truth struct {
	windows map[view.WindowKey]*window
	logs    []logged // by partition
	length  int64    // of a window, ms
}

// A window is a row of truth A.
//
// Invariant: every window of truth B is one of truth A.
type window struct {
	partition int
	a, b      view.Window
	inB       bool // not all of its readings were too late

	wholeA, wholeB int64 // the offset behind its last reading that counts
	closes         int64 // the offset behind the event that moved the watermark past its end
	forgets        int64 // and past its end and the allowed lateness
	lateAt         int64 // offset of its last reading that was too late; -1 when none was
	band           Band  // of its latest reading, as far as the log alone can tell
}

// never is an offset that no log has reached.
const never = math.MaxInt64

// logged is how the watermark of a partition has moved.
type logged struct {
	watermarks []int64 // ascending
	offsets    []int64 // the offset behind the event that moved it there
	greatest   int64   // event time so far
}

// reaches returns the offset behind the event that moved the watermark to t.
func (l *logged) reaches(t int64) int64 {
	i := sort.Search(len(l.watermarks), func(i int) bool { return l.watermarks[i] >= t })
	if i == len(l.watermarks) {
		return never
	}
	return l.offsets[i]
}

// Read returns the truth of an oracle that has read the whole log, whose windows have a length and
// take updates for lateness behind their end; ms.
func Read(o *oracle.Oracle, partitions int, length, lateness int64) *Truth {
	t := &Truth{windows: map[view.WindowKey]*window{}, logs: make([]logged, partitions), length: length}
	for p := range t.logs {
		t.logs[p].greatest = math.MinInt64
	}
	a, b := o.TruthA(), o.TruthB()
	for _, row := range a.Windows {
		t.windows[row.WindowKey] = &window{a: row, lateAt: -1}
	}
	for _, row := range b.Windows {
		w := t.windows[row.WindowKey]
		w.b, w.inB = row, true
	}
	o.Rulings(t.rule)
	for key, w := range t.windows {
		l := &t.logs[w.partition]
		w.closes = l.reaches(key.Start + length)
		w.forgets = l.reaches(key.Start + length + lateness)
	}
	return t
}

// rule notes what became of one entry.
func (t *Truth) rule(r oracle.Ruling) {
	l := &t.logs[r.Partition]
	if n := len(l.watermarks); r.Watermark > math.MinInt64 && (n == 0 || l.watermarks[n-1] < r.Watermark) {
		l.watermarks = append(l.watermarks, r.Watermark)
		l.offsets = append(l.offsets, r.Offset) // the event before it has moved it
	}
	if r.InA {
		w := t.windows[view.WindowKey{CarID: r.Event.CarID, Start: r.Window}]
		w.partition, w.wholeA = r.Partition, r.Offset+1
		if r.InB {
			w.wholeB = r.Offset + 1
		}
		if r.Late {
			w.lateAt = r.Offset
		}
		w.band = max(w.band, bandOf(&r, l.greatest))
		l.greatest = max(l.greatest, r.Event.EventTime)
	}
}

// Readings is how many readings truth A counts.
func (t *Truth) Readings() (n int64) {
	for _, w := range t.windows {
		n += w.a.Readings
	}
	return n
}

// agreed reports whether both truths say the same about the window.
func (w *window) agreed() bool { return w.inB && w.a == w.b }
