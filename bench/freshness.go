package bench

import (
	"context"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"lambdakappa/bench/result"
	"lambdakappa/internal/httpapi"
)

// freshnessEvery is how often the age of the answers is sampled.
const freshnessEvery = 50 * time.Millisecond

// A freshness is the age of one layer's answers over time: now minus the append time of the
// newest event in them, worst partition.
type freshness struct {
	layer  string
	newest func(httpapi.PartitionStatus) int64 // append time, Unix ms; 0 when the layer has none yet
	ages   *hdrhistogram.Histogram             // ns
	points [][2]float64
}

// freshnessOf returns the layers of an arm; the first is its default.
func freshnessOf(arm string) []*freshness {
	layer := func(name string, newest func(httpapi.PartitionStatus) int64) *freshness {
		return &freshness{layer: name, newest: newest, ages: newHistogram()}
	}
	merged := layer("merged", func(p httpapi.PartitionStatus) int64 { return p.NewestAppend })
	if arm == armKappa {
		return []*freshness{merged}
	}
	return []*freshness{
		merged,
		layer("batch", func(p httpapi.PartitionStatus) int64 { return p.BatchNewest }),
		layer("speed", speedNewest),
	}
}

// speedNewest is the newest event that came by way of the speed view; none when the batch view
// has everything.
func speedNewest(p httpapi.PartitionStatus) int64 {
	if p.Position <= p.BatchPosition {
		return 0
	}
	return p.NewestAppend
}

// sample notes the age at one moment. A layer without an answer yet has no age.
func (f *freshness) sample(s httpapi.Status, now, began time.Time) {
	worst := int64(-1)
	for _, p := range s.Partitions {
		newest := f.newest(p)
		if newest == 0 {
			return
		}
		worst = max(worst, now.UnixMilli()-newest)
	}
	if worst < 0 {
		return
	}
	record(f.ages, worst*int64(time.Millisecond))
	f.points = append(f.points, [2]float64{now.Sub(began).Seconds(), float64(worst)})
}

// watchFreshness samples all layers of an arm until the generator has sent everything.
func watchFreshness(ctx context.Context, ask statusSource, layers []*freshness, began, end time.Time) error {
	if waitUntil(ctx, began) != nil {
		return nil
	}
	tick := time.NewTicker(freshnessEvery)
	defer tick.Stop()
	for time.Now().Before(end) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		s, err := ask(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		now := time.Now()
		for _, f := range layers {
			f.sample(s, now, began)
		}
	}
	return nil
}

// series are the lines of the plot over time.
func freshnessSeries(arm string, layers []*freshness, together bool) []result.Series {
	var all []result.Series
	for _, f := range layers {
		name := "freshness " + f.layer
		if together || arm == armKappa {
			name = "freshness " + arm + " " + f.layer
		}
		all = append(all, result.Series{Name: name, Unit: "ms", Points: f.points})
	}
	return all
}
