package bench

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"lambdakappa/bench/result"
)

// histogramMax is the greatest latency that is told apart: longer than any run's limit.
const histogramMax = 10 * time.Minute

// newHistogram returns a histogram of nanoseconds from 1 µs on with three significant figures.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1_000, int64(histogramMax), 3)
}

// record notes one sample in ns. What is beyond the histogram's ends is noted at the end: a sample
// is never dropped.
func record(h *hdrhistogram.Histogram, ns int64) {
	ns = min(max(ns, 0), int64(histogramMax))
	if err := h.RecordValue(ns); err != nil {
		panic(err) // cannot be: the value was brought into range
	}
}

// enough reports whether a percentile p (0..1) of count samples says anything: at least ten
// samples must lie beyond it.
func enough(count int64, p float64) bool {
	// Rounded, since 10/(1-0.99) is 999.9999… in binary.
	needed := int64(10/(1-p) + 0.5)
	return count >= needed
}

// quantilesOf summarizes a histogram of ns in milliseconds. A percentile without enough samples
// behind it is nil.
func quantilesOf(h *hdrhistogram.Histogram) result.Quantiles {
	q := result.Quantiles{Count: h.TotalCount()}
	if q.Count == 0 {
		return q
	}
	at := func(p float64) *float64 {
		if !enough(q.Count, p) {
			return nil
		}
		ms := float64(h.ValueAtQuantile(p*100)) / 1e6
		return &ms
	}
	q.P50, q.P90, q.P99, q.P999 = at(.5), at(.9), at(.99), at(.999)
	longest := float64(h.Max()) / 1e6
	q.Max = &longest
	q.Spectrum = spectrumOf(h)
	return q
}

// spectrumSteps are the percentiles that the latency plot draws.
var spectrumSteps = []float64{
	0, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.99,
}

func spectrumOf(h *hdrhistogram.Histogram) [][2]float64 {
	var points [][2]float64
	for _, p := range spectrumSteps {
		if p == 0 || enough(h.TotalCount(), p/100) {
			points = append(points, [2]float64{p, float64(h.ValueAtQuantile(p)) / 1e6})
		}
	}
	return points
}
