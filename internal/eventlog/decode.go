package eventlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/segmentio/kafka-go/protocol"
)

var errCorrupt = errors.New("corrupt record batch")

// A batchDecoder turns record batches into records. All memory is its own and is used again: what
// it returned is valid until the next reset.
type batchDecoder struct {
	records  []Record
	headers  []Header          // of all records; records hold sub-slices
	unpacked [][]byte          // one buffer per compressed batch
	used     int               // how many of unpacked are in use
	keys     map[string]string // header keys, interned: there are few and they repeat
	isolation
}

func (d *batchDecoder) reset() {
	d.records, d.headers, d.used = d.records[:0], d.headers[:0], 0
}

// decode appends the records of set with offsets from on, and returns the offset after the last
// batch; from when set is empty. A batch that is cut off at the end of set is left for the next
// fetch, and control batches (the marks of transactions) hold no records, nor do those of aborted
// transactions: next leads beyond both.
func (d *batchDecoder) decode(set []byte, from int64, aborted []abortedTransaction) (next int64, err error) {
	d.begin(aborted)
	next = from
	for len(set) >= batchHeaderSize {
		size := batchLengthFrom + int(int32(binary.BigEndian.Uint32(set[batchLengthAt:])))
		if size < batchHeaderSize || set[batchMagicAt] != batchMagic {
			return 0, fmt.Errorf("%w at offset %d", errCorrupt, next)
		}
		if size > len(set) {
			break
		}
		if err := d.decodeBatch(set[:size], from); err != nil {
			return 0, err
		}
		base := int64(binary.BigEndian.Uint64(set))
		delta := int64(int32(binary.BigEndian.Uint32(set[batchLastDeltaAt:])))
		next = max(next, base+delta+1)
		set = set[size:]
	}
	return next, nil
}

// A batchHeader is what its records need to know of their batch.
type batchHeader struct {
	base      int64
	firstTime int64
	setByLog  bool // LogAppendTime: maxTime is the time of all records
	maxTime   int64
	count     int
}

const logAppendTimeBit = 1 << 3

func (d *batchDecoder) decodeBatch(b []byte, from int64) error {
	be := binary.BigEndian
	h := batchHeader{
		base:      int64(be.Uint64(b)),
		firstTime: int64(be.Uint64(b[batchFirstTimeAt:])),
		maxTime:   int64(be.Uint64(b[batchMaxTimeAt:])),
		count:     int(int32(be.Uint32(b[batchCountAt:]))),
	}
	if crc32.Checksum(b[batchAttributesAt:], castagnoli) != be.Uint32(b[batchCRCAt:]) {
		return fmt.Errorf("%w at offset %d: checksum differs", errCorrupt, h.base)
	}
	attributes := protocol.Attributes(be.Uint16(b[batchAttributesAt:]))
	if d.drops(b, attributes) || attributes.Control() {
		return nil
	}
	h.setByLog = attributes&logAppendTimeBit != 0
	records, err := d.unpack(attributes, b[batchHeaderSize:])
	if err != nil {
		return fmt.Errorf("%w at offset %d: %w", errCorrupt, h.base, err)
	}
	return d.decodeRecords(h, records, from)
}

// unpack decompresses what a producer has compressed: Append only when it is configured to.
func (d *batchDecoder) unpack(attributes protocol.Attributes, packed []byte) ([]byte, error) {
	codec := attributes.Compression().Codec()
	if codec == nil {
		return packed, nil
	}
	if d.used == len(d.unpacked) {
		d.unpacked = append(d.unpacked, nil)
	}
	buf := bytes.NewBuffer(d.unpacked[d.used][:0])
	r := codec.NewReader(bytes.NewReader(packed))
	_, err := io.Copy(buf, r)
	d.unpacked[d.used] = buf.Bytes()
	d.used++
	return buf.Bytes(), errors.Join(err, r.Close())
}

func (d *batchDecoder) decodeRecords(h batchHeader, b []byte, from int64) error {
	for range h.count {
		size, n := binary.Varint(b)
		if n <= 0 || size < 0 || size > int64(len(b)-n) {
			return fmt.Errorf("%w at offset %d: record is cut off", errCorrupt, h.base)
		}
		c := cursor{b: b[n : n+int(size)]}
		b = b[n+int(size):]
		headersBefore := len(d.headers)
		r := d.decodeRecord(&c, h)
		if c.bad {
			return fmt.Errorf("%w at offset %d: record is cut off", errCorrupt, h.base)
		}
		if r.Offset < from { // a fetch returns whole batches
			d.headers = d.headers[:headersBefore]
			continue
		}
		d.records = append(d.records, r)
	}
	return nil
}

func (d *batchDecoder) decodeRecord(c *cursor, h batchHeader) (r Record) {
	c.skip(1) // attributes: none are defined
	r.AppendTime = h.firstTime + c.varint()
	if h.setByLog {
		r.AppendTime = h.maxTime
	}
	r.Offset = h.base + c.varint()
	r.Key = c.bytes()
	r.Value = c.bytes()
	if n := c.varint(); n > 0 {
		r.Headers = d.decodeHeaders(c, n)
	}
	return r
}

func (d *batchDecoder) decodeHeaders(c *cursor, n int64) []Header {
	start := len(d.headers)
	for i := int64(0); i < n && !c.bad; i++ {
		key := c.bytes()
		d.headers = append(d.headers, Header{Key: d.intern(key), Value: c.bytes()})
	}
	return d.headers[start:len(d.headers):len(d.headers)]
}

// maxInterned bounds the memory of a reader whose log has a new header key in every record.
const maxInterned = 64

func (d *batchDecoder) intern(key []byte) string {
	if s, ok := d.keys[string(key)]; ok {
		return s
	}
	if d.keys == nil || len(d.keys) >= maxInterned {
		d.keys = map[string]string{}
	}
	s := string(key)
	d.keys[s] = s
	return s
}
