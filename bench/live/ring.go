package live

// A ring keeps the newest of what is put into it.
//
// Invariant: len(held) <= most; the oldest is at held[oldest].
type ring[T any] struct {
	most   int
	held   []T
	oldest int
}

func (r *ring[T]) put(x T) {
	if len(r.held) < r.most {
		r.held = append(r.held, x)
		return
	}
	r.held[r.oldest] = x
	r.oldest = (r.oldest + 1) % r.most
}

// all is a copy, oldest first.
func (r *ring[T]) all() []T {
	return append(append(make([]T, 0, len(r.held)), r.held[r.oldest:]...), r.held[:r.oldest]...)
}
