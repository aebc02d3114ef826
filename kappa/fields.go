package kappa

import (
	"encoding/binary"
	"math"
)

// fields reads the fields of a row one after the other. It notes when the row was too short and
// answers 0 from there on, so that the error is tested once, at the end.
type fields struct {
	rest  []byte
	short bool
}

func (f *fields) varint() int64 {
	x, n := binary.Varint(f.rest)
	f.skip(n)
	return x
}

func (f *fields) uvarint() uint64 {
	x, n := binary.Uvarint(f.rest)
	f.skip(n)
	return x
}

// skip goes n bytes on; encoding/binary answers n <= 0 for what is no number.
func (f *fields) skip(n int) {
	if n <= 0 {
		f.short, f.rest = true, nil
		return
	}
	f.rest = f.rest[n:]
}

// take returns the next n bytes, or nil when there are fewer.
func (f *fields) take(n int) []byte {
	if len(f.rest) < n {
		f.short, f.rest = true, nil
		return nil
	}
	taken := f.rest[:n]
	f.rest = f.rest[n:]
	return taken
}

func (f *fields) byte() byte {
	if b := f.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (f *fields) uint32() uint32 {
	if b := f.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (f *fields) uint64() uint64 {
	if b := f.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (f *fields) float32() float32 { return math.Float32frombits(f.uint32()) }

// appendKnown appends the metrics that came later, at the end of a row, in their order. Zeros say that
// nothing is known, and those at the end are not written: a row of a version without these metrics
// is what it was before there were any.
//
//bench:change metric known
func appendKnown(b []byte, metrics ...float32) []byte {
	end := len(metrics)
	for end > 0 && metrics[end-1] == 0 {
		end--
	}
	for _, x := range metrics[:end] {
		b = binary.BigEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// known reads a metric of appendKnown: 0 when the row has already ended.
//
//bench:change metric known-read
func (f *fields) known() float32 {
	if len(f.rest) == 0 {
		return 0
	}
	return f.float32()
}
