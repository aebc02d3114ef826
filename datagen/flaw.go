package datagen

import (
	"encoding/binary"
	"fmt"
	"math"

	"lambdakappa/event"
)

// A flaw is what is wrong with a malformed payload.
type flaw uint8

const (
	truncated     flaw = iota // the body ends in the middle
	trailing                  // bytes after the body
	wrongMagic                // not in the wire format
	unknownSchema             // a schema id that no registry gave out
	keyMismatch               // the body names another car than the key
	notANumber                // NaN: no sum survives it
	negativeSeq
	flaws // how many there are
)

// UnknownSchemaID is what a malformed payload names for its schema: far beyond what a registry hands
// out, which counts from 1.
const UnknownSchemaID = math.MaxUint32 - 1

// payload appends what is sent in place of e: its encoding with the flaw. e is changed.
func (f flaw) payload(dst []byte, enc *event.Encoder, e *event.CarSensor) []byte {
	switch f {
	case keyMismatch:
		e.CarID += "-impostor"
	case notANumber:
		e.Speed = float32(math.NaN())
	case negativeSeq:
		e.Seq = -1 - e.Seq
	}
	dst, err := enc.Append(dst, e)
	if err != nil {
		// Invariant: every CarSensor encodes; only values that do not fit the schema could fail.
		panic(fmt.Sprintf("encode malformed payload: %v", err))
	}
	switch f {
	case truncated:
		return dst[:len(dst)*2/3]
	case trailing:
		return append(dst, 0xde, 0xad)
	case wrongMagic:
		dst[0] = 0x7b
	case unknownSchema:
		binary.BigEndian.PutUint32(dst[1:], UnknownSchemaID)
	}
	return dst
}
