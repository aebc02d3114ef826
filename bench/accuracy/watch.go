package accuracy

import (
	"slices"
	"sort"
	"time"

	"lambdakappa/view"
)

// A Moment is one look at an arm: where the log was, and what the arm said about its answers. Both were
// taken before the rows that belong to it, which may be newer.
type Moment struct {
	At         time.Duration // since the run began
	Log        []int64       // end of every partition
	Watermark  []int64       // of the served answers, by partition; Unix ms
	Boundary   []int64       // by partition; 0 without a batch layer
	Generation int64
	Silent     bool // nobody answered; what it says is that of the moment before
}

// A Watch is everything that was seen of an arm.
//
// Invariant: Moments are in the order of At, and nothing of Log, Watermark and Boundary goes back.
type Watch struct {
	Moments []Moment
	Windows History[view.WindowKey, view.Window]
}

// Look adds a moment and returns its index. What the arm has not said, since it was silent or reads
// from the start again, is as it was.
func (w *Watch) Look(m Moment) int {
	if n := len(w.Moments); n > 0 {
		before := w.Moments[n-1]
		m.Log = forward(before.Log, m.Log)
		m.Watermark = forward(before.Watermark, m.Watermark)
		m.Boundary = forward(before.Boundary, m.Boundary)
		m.Generation = max(m.Generation, before.Generation)
	}
	w.Moments = append(w.Moments, m)
	return len(w.Moments) - 1
}

// Boundaries are, by partition, those of all batch views that were seen.
func (w *Watch) Boundaries() [][]int64 {
	var all [][]int64
	for i := range w.Moments {
		for p, b := range w.Moments[i].Boundary {
			if p == len(all) {
				all = append(all, nil)
			}
			if n := len(all[p]); b > 0 && (n == 0 || all[p][n-1] < b) {
				all[p] = append(all[p], b)
			}
		}
	}
	return all
}

func forward(before, now []int64) []int64 {
	if len(now) < len(before) {
		return before
	}
	now = slices.Clone(now)
	for p := range before {
		now[p] = max(now[p], before[p])
	}
	return now
}

// from returns the first moment at which all that of says of a partition has reached a value, and
// len(Moments) if none has.
func (w *Watch) from(value int64, partition int, of func(*Moment) []int64) int {
	return sort.Search(len(w.Moments), func(i int) bool {
		all := of(&w.Moments[i])
		return partition < len(all) && all[partition] >= value
	})
}

func logOf(m *Moment) []int64       { return m.Log }
func watermarkOf(m *Moment) []int64 { return m.Watermark }
func boundaryOf(m *Moment) []int64  { return m.Boundary }

// after returns the first moment that is at least d after another.
func (w *Watch) after(i int, d time.Duration) int {
	if i >= len(w.Moments) {
		return i
	}
	at := w.Moments[i].At + d
	return sort.Search(len(w.Moments), func(j int) bool { return w.Moments[j].At >= at })
}

// A History is what was seen of one view, by row and moment. Only changes are kept.
type History[K view.Key[K], R view.Row[K]] struct {
	rows map[K]*sightings[R]
}

// sightings are all that was seen of one row.
type sightings[R any] struct {
	changes []sighting[R] // in the order of their moments
	last    int           // the moment at which it was served last
}

// A sighting is a row as it was from a moment on.
type sighting[R any] struct {
	from   int
	served bool // false: it was there before, and is not any more
	row    R
}

// See notes the rows of an answer at a moment. Asked says whether a row would have been in the answer if
// it was there: what was asked for and is missing has gone.
func (h *History[K, R]) See(moment int, rows []R, asked func(K) bool) {
	if h.rows == nil {
		h.rows = map[K]*sightings[R]{}
	}
	for _, row := range rows {
		s := h.rows[row.Key()]
		if s == nil {
			s = new(sightings[R])
			h.rows[row.Key()] = s
		}
		s.last = moment
		if now, served := s.at(moment); !served || now != row {
			s.changes = append(s.changes, sighting[R]{moment, true, row})
		}
	}
	for key, s := range h.rows {
		if _, served := s.at(moment); served && s.last < moment && asked(key) {
			s.changes = append(s.changes, sighting[R]{from: moment})
		}
	}
}

// at returns the row as it was served at a moment, false when it was not.
func (h *History[K, R]) at(key K, moment int) (R, bool) {
	s := h.rows[key]
	if s == nil {
		var none R
		return none, false
	}
	return s.at(moment)
}

func (s *sightings[R]) at(moment int) (row R, served bool) {
	for i := len(s.changes) - 1; i >= 0; i-- {
		if c := &s.changes[i]; c.from <= moment {
			return c.row, c.served
		}
	}
	return row, false
}

// spans hands over what was served of a row, from a moment up to another one; up to the last one, n,
// when nothing has changed any more.
func (s *sightings[R]) spans(n int, each func(from, to int, row R)) {
	for i, c := range s.changes {
		to := n
		if i+1 < len(s.changes) {
			to = s.changes[i+1].from
		}
		if c.served {
			each(c.from, to, c.row)
		}
	}
}
