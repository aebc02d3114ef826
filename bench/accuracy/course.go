package accuracy

import (
	"time"

	"lambdakappa/view"
)

// Grace is how long an answer may take to show what is on the log before it counts as not right. It is
// far above the freshness of both sides, and far below what a fault costs.
const Grace = 500 * time.Millisecond

// A Course is how right the windows were at every moment of a watch.
type Course struct {
	At     []time.Duration
	Silent []bool // nobody answered

	// Of the windows whose last reading has been on the log for [Grace]: how many there are, and how
	// many are served as they are in the end.
	DueA, ExactA []int64
	DueB, ExactB []int64

	// Wrong counts the windows that are due and not exact, of those about which both truths agree: no
	// lateness excuses them.
	Wrong []int64
	// Excess counts the readings that are served beyond those of truth A: nothing but a repetition can
	// be the reason.
	Excess []int64

	// Spoilt counts the windows, of those about which both truths agree, that were served as they have
	// to be and later were not. However slow a side is, there must be none.
	Spoilt int
}

// Course follows the answers of a watch over time.
func (t *Truth) Course(w *Watch) Course {
	n := len(w.Moments)
	zeros := func() []int64 { return make([]int64, n+1) }
	dueA, exactA, dueB, exactB, wrong, excess := zeros(), zeros(), zeros(), zeros(), zeros(), zeros()
	spoilt := 0
	for key, win := range t.windows {
		seen := w.Windows.rows[key]
		from := w.due(win.wholeA, win.partition)
		add(dueA, from, n, 1)
		exact(exactA, from, n, seen, win.a, 1)
		if win.agreed() {
			add(wrong, from, n, 1)
			exact(wrong, from, n, seen, win.a, -1)
			if spoils(seen, n, win.a) {
				spoilt++
			}
		}
		if win.inB {
			from = w.due(win.wholeB, win.partition)
			add(dueB, from, n, 1)
			exact(exactB, from, n, seen, win.b, 1)
		}
	}
	for key, seen := range w.Windows.rows {
		var readings int64
		if win := t.windows[key]; win != nil {
			readings = win.a.Readings
		}
		seen.spans(n, func(from, to int, row view.Window) {
			add(excess, from, to, max(0, row.Readings-readings))
		})
	}
	c := Course{
		DueA: sums(dueA), ExactA: sums(exactA), DueB: sums(dueB), ExactB: sums(exactB),
		Wrong: sums(wrong), Excess: sums(excess), Spoilt: spoilt,
	}
	for i := range w.Moments {
		c.At = append(c.At, w.Moments[i].At)
		c.Silent = append(c.Silent, w.Moments[i].Silent)
	}
	return c
}

// due is the moment from which on a window has to be right whose last reading is below an offset.
func (w *Watch) due(whole int64, partition int) int {
	return w.after(w.from(whole, partition, logOf), Grace)
}

// add notes that a count is by x greater from one moment up to another one. Counts are kept as their
// differences until they are summed.
func add(differences []int64, from, to int, x int64) {
	if from < to {
		differences[from] += x
		differences[to] -= x
	}
}

// exact adds x for the moments from one on at which a row was served as it has to be.
func exact(differences []int64, from, n int, seen *sightings[view.Window], want view.Window, x int64) {
	if seen == nil {
		return
	}
	seen.spans(n, func(begin, end int, row view.Window) {
		if row == want {
			add(differences, max(begin, from), end, x)
		}
	})
}

// spoils reports whether a row was served as it has to be, and not any more at some later moment.
func spoils(seen *sightings[view.Window], n int, want view.Window) (spoilt bool) {
	if seen == nil {
		return false
	}
	seen.spans(n, func(_, to int, row view.Window) {
		spoilt = spoilt || row == want && to < n
	})
	return spoilt
}

// sums turns differences into counts, in place; what lies behind the last moment falls away.
func sums(differences []int64) []int64 {
	for i := 1; i < len(differences); i++ {
		differences[i] += differences[i-1]
	}
	return differences[:len(differences)-1]
}

// Points are part of whole, in per cent, over time, for a plot; a moment without a whole has none, and
// neither has one at which nobody answered.
func (c *Course) Points(part, whole []int64) [][2]float64 {
	var points [][2]float64
	for i, n := range whole {
		if n > 0 && !c.Silent[i] {
			points = append(points, [2]float64{c.At[i].Seconds(), 100 * float64(part[i]) / float64(n)})
		}
	}
	return points
}

// Seconds sums a count over time: a window that is wrong for two seconds is two window-seconds.
func (c *Course) Seconds(counts []int64) float64 {
	var sum float64
	for i := 1; i < len(c.At); i++ {
		sum += float64(counts[i-1]) * (c.At[i] - c.At[i-1]).Seconds()
	}
	return sum
}

// Above is for how long a count was above 0.
func (c *Course) Above(counts []int64) time.Duration {
	var sum time.Duration
	for i := 1; i < len(c.At); i++ {
		if counts[i-1] > 0 {
			sum += c.At[i] - c.At[i-1]
		}
	}
	return sum
}

// Speechless is for how long nobody answered.
func (c *Course) Speechless() time.Duration {
	var sum time.Duration
	for i := 1; i < len(c.At); i++ {
		if c.Silent[i] {
			sum += c.At[i] - c.At[i-1]
		}
	}
	return sum
}

// A Recovery is what followed a fault.
type Recovery struct {
	Took time.Duration // until every answer was right again; 0 when no answer was wrong
	Cut  bool          // they were still wrong when the next fault came, or the run ended: it took longer
}

// Again returns the recovery from every fault: until every answer was right again, and stayed so until
// the next one. Faults are the moments at which they began, ascending; of two that overlap, the former
// ends where the latter begins.
func (c *Course) Again(faults []time.Duration) []Recovery {
	all := make([]Recovery, len(faults))
	for i, at := range c.At {
		f := len(faults) - 1
		for f >= 0 && faults[f] > at {
			f--
		}
		if f < 0 {
			continue
		}
		all[f].Cut = c.Wrong[i] > 0 || c.Silent[i]
		if all[f].Cut {
			all[f].Took = at - faults[f]
		}
	}
	return all
}
