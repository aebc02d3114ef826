package lambda

import (
	"cmp"
	"slices"
)

// A carOrder is the order of cars in the files of a view: by id.
type carOrder struct {
	cars  []int32 // indices of the cars in that order
	ranks []int32 // of every car, by its index
}

// order returns the order of the cars of a fold.
func (f *batchFold) order() carOrder {
	o := carOrder{cars: make([]int32, len(f.cars)), ranks: make([]int32, len(f.cars))}
	for i := range o.cars {
		o.cars[i] = int32(i)
	}
	slices.SortFunc(o.cars, func(a, b int32) int { return cmp.Compare(f.cars[a].id, f.cars[b].id) })
	for rank, car := range o.cars {
		o.ranks[car] = int32(rank)
	}
	return o
}

// A row of a view names a reading: the index of a car, and a seq of the car.
type row interface {
	reading() (car int32, seq int64)
}

func (a batchAlert) reading() (car int32, seq int64)    { return a.car, a.seq }
func (r handedReading) reading() (car int32, seq int64) { return r.car, r.seq }

// inOrder returns rows that came in the order of the log by car and then seq. Within a car they
// mostly have that order, so they are dealt out to the cars first: sorting what is then all but
// sorted costs little, where sorting millions of rows would cost as much as folding them.
func inOrder[R row](o carOrder, rows []R) []R {
	next := make([]int, len(o.cars)+1) // where the next row of the car of a rank goes
	for _, r := range rows {
		car, _ := r.reading()
		next[o.ranks[car]+1]++
	}
	for rank := range o.cars {
		next[rank+1] += next[rank]
	}
	ordered := make([]R, len(rows))
	for _, r := range rows {
		car, _ := r.reading()
		rank := o.ranks[car]
		ordered[next[rank]] = r
		next[rank]++
	}
	slices.SortFunc(ordered, func(a, b R) int {
		carA, seqA := a.reading()
		carB, seqB := b.reading()
		return cmp.Or(cmp.Compare(o.ranks[carA], o.ranks[carB]), cmp.Compare(seqA, seqB))
	})
	return ordered
}
