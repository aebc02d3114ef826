package ledger

import (
	"slices"

	"lambdakappa/bench/result"
)

// A Metric is one figure of a run, by a name and unit that stand in every table.
type Metric struct {
	Name string
	Unit string
	Get  func(*result.Run) *float64 // nil when it was not measured

	Layer bool // of a layer that only Lambda has
}

// metrics in the order in which tables show them. What only one scenario measures is no metric but a
// figure of its runs.
var metrics = []Metric{
	{Name: "event visible, p50", Unit: "ms", Get: visible(p50)},
	{Name: "event visible, p90", Unit: "ms", Get: visible(p90)},
	{Name: "event visible, p99", Unit: "ms", Get: visible(p99)},
	{Name: "event visible, p99.9", Unit: "ms", Get: visible(p999)},
	{Name: "event visible, max", Unit: "ms", Get: visible(maximum)},
	{Name: "alert readable, p50", Unit: "ms", Get: alert(p50)},
	{Name: "alert readable, p99", Unit: "ms", Get: alert(p99)},
	{Name: "point query, p50", Unit: "ms", Get: query(p50)},
	{Name: "point query, p99", Unit: "ms", Get: query(p99)},
	{Name: "freshness, p50", Unit: "ms", Get: freshness("", p50)},
	{Name: "freshness, p99", Unit: "ms", Get: freshness("", p99)},
	{Name: "freshness, max", Unit: "ms", Get: freshness("", maximum)},
	{Name: "freshness of the speed layer alone, p50", Unit: "ms", Get: freshness("speed", p50), Layer: true},
	{Name: "freshness of the batch layer alone, p50", Unit: "ms", Get: freshness("batch", p50), Layer: true},
	{Name: "freshness of the batch layer alone, max", Unit: "ms", Get: freshness("batch", maximum), Layer: true},
	{Name: "throughput", Unit: "events/s", Get: func(r *result.Run) *float64 { return positive(r.EventsPerSecond) }},
	{Name: "duration", Unit: "s", Get: duration},
	{Name: "CPU per million events", Unit: "s", Get: cost(func(c *result.Cost) float64 { return c.CPUSecondsPerMillionEvents })},
	{Name: "peak memory", Unit: "B", Get: ours(func(c *result.Cost) float64 { return float64(c.PeakRSSBytes) })},
	{Name: "log per event", Unit: "B", Get: ours(func(c *result.Cost) float64 { return c.BytesPerEvent.Log })},
	{Name: "master dataset per event", Unit: "B", Get: cost(func(c *result.Cost) float64 { return c.BytesPerEvent.Master })},
	{Name: "views per event", Unit: "B", Get: ours(func(c *result.Cost) float64 { return c.BytesPerEvent.Views })},
	{Name: "restore after a kill", Unit: "ms", Get: func(r *result.Run) *float64 { return r.RestoreMs }},
}

func p50(q *result.Quantiles) *float64     { return q.P50 }
func p90(q *result.Quantiles) *float64     { return q.P90 }
func p99(q *result.Quantiles) *float64     { return q.P99 }
func p999(q *result.Quantiles) *float64    { return q.P999 }
func maximum(q *result.Quantiles) *float64 { return q.Max }

type quantile func(*result.Quantiles) *float64

// of is nil for a histogram without samples: its zeros are no figures.
func (f quantile) of(q *result.Quantiles) *float64 {
	if q == nil || q.Count == 0 {
		return nil
	}
	return f(q)
}

func visible(f quantile) func(*result.Run) *float64 {
	return latency(f, func(l *result.Latencies) *result.Quantiles { return &l.Visible })
}

func query(f quantile) func(*result.Run) *float64 {
	return latency(f, func(l *result.Latencies) *result.Quantiles { return &l.Query })
}

func alert(f quantile) func(*result.Run) *float64 {
	return latency(f, func(l *result.Latencies) *result.Quantiles { return l.Alert })
}

func latency(f quantile, of func(*result.Latencies) *result.Quantiles) func(*result.Run) *float64 {
	return func(r *result.Run) *float64 {
		if r.LatencyMs == nil {
			return nil
		}
		return f.of(of(r.LatencyMs))
	}
}

// freshness reads the arm's default layer, or the named one.
func freshness(layer string, f quantile) func(*result.Run) *float64 {
	return func(r *result.Run) *float64 {
		if layer == "" {
			return f.of(r.FreshnessMs)
		}
		at := slices.IndexFunc(r.FreshnessLayers, func(l result.LayerFresh) bool { return l.Layer == layer })
		if at < 0 {
			return nil
		}
		return f.of(&r.FreshnessLayers[at].Quantiles)
	}
}

func cost(f func(*result.Cost) float64) func(*result.Run) *float64 {
	return func(r *result.Run) *float64 {
		if r.Cost == nil {
			return nil
		}
		x := f(r.Cost)
		return &x
	}
}

// ours is cost for what is never 0 where it can be measured: the disk of somebody else's broker
// cannot, nor can the memory of a process on every system.
func ours(f func(*result.Cost) float64) func(*result.Run) *float64 {
	return func(r *result.Run) *float64 {
		x := cost(f)(r)
		if x == nil {
			return nil
		}
		return positive(*x)
	}
}

// positive is nil for 0: no run has a throughput or a duration of 0.
func positive(x float64) *float64 {
	if x <= 0 {
		return nil
	}
	return &x
}

// duration is a figure only where a throughput was measured: elsewhere it is the length of the
// workload.
func duration(r *result.Run) *float64 {
	if r.EventsPerSecond <= 0 {
		return nil
	}
	return positive(r.Seconds)
}

// Metrics returns the metrics and then the figures of the runs' own, in the order in which tables
// show them.
func Metrics(runs []*result.Run) []Metric {
	all := slices.Clone(metrics)
	for _, r := range runs {
		for _, f := range r.Figures {
			if !slices.ContainsFunc(all, func(m Metric) bool { return m.Name == f.Name }) {
				all = append(all, own(f.Name, f.Unit))
			}
		}
	}
	return all
}

// own is a figure that runs bring with them.
func own(name, unit string) Metric {
	return Metric{Name: name, Unit: unit, Get: func(r *result.Run) *float64 {
		for i := range r.Figures {
			if r.Figures[i].Name == name {
				return &r.Figures[i].Value
			}
		}
		return nil
	}}
}

// Named returns the metric of that name, among those that runs bring with them if it is none of the
// common ones; its unit is empty when nobody has measured it.
func Named(name string, runs ...*result.Run) Metric {
	for _, m := range Metrics(runs) {
		if m.Name == name {
			return m
		}
	}
	return own(name, "")
}
