package eventlog

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/segmentio/kafka-go/protocol"
)

// readCommitted is the isolation level of every read and of every end of the log that is asked for:
// up to the last stable offset, before which all transactions have ended, and without those that were
// given up. On a topic without transactions nothing is different.
//
// kafka-go asks the broker for the same, and then hands out aborted records and even the marks as
// messages (tried with 0.4.51). The broker leaves it to the reader to skip them.
const (
	readUncommitted = 0 // of who looks whether anything is open
	readCommitted   = 1
)

// An abortedTransaction is one that was given up and has records in a fetched range.
type abortedTransaction struct{ producer, first int64 } // its first offset, which may be before the range

// An isolation tells the records of aborted transactions, batch by batch in the order of the log, as
// Kafka's own consumer does (CompletedFetch).
type isolation struct {
	ahead []abortedTransaction // that begin further on, by their first offset
	open  []int64              // producers whose transaction here is one of the aborted
}

// begin takes what the broker says of one fetched range.
func (i *isolation) begin(aborted []abortedTransaction) {
	slices.SortFunc(aborted, func(a, b abortedTransaction) int { return cmp.Compare(a.first, b.first) })
	i.ahead, i.open = aborted, i.open[:0]
}

// drops reports whether the batch belongs to an aborted transaction. It must be asked of every
// batch, marks included.
func (i *isolation) drops(batch []byte, attributes protocol.Attributes) bool {
	if len(i.ahead) == 0 && len(i.open) == 0 {
		return false
	}
	be := binary.BigEndian
	last := int64(be.Uint64(batch)) + int64(int32(be.Uint32(batch[batchLastDeltaAt:])))
	for len(i.ahead) > 0 && i.ahead[0].first <= last {
		i.open, i.ahead = append(i.open, i.ahead[0].producer), i.ahead[1:]
	}
	producer := int64(be.Uint64(batch[batchProducerAt:]))
	at := slices.Index(i.open, producer)
	if at < 0 {
		return false
	}
	if attributes.Control() && isAbort(batch[batchHeaderSize:]) {
		i.open = slices.Delete(i.open, at, at+1) // what the producer says from here on is another matter
	}
	return attributes.Transactional()
}

// isAbort reports whether the record of a control batch is the mark of an abort, by its key: a version
// and a type, 0 for an abort, 1 for a commit.
func isAbort(b []byte) bool {
	_, n := binary.Varint(b)
	if n <= 0 {
		return false
	}
	c := cursor{b: b[n:]}
	c.skip(1) // attributes
	c.varint()
	c.varint()
	key := c.bytes()
	return len(key) >= 4 && binary.BigEndian.Uint16(key[2:]) == 0
}
