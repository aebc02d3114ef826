package eventlog

import "encoding/binary"

// A cursor reads one record. Once something does not fit, bad is set and all reads return zero.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) varint() int64 {
	// Lengths and deltas are mostly below 64, one byte.
	if len(c.b) > 0 && c.b[0] < 0x80 {
		x := c.b[0]
		c.b = c.b[1:]
		return int64(x>>1) ^ -int64(x&1)
	}
	x, n := binary.Varint(c.b)
	if n <= 0 {
		c.bad, c.b = true, nil
		return 0
	}
	c.b = c.b[n:]
	return x
}

func (c *cursor) skip(n int) {
	if n > len(c.b) {
		c.bad, c.b = true, nil
		return
	}
	c.b = c.b[n:]
}

// bytes returns nil for Kafka's null.
func (c *cursor) bytes() []byte {
	n := c.varint()
	if n < 0 {
		return nil
	}
	if n > int64(len(c.b)) {
		c.bad, c.b = true, nil
		return nil
	}
	b := c.b[:n:n]
	c.b = c.b[n:]
	return b
}

// fields reads big-endian fields. Once something does not fit, bad is set and all reads return
// zero.
type fields struct {
	b   []byte
	bad bool
}

// bytes returns the next n bytes; none when n is negative, which is Kafka's null.
func (f *fields) bytes(n int) []byte {
	if n > len(f.b) {
		f.bad, f.b = true, nil
		return nil
	}
	if n < 0 {
		return nil
	}
	b := f.b[:n]
	f.b = f.b[n:]
	return b
}

func (f *fields) int16() int16 {
	if b := f.bytes(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (f *fields) int32() int32 {
	if b := f.bytes(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (f *fields) int64() int64 {
	if b := f.bytes(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}
