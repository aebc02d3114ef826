package datagen

// A queue is a binary min-heap of sends by intended time, written out because container/heap
// would allocate for every send.
type queue []send

// before orders sends; equal times are told apart so that the order does not depend on the heap.
func (s *send) before(o *send) bool {
	if s.intended != o.intended {
		return s.intended < o.intended
	}
	if s.car != o.car {
		return s.car < o.car
	}
	if s.seq != o.seq {
		return s.seq < o.seq
	}
	return s.kind < o.kind
}

func (q *queue) push(s send) {
	*q = append(*q, s)
	h := *q
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if !h[i].before(&h[parent]) {
			return
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
}

// pop removes and returns the first send. The queue must not be empty.
func (q *queue) pop() send {
	h := *q
	first, end := h[0], len(h)-1
	h[0] = h[end]
	h = h[:end]
	*q = h
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < end; child++ {
			if h[child].before(&h[least]) {
				least = child
			}
		}
		if least == i {
			return first
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
