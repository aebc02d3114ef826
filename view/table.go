package view

import (
	"fmt"
	"slices"
)

// A Row is a row of a view: comparable as a whole, with an identity that orders.
type Row[K any] interface {
	comparable
	Key() K
}

// Key is what identifies a row within its view.
type Key[K any] interface {
	comparable
	Compare(K) int
}

// A Table is a complete view: rows in the order of their keys, each key once.
type Table[K Key[K], R Row[K]] []R

// NewTable sorts rows in place and returns them as a table, or an error that names the first key
// that occurs twice: an answer with two rows for one key is wrong, whatever they say.
func NewTable[K Key[K], R Row[K]](rows []R) (Table[K, R], error) {
	slices.SortFunc(rows, func(a, b R) int { return a.Key().Compare(b.Key()) })
	for i := 1; i < len(rows); i++ {
		if rows[i-1].Key() == rows[i].Key() {
			return nil, fmt.Errorf("two rows for key %+v", rows[i].Key())
		}
	}
	return rows, nil
}

// A Diff is the row by row comparison of an answer with the truth.
//
// Invariant: Expected = Exact + Different + Missing.
type Diff struct {
	Expected   int `json:"expected"`   // rows of the truth
	Exact      int `json:"exact"`      // rows that are equal in every field
	Missing    int `json:"missing"`    // in the truth only
	Unexpected int `json:"unexpected"` // in the answer only
	Different  int `json:"different"`  // the same key, another content

	// Examples names the first few rows that are not exact, with what was expected and served.
	Examples []string `json:"examples,omitempty"`
}

// maxExamples keeps a broken run's summary readable; the counts are always complete.
const maxExamples = 20

// OK reports whether the answer is the truth.
func (d Diff) OK() bool { return d.Missing == 0 && d.Unexpected == 0 && d.Different == 0 }

// Compare holds answer against truth, row by row with ==. A row with NaN is never exact.
func Compare[K Key[K], R Row[K]](truth, answer Table[K, R]) Diff {
	d := Diff{Expected: len(truth)}
	example := func(format string, args ...any) {
		if len(d.Examples) < maxExamples {
			d.Examples = append(d.Examples, fmt.Sprintf(format, args...))
		}
	}
	i, j := 0, 0
	for i < len(truth) || j < len(answer) {
		switch order := compareHeads(truth, answer, i, j); {
		case order < 0:
			d.Missing++
			example("missing %+v", truth[i])
			i++
		case order > 0:
			d.Unexpected++
			example("unexpected %+v", answer[j])
			j++
		case truth[i] == answer[j]:
			d.Exact++
			i, j = i+1, j+1
		default:
			d.Different++
			example("different: expected %+v, served %+v", truth[i], answer[j])
			i, j = i+1, j+1
		}
	}
	return d
}

// compareHeads orders truth[i] against answer[j]; a table that has ended is greater than any row.
func compareHeads[K Key[K], R Row[K]](truth, answer Table[K, R], i, j int) int {
	switch {
	case i == len(truth):
		return 1
	case j == len(answer):
		return -1
	default:
		return truth[i].Key().Compare(answer[j].Key())
	}
}
