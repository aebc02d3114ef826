package bench

import (
	"context"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"lambdakappa/bench/result"
	"lambdakappa/internal/httpapi"
)

// freshnessEvery is how often the age of the answers is sampled: no multiple of the milliseconds in which
// the generator sends and the arms write, so that the samples meet every phase of these.
const freshnessEvery = 47 * time.Millisecond

// A freshness is the age of one layer's answers over time: now minus the intended send of the newest
// event in them, worst partition.
type freshness struct {
	layer  string
	newest func(httpapi.PartitionStatus) int64 // append time, Unix ms; 0 when the layer has none yet
	shown  int64                               // by newest, in the answer that was had last, worst partition
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

// take notes what an answer shows. A layer that has none yet for some partition shows nothing.
func (f *freshness) take(s httpapi.Status) {
	f.shown = 0
	for i, p := range s.Partitions {
		if newest := f.newest(p); i == 0 || newest < f.shown {
			f.shown = newest
		}
	}
}

// A freshnessWatch samples the age of all layers of an arm, every [freshnessEvery] from began until the
// generator has sent everything.
//
// Somebody who wants an answer while the arm answers nobody has the one from before, which grows older.
// So moments that pass while one is waited for are samples too: a stall counts for as long as it lasts.
type freshnessWatch struct {
	ask        statusSource
	layers     []*freshness
	shift      time.Duration // from append times, which are event time's, to the wall clock
	began, end time.Time
}

func (s *steady) freshnessOf(a *steadyArm, end time.Time) freshnessWatch {
	return freshnessWatch{ask: a.status, layers: a.layers, shift: s.shift, began: s.live, end: end}
}

func (w freshnessWatch) run(ctx context.Context) error {
	for tick := w.began.Add(freshnessEvery); tick.Before(w.end); {
		if waitUntil(ctx, tick) != nil {
			return nil
		}
		s, err := w.ask(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		now := time.Now()
		for tick = tick.Add(freshnessEvery); tick.Before(now) && tick.Before(w.end); tick = tick.Add(freshnessEvery) {
			w.sample(tick)
		}
		for _, f := range w.layers {
			f.take(s)
		}
		w.sample(now)
	}
	return nil
}

// sample notes the ages of what was shown last. The log keeps whole milliseconds of an event, which makes
// every age up to one too long, on both sides alike; whole milliseconds of an age would be steps as wide as
// what is compared.
func (w freshnessWatch) sample(at time.Time) {
	for _, f := range w.layers {
		if f.shown == 0 {
			continue
		}
		age := at.Add(-w.shift).Sub(time.UnixMilli(f.shown))
		record(f.ages, age.Nanoseconds())
		f.points = append(f.points, [2]float64{at.Sub(w.began).Seconds(), age.Seconds() * 1e3})
	}
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
