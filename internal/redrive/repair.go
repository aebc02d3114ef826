package redrive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"lambdakappa/event"
)

// Repairs are the ways in which a refused payload may be made good. Each answers one way in which
// producers are known to have been wrong; what none of them fits stays a dead letter. Without any,
// only what the decoder takes by now is re-driven: a schema may have been registered meanwhile.
type Repairs struct {
	Schemas map[uint32]uint32 // writer's schema id, wrong and right
	Header  bool              // the payload is the body alone, of the first version of the schema
	Magic   bool              // the first byte is wrong, whatever it is
	Clock   bool              // the clock was ahead: the event took place when it was appended
}

// Parse reads repairs as the command line gives them: "schema=99:1", "header", "magic", "clock".
func Parse(texts []string) (Repairs, error) {
	r := Repairs{Schemas: map[uint32]uint32{}}
	for _, text := range texts {
		name, value, _ := strings.Cut(text, "=")
		switch {
		case name == "schema":
			wrong, right, err := parseIDs(value)
			if err != nil {
				return Repairs{}, fmt.Errorf("repair %q: takes schema=WRONG:RIGHT, two schema ids such as schema=99:1", text)
			}
			r.Schemas[wrong] = right
		case text == "header":
			r.Header = true
		case text == "magic":
			r.Magic = true
		case text == "clock":
			r.Clock = true
		default:
			return Repairs{}, fmt.Errorf("repair %q: is none of schema=WRONG:RIGHT, header, magic, clock", text)
		}
	}
	return r, nil
}

func parseIDs(text string) (wrong, right uint32, err error) {
	a, b, _ := strings.Cut(text, ":")
	w, errW := strconv.ParseUint(a, 10, 32)
	r, errR := strconv.ParseUint(b, 10, 32)
	return uint32(w), uint32(r), errors.Join(errW, errR)
}

// The wire format, as far as a repair has to know it.
const (
	magicByte   = 0x00
	headerBytes = 5
)

// A repairer makes refused payloads good. It is not safe for concurrent use.
type repairer struct {
	repairs Repairs
	rules   event.Rules
	decoder *event.Decoder
	firstID uint32 // of the first version of the schema
}

// repair decodes a letter into e, as it is or as a repair makes it. The error is a [*event.Reject]
// when nothing helps: what is wrong with the letter as it is.
func (r *repairer) repair(l *letter, e *event.CarSensor) error {
	err := r.decode(l, l.value, e)
	for _, value := range r.repairs.frames(l.value, r.firstID) {
		if !isReject(err) {
			break
		}
		if again := r.decode(l, value, e); !isReject(again) {
			err = again
		}
	}
	if err != nil {
		return err
	}
	err = r.rules.CheckSkew(e.EventTime, l.appendTime)
	if err != nil && r.repairs.Clock {
		e.EventTime = l.appendTime
		return nil
	}
	return err
}

func isReject(err error) bool {
	_, ok := errors.AsType[*event.Reject](err)
	return ok
}

// frames are the payload in the wire format, for each way in which it may have missed it.
func (r *Repairs) frames(value []byte, firstID uint32) (all [][]byte) {
	if r.Magic && len(value) >= headerBytes && value[0] != magicByte {
		all = append(all, append([]byte{magicByte}, value[1:]...))
	}
	if r.Header {
		header := binary.BigEndian.AppendUint32([]byte{magicByte}, firstID)
		all = append(all, append(header, value...))
	}
	return all
}

// decode decodes a payload under the schema that it names, or should have named.
func (r *repairer) decode(l *letter, value []byte, e *event.CarSensor) error {
	err := r.decoder.Decode(l.key, value, e)
	reject, ok := errors.AsType[*event.Reject](err)
	if !ok || reject.Reason != event.ReasonUnknownSchema {
		return err
	}
	right, known := r.repairs.Schemas[binary.BigEndian.Uint32(value[1:])]
	if !known {
		return err
	}
	value = bytes.Clone(value)
	binary.BigEndian.PutUint32(value[1:], right)
	return r.decoder.Decode(l.key, value, e)
}
