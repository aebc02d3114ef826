package lambda

import "slices"

// A seqRun is a run of consecutive seqs, both ends included, so that every int64 has a place.
type seqRun struct{ first, last int64 }

// A seqSet is an exact set of seqs of one car, as ascending runs that neither overlap nor touch.
//
// A source that sends every seq once leaves one run, however long it sends; every hole costs one
// run more. So the set of everything that was ever seen is small enough to publish with a view.
type seqSet []seqRun

// add adds seq and reports whether it is new. In order it costs one comparison.
func (s *seqSet) add(seq int64) bool {
	runs := *s
	if n := len(runs); n > 0 && runs[n-1].last < seq {
		if runs[n-1].last == seq-1 {
			runs[n-1].last = seq
			return true
		}
		*s = append(runs, seqRun{seq, seq})
		return true
	}
	return s.insert(seq)
}

// insert adds seq where it is not simply behind all others.
func (s *seqSet) insert(seq int64) bool {
	runs := *s
	i := runs.search(seq)
	if i < len(runs) && runs[i].first <= seq {
		return false
	}
	joinsLeft := i > 0 && runs[i-1].last == seq-1
	joinsRight := i < len(runs) && runs[i].first-1 == seq
	switch {
	case joinsLeft && joinsRight:
		runs[i-1].last = runs[i].last
		*s = slices.Delete(runs, i, i+1)
	case joinsLeft:
		runs[i-1].last = seq
	case joinsRight:
		runs[i].first = seq
	default:
		*s = slices.Insert(runs, i, seqRun{seq, seq})
	}
	return true
}

// search returns the first run whose last is at or above seq; len(s) when there is none.
func (s seqSet) search(seq int64) int {
	i, _ := slices.BinarySearchFunc(s, seq, func(r seqRun, seq int64) int {
		if r.last < seq {
			return -1
		}
		return 1
	})
	return i
}

// has reports whether seq is in the set.
func (s seqSet) has(seq int64) bool {
	i := s.search(seq)
	return i < len(s) && s[i].first <= seq
}

// above appends the members greater than seq to dst, ascending.
func (s seqSet) above(dst []int64, seq int64) []int64 {
	for i := s.search(seq); i < len(s); i++ {
		for n := max(s[i].first, seq+1); n <= s[i].last && n > seq; n++ {
			dst = append(dst, n)
		}
	}
	return dst
}

// greatest returns the greatest member; -1 when the set is empty (a seq is never negative).
func (s seqSet) greatest() int64 {
	if len(s) == 0 {
		return -1
	}
	return s[len(s)-1].last
}
