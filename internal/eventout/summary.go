package eventout

import (
	"fmt"
	"hash/fnv"

	"lambdakappa/event"
)

// A Summary is a set of events, duplicates included, in a few words: two sets are the same if their
// summaries are, whatever the order.
type Summary struct {
	Events int64
	Bytes  int64 // of the events in the wire format, with their keys: what was wanted
	Hash   Hash

	encoder *event.Encoder
	buffer  []byte
}

// A Hash is the sum of a hash of every event.
type Hash uint64

func (h Hash) String() string { return fmt.Sprintf("%016x", uint64(h)) }

// NewSummary returns the summary of no events.
func NewSummary() *Summary {
	return &Summary{encoder: event.NewEncoder(make([]uint32, len(event.Schemas))...)}
}

// Add adds an event.
func (s *Summary) Add(e *event.CarSensor) error {
	var err error
	if s.buffer, err = s.encoder.Append(s.buffer[:0], e); err != nil {
		return err
	}
	h := fnv.New64a()
	_, _ = h.Write(s.buffer) // it never fails
	s.Events++
	s.Bytes += int64(len(e.CarID) + len(s.buffer))
	s.Hash += Hash(h.Sum64()) // not xor: two of the same would be none
	return nil
}
