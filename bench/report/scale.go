package report

import "math"

// A scale maps values of an axis to pixels.
type scale struct {
	from, to     float64 // in the axis's own terms: log10 when it is logarithmic
	start, end   float64 // pixels
	log          bool
	ticksForText []tick
}

// newScale spans the values; a logarithmic one begins and ends at a power of ten.
func newScale(a axis, values []float64, start, end float64) scale {
	s := scale{start: start, end: end, log: a.Log, from: math.Inf(1), to: math.Inf(-1)}
	for _, v := range values {
		s.from, s.to = min(s.from, s.place(v)), max(s.to, s.place(v))
	}
	switch {
	case s.from > s.to:
		s.from, s.to = 0, 1
	case a.Log:
		s.from, s.to = math.Floor(s.from), max(math.Ceil(s.to), math.Floor(s.from)+1)
	case a.Ticks == nil:
		s.from = min(s.from, 0)
	}
	if s.from == s.to {
		s.to = s.from + 1
	}
	s.ticksForText = s.ticks(a)
	return s
}

// place is where a value lies in the axis's own terms.
func (s scale) place(v float64) float64 {
	if s.log {
		return math.Log10(v)
	}
	return v
}

func (s scale) pixel(v float64) float64 {
	return s.start + (s.place(v)-s.from)/(s.to-s.from)*(s.end-s.start)
}

func (s scale) ticks(a axis) []tick {
	var ticks []tick
	switch {
	case a.Ticks != nil:
		for _, t := range a.Ticks {
			if t.At >= s.from && t.At <= s.to {
				ticks = append(ticks, t)
			}
		}
	case s.log:
		for e := s.from; e <= s.to; e++ {
			v := math.Pow(10, e)
			ticks = append(ticks, tick{v, figure(v)})
		}
	default:
		step := niceStep((s.to - s.from) / 5)
		for i := math.Ceil(s.from / step); i*step <= s.to; i++ {
			ticks = append(ticks, tick{i * step, figure(i * step)})
		}
	}
	return ticks
}

// niceStep is the least of 1, 2, 5 times a power of ten that is at least x.
func niceStep(x float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= x {
			return m * power
		}
	}
	return 10 * power
}
