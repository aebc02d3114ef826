package datagen

import "time"

// A schedule says when reading n of the fleet is meant to be sent. Reading n is the reading n/Cars
// of car n%Cars, so the cars take turns and sends are spread evenly over the period.
//
// It is an open loop: nothing that happens to an event moves the next one.
type schedule struct {
	start int64   // Unix ns
	rate  float64 // readings per second between bursts

	// Bursts: in every cycle of calm+burst ns, the last burst ns run at factor times the rate.
	calm, burst int64
	factor      float64
	perCycle    int64 // ns that a cycle would take without its burst being faster
}

func (s Spec) schedule() schedule {
	sch := schedule{start: s.Start.UnixNano(), rate: s.Rate}
	if s.BurstFactor > 1 {
		sch.burst = int64(s.BurstLength)
		sch.calm = int64(s.BurstEvery) - sch.burst
		sch.factor = s.BurstFactor
		sch.perCycle = sch.calm + int64(float64(sch.burst)*s.BurstFactor)
	}
	return sch
}

// at returns the intended send time of reading n, Unix ns.
//
// float64 is exact enough: n*1e9/rate is below 2^53 ns (104 days), and a product that is only
// divided cannot be fused into a multiply-add, so every machine rounds alike.
func (s schedule) at(n int64) int64 {
	steady := int64(float64(n) * 1e9 / s.rate)
	if s.perCycle == 0 {
		return s.start + steady
	}
	cycle, rest := steady/s.perCycle, steady%s.perCycle
	if rest > s.calm {
		rest = s.calm + int64(float64(rest-s.calm)/s.factor)
	}
	return s.start + cycle*(s.calm+s.burst) + rest
}

// count returns how many readings are due before d has passed.
func (s schedule) count(d time.Duration) int64 {
	end := s.start + int64(d)
	low, high := int64(0), int64(d.Seconds()*s.rate*max(s.factor, 1))+2
	for low < high { // the first reading that is due at or after the end
		middle := (low + high) / 2
		if s.at(middle) < end {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}
