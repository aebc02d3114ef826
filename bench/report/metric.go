package report

import (
	"slices"

	"lambdakappa/bench/result"
)

// A metric is one figure of a run, by a name and unit that stand in every table.
type metric struct {
	Name string
	Unit string
	get  func(*result.Run) *float64 // nil when it was not measured

	Layer bool // of a layer that only Lambda has
}

// metrics in the order in which tables show them.
var metrics = []metric{
	{Name: "event visible, p50", Unit: "ms", get: visible(p50)},
	{Name: "event visible, p90", Unit: "ms", get: visible(p90)},
	{Name: "event visible, p99", Unit: "ms", get: visible(p99)},
	{Name: "event visible, p99.9", Unit: "ms", get: visible(p999)},
	{Name: "event visible, max", Unit: "ms", get: visible(maximum)},
	{Name: "alert readable, p50", Unit: "ms", get: alert(p50)},
	{Name: "alert readable, p99", Unit: "ms", get: alert(p99)},
	{Name: "point query, p50", Unit: "ms", get: query(p50)},
	{Name: "point query, p99", Unit: "ms", get: query(p99)},
	{Name: "freshness, p50", Unit: "ms", get: freshness("", p50)},
	{Name: "freshness, p99", Unit: "ms", get: freshness("", p99)},
	{Name: "freshness, max", Unit: "ms", get: freshness("", maximum)},
	{Name: "freshness of the speed layer alone, p50", Unit: "ms", get: freshness("speed", p50), Layer: true},
	{Name: "freshness of the batch layer alone, p50", Unit: "ms", get: freshness("batch", p50), Layer: true},
	{Name: "freshness of the batch layer alone, max", Unit: "ms", get: freshness("batch", maximum), Layer: true},
	{Name: "throughput", Unit: "events/s", get: func(r *result.Run) *float64 { return positive(r.EventsPerSecond) }},
	{Name: "duration", Unit: "s", get: duration},
	{Name: "CPU per million events", Unit: "s", get: cost(func(c *result.Cost) float64 { return c.CPUSecondsPerMillionEvents })},
	{Name: "peak memory", Unit: "B", get: ours(func(c *result.Cost) float64 { return float64(c.PeakRSSBytes) })},
	{Name: "log per event", Unit: "B", get: ours(func(c *result.Cost) float64 { return c.BytesPerEvent.Log })},
	{Name: "master dataset per event", Unit: "B", get: cost(func(c *result.Cost) float64 { return c.BytesPerEvent.Master })},
	{Name: "views per event", Unit: "B", get: ours(func(c *result.Cost) float64 { return c.BytesPerEvent.Views })},
	{Name: "restore after a kill", Unit: "ms", get: func(r *result.Run) *float64 { return r.RestoreMs }},
}

// expected names the metrics that a scenario is run for: when one is not there, the table says so
// instead of leaving the row out.
var expected = map[string][]string{
	"freshness": {
		"event visible, p50", "event visible, p99", "point query, p99", "freshness, p50",
		"freshness of the batch layer alone, p50", "CPU per million events", "peak memory",
	},
	"replay":    {"throughput", "CPU per million events", "peak memory"},
	"always-on": {"CPU per million events", "peak memory", "log per event", "views per event"},
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

// values returns the metric of every counted run of the group that has it.
func (m metric) values(g *group) []float64 {
	var xs []float64
	for _, r := range g.counted() {
		if x := m.get(r); x != nil {
			xs = append(xs, *x)
		}
	}
	return xs
}

// cell is the median of the group, with the range when there are several runs.
func (m metric) cell(g *group) cell {
	if g.worst() == runVoid {
		return cell{"void", void}
	}
	xs := m.values(g)
	if len(xs) == 0 && m.Layer && g.Arm == "kappa" {
		return cell{"no such layer", absent}
	}
	if len(xs) == 0 {
		return cell{missing, absent}
	}
	shown := inUnit(median(xs), m.Unit)
	if len(xs) > 1 && slices.Min(xs) != slices.Max(xs) {
		shown += " (" + inUnit(slices.Min(xs), m.Unit) + " to " + inUnit(slices.Max(xs), m.Unit) + ")"
	}
	if g.worst() == runWrong {
		return cell{shown, struck}
	}
	return cell{shown, plain}
}

// metricNamed returns the metric of that name; the names are constants of this package.
func metricNamed(name string) metric {
	at := slices.IndexFunc(metrics, func(m metric) bool { return m.Name == name })
	return metrics[at]
}
