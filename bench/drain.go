package bench

import (
	"slices"

	"lambdakappa/bench/ledger"
	"lambdakappa/datagen"
)

// A burst is a span of a steady run in which the rate is a multiple, in seconds since its start.
type burst struct{ from, to float64 }

// burstsOf are the bursts that a workload has from their beginning to their end.
func burstsOf(spec datagen.Spec) []burst {
	d := spec.Disturbances
	if d.BurstFactor <= 1 {
		return nil
	}
	var all []burst
	for end := d.BurstEvery; end <= spec.Duration; end += d.BurstEvery {
		all = append(all, burst{(end - d.BurstLength).Seconds(), end.Seconds()})
	}
	return all
}

// A drain is what became of the answers' age in a burst and after it.
type drain struct {
	seconds float64 // from the end of the burst until the age was normal again
	atLeast bool    // it was not, until the next burst or the end of the run
	worst   float64 // age, ms, from the beginning of the burst until then
	backlog bool    // the age was not normal all through the burst
}

// calmSpan is how long the age must be normal, in the median, before a backlog counts as drained: ten
// samples. A batch run may hold answers up for a moment at any time.
const calmSpan = 0.5 // seconds

// drainOf reads from the ages of the answers, (second, ms), what a burst did. until is when the next one
// begins.
func drainOf(ages [][2]float64, b burst, until, normal float64) drain {
	d := drain{seconds: until - b.to, atLeast: true}
	for _, p := range between(ages, b.to, until) {
		span := between(ages, p[0], min(p[0]+calmSpan, until))
		if p[0]+calmSpan <= until && age(span) <= normal {
			d.seconds, d.atLeast = p[0]-b.to, false
			break
		}
	}
	for _, p := range between(ages, b.from, b.to) {
		d.backlog = d.backlog || age(between(ages, p[0], p[0]+calmSpan)) > normal
	}
	for _, p := range between(ages, b.from, b.to+d.seconds+calmSpan) {
		d.worst = max(d.worst, p[1])
	}
	return d
}

// normalAge is the age that nine of ten samples keep while nothing happens: from the first second on,
// when every car has been seen, until the first burst.
func normalAge(ages [][2]float64, firstBurst float64) (normal, median float64, ok bool) {
	var calm []float64
	for _, p := range between(ages, 1, firstBurst) {
		calm = append(calm, p[1])
	}
	if len(calm) < 10 {
		return 0, 0, false
	}
	slices.Sort(calm)
	return calm[len(calm)*9/10], ledger.Median(calm), true
}

// between are the points of [from, to), in seconds.
func between(points [][2]float64, from, to float64) [][2]float64 {
	second := func(p [2]float64, at float64) int {
		switch {
		case p[0] < at:
			return -1
		case p[0] > at:
			return 1
		}
		return 0
	}
	i, _ := slices.BinarySearchFunc(points, from, second)
	j, _ := slices.BinarySearchFunc(points, to, second)
	return points[i:max(i, j)]
}
