package eventlog

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
)

// batchBytes is what one append to the broker holds at most, unless a single record is larger:
// Kafka's default limit, less some room.
const batchBytes = 1_000_000

// appendBatch appends to dst one record batch with as many of the records as fit batchBytes (at
// least one), and returns how many these are. It allocates nothing once dst has grown.
func appendBatch(dst []byte, records []Record) ([]byte, int) {
	start := len(dst)
	dst = append(dst, make([]byte, batchHeaderSize)...)
	first := records[0].AppendTime
	latest, n := first, 0
	for i := range records {
		r := &records[i]
		size := recordSize(r, int64(i), r.AppendTime-first)
		if i > 0 && len(dst)-start+size+binary.MaxVarintLen32 > batchBytes {
			break
		}
		dst = appendRecord(dst, r, size, int64(i), r.AppendTime-first)
		latest = max(latest, r.AppendTime)
		n++
	}
	sealBatch(dst[start:], n, first, latest)
	return dst, n
}

// sealBatch fills in the header of a batch whose n records are complete.
func sealBatch(b []byte, n int, first, latest int64) {
	be := binary.BigEndian
	be.PutUint32(b[batchLengthAt:], uint32(len(b)-batchLengthFrom))
	b[batchMagicAt] = batchMagic
	be.PutUint32(b[batchLastDeltaAt:], uint32(n-1))
	be.PutUint64(b[batchFirstTimeAt:], uint64(first))
	be.PutUint64(b[batchMaxTimeAt:], uint64(latest))
	for i := batchProducerAt; i < batchCountAt; i++ {
		b[i] = 0xff // no producer id, epoch and sequence: all -1
	}
	be.PutUint32(b[batchCountAt:], uint32(n))
	be.PutUint32(b[batchCRCAt:], crc32.Checksum(b[batchAttributesAt:], castagnoli))
}

// recordSize is the length of a record without its own length field.
func recordSize(r *Record, offsetDelta, timeDelta int64) int {
	size := 1 + varintSize(timeDelta) + varintSize(offsetDelta) +
		bytesSize(r.Key) + bytesSize(r.Value) + varintSize(int64(len(r.Headers)))
	for i := range r.Headers {
		h := &r.Headers[i]
		size += varintSize(int64(len(h.Key))) + len(h.Key) + bytesSize(h.Value)
	}
	return size
}

func appendRecord(dst []byte, r *Record, size int, offsetDelta, timeDelta int64) []byte {
	dst = binary.AppendVarint(dst, int64(size))
	dst = append(dst, 0) // attributes: none are defined
	dst = binary.AppendVarint(dst, timeDelta)
	dst = binary.AppendVarint(dst, offsetDelta)
	dst = appendBytes(dst, r.Key)
	dst = appendBytes(dst, r.Value)
	dst = binary.AppendVarint(dst, int64(len(r.Headers)))
	for i := range r.Headers {
		h := &r.Headers[i]
		dst = binary.AppendVarint(dst, int64(len(h.Key)))
		dst = append(dst, h.Key...)
		dst = appendBytes(dst, h.Value)
	}
	return dst
}

// appendBytes writes nil as Kafka's null: a null value is a tombstone in a compacted topic.
func appendBytes(dst, b []byte) []byte {
	if b == nil {
		return binary.AppendVarint(dst, -1)
	}
	dst = binary.AppendVarint(dst, int64(len(b)))
	return append(dst, b...)
}

func bytesSize(b []byte) int {
	if b == nil {
		return varintSize(-1)
	}
	return varintSize(int64(len(b))) + len(b)
}

// varintSize is the length of a zigzag varint: one byte per 7 bits.
func varintSize(x int64) int {
	zigzag := uint64(x<<1) ^ uint64(x>>63)
	return (bits.Len64(zigzag|1) + 6) / 7
}
