package datagen

import "math/bits"

// A source is a counter-based random source: draw n of a source is a hash of n, so that any draw
// can be made without those before it (Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", 2011; the hash is the finalizer of Steele's splitmix64).
type source uint64

const golden = 0x9e3779b97f4a7c15 // 2^64 / golden ratio, odd: n*golden visits every word once

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// derive returns the source for one purpose, independent of the other purposes.
func (s source) derive(purpose int64) source {
	return source(mix(mix(uint64(s)+golden) ^ (uint64(purpose)+1)*0xd1342543de82ef95))
}

// at returns draw n.
func (s source) at(n int64) dice { return dice(mix(uint64(s) + uint64(n)*golden)) }

// rate returns draw n as a number in [0, 1).
func (s source) rate(n int64) float64 { return float64(s.at(n)>>11) / (1 << 53) }

// dice are 64 random bits, handed out from the low end, 16 at a time at most.
type dice uint64

// below returns a number in [0, n), n <= 2^16, and uses up 16 bits.
func (d *dice) below(n int64) int64 {
	v := int64(*d&0xffff) * n >> 16
	*d >>= 16
	return v
}

// between returns a number in [low, high], and uses up 16 bits.
func (d *dice) between(low, high int64) int64 { return low + d.below(high-low+1) }

// noise returns a number in [-2^width, 2^width), and uses up width+1 bits. It is the cheap one:
// every reading needs ten.
func (d *dice) noise(width uint) int64 {
	v := int64(*d&(2<<width-1)) - 1<<width
	*d >>= width + 1
	return v
}

// span returns a number in [0, n) from all 64 bits.
func (d dice) span(n int64) int64 {
	high, _ := bits.Mul64(uint64(d), uint64(n))
	return int64(high)
}
