package lambda

import "slices"

// foldedWindows are the windows of a fold in the order in which they were met; those of a car are
// linked from the newest start to the oldest. They are kept in chunks, which never move: a slice
// of millions of rows would be copied again and again while it grows.
type foldedWindows struct {
	chunks [][]foldedWindow
	len    int32
}

// A foldedWindow is a window and the next older one of the same car.
type foldedWindow struct {
	batchWindow
	older int32 // index; noIndex when there is none
}

// noIndex is where a list of windows ends.
const noIndex = -1

// windowChunk is how many windows are allocated at once: 400 kB.
const windowChunk = 1 << 12

// at returns the window of an index. The pointer stays valid.
func (w *foldedWindows) at(i int32) *foldedWindow {
	return &w.chunks[i/windowChunk][i%windowChunk]
}

// add adds a window and returns its index.
func (w *foldedWindows) add(window batchWindow, older int32) int32 {
	i := w.len
	if i%windowChunk == 0 {
		w.chunks = append(w.chunks, make([]foldedWindow, windowChunk))
	}
	*w.at(i) = foldedWindow{window, older}
	w.len++
	return i
}

// oldestFirst appends the indices of a list that begins at newest to dst, by ascending start.
func (w *foldedWindows) oldestFirst(dst []int32, newest int32) []int32 {
	from := len(dst)
	for i := newest; i != noIndex; i = w.at(i).older {
		dst = append(dst, i)
	}
	slices.Reverse(dst[from:])
	return dst
}
