package bench

import (
	"time"

	"lambdakappa/bench/result"
)

// latencySlot is how much of a run is one point of the lines of latency over time. The usual sample of 400 readings a second
// gives its 90th percentile; the 99th takes more than twice as long, and would not tell a batch run from the time beside it.
const latencySlot = 500 * time.Millisecond

// latencySeries are median, 90th percentile and greatest of the samples that were meant for each slot from began on. A
// percentile without enough samples behind it is no point.
func latencySeries(samples []timed, began time.Time) []result.Series {
	lines := []result.Series{
		{Name: "event visible, p50", Unit: "ms"}, {Name: "event visible, p90", Unit: "ms"}, {Name: "event visible, max", Unit: "ms"},
	}
	last := began.UnixNano()
	for _, s := range samples {
		last = max(last, s.at)
	}
	for from := began; from.UnixNano() <= last; from = from.Add(latencySlot) {
		q := quantilesOf(within(samples, from, from.Add(latencySlot)))
		middle := from.Add(latencySlot / 2).Sub(began).Seconds()
		for i, x := range []*float64{q.P50, q.P90, q.Max} {
			if x != nil {
				lines[i].Points = append(lines[i].Points, [2]float64{middle, *x})
			}
		}
	}
	return lines
}
