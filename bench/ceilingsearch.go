package bench

import (
	"math"
	"math/rand/v2"
)

// searchStep is by how much the rate is raised, or lowered, until it is known on both sides of the
// ceiling: large enough to get there soon, small enough that the first rate that does not hold is no
// load that takes a minute to drain.
const searchStep = 1.4

// jitter is the factor by which the searches of a repetition begin higher, from 1 to below searchStep,
// the same for all arms. Without it all repetitions would try the same few rates, and figures that are
// equal for that reason would look as if they had no noise.
func jitter(seed uint64) float64 {
	return math.Pow(searchStep, rand.New(rand.NewPCG(seed, 0x6365696c696e67)).Float64())
}

// A search finds the greatest rate that holds between two bounds: it begins somewhere, walks until
// one rate has held and a greater one has not, and then halves the distance (of their logarithms)
// until the two are close. It assumes that what holds at a rate holds below it.
type search struct {
	lowest, highest float64 // no rate outside is tried
	precision       float64 // it ends when the least that did not hold is at most 1+precision times the greatest that did
	begin           float64
	step            float64 // searchStep, or wider for a search of few trials

	held   float64 // greatest rate that has held; 0 when none has
	missed float64 // least rate that has not; +Inf when all have
	beyond float64 // least rate that nothing can be said about; +Inf when there is none
}

func newSearch(begin, lowest, highest, precision float64) *search {
	return &search{
		lowest: lowest, highest: highest, precision: precision,
		begin: min(max(begin, lowest), highest), step: searchStep, missed: math.Inf(1), beyond: math.Inf(1),
	}
}

// next returns the rate to try next, false when nothing more would be learned.
func (s *search) next() (float64, bool) {
	switch top := s.top(); {
	case s.held == 0 && math.IsInf(top, 1):
		return s.begin, true
	case s.held == 0:
		return max(top/s.step, s.lowest), top > s.lowest
	case math.IsInf(top, 1):
		return min(s.held*s.step, s.highest), s.held < s.highest
	default:
		return math.Sqrt(s.held * top), !s.closed()
	}
}

// top is the least rate that is not worth another try.
func (s *search) top() float64 { return min(s.missed, s.beyond) }

// note takes what a trial of a rate has shown.
func (s *search) note(rate float64, held bool) {
	if held {
		s.held = max(s.held, rate)
	} else {
		s.missed = min(s.missed, rate)
	}
}

// limit takes that nothing can be said about a rate: then the search ends below it, with a rate that held
// and a ceiling that is no lower.
func (s *search) limit(rate float64) { s.beyond = min(s.beyond, rate) }

// limited reports whether the ceiling is beyond what anything can be said about.
func (s *search) limited() bool { return s.beyond < s.missed }

// exhausted reports whether the greatest rate that is tried has held: the ceiling is beyond.
func (s *search) exhausted() bool { return s.held >= s.highest }

// closed reports whether as much is known as precisely as was asked for.
func (s *search) closed() bool { return s.held > 0 && s.top() <= s.held*(1+s.precision) }
