package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"lambdakappa/bench/result"
	"lambdakappa/datagen"
	"lambdakappa/view"
)

// fillFigures turns what the probes and samplers of all arms collected into the run's figures. In
// a load test both arms' samples are one.
func (s *steady) fillFigures() error {
	all := newLatencies()
	r := &s.execution.run
	for _, name := range s.armsOf(r.Arm) {
		a := s.arms[name]
		all.merge(a.got)
		for _, layer := range a.layers {
			if err := s.fillFreshness(a, layer); err != nil {
				return err
			}
		}
		r.Series = append(r.Series, freshnessSeries(name, a.layers, r.Arm == armBoth)...)
	}
	r.Series = append(r.Series, s.cpuLine)
	if !s.probed || len(s.arms) == 0 {
		return nil
	}
	if w := all.slowest; w.ns > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("slowest to be visible: %s, sent %.1f s into the run, %.1f ms",
			w.reading, w.at.Seconds(), float64(w.ns)/1e6))
	}
	r.LatencyMs = &result.Latencies{Visible: quantilesOf(all.visible), Query: quantilesOf(all.query)}
	if s.trial == nil {
		r.Series = append(r.Series, latencySeries(all.visibleAt, s.live)...)
	}
	if all.alert.TotalCount() > 0 {
		alert := quantilesOf(all.alert)
		r.LatencyMs.Alert = &alert
	}
	return s.judgeProbes(all)
}

// judgeProbes fails a run whose samples cannot be right, and leaves the histograms.
func (s *steady) judgeProbes(all *latencies) error {
	arm := s.execution.run.Arm
	s.check(arm, "every sampled reading was visible", len(all.unseen) == 0, "%d were not%s",
		len(all.unseen), listed("", all.unseen))
	s.check(arm, "no latency below zero", all.wrong == 0, "%d samples", all.wrong)
	if all.failed != nil {
		s.check(arm, "every probe was answered", false, "%s", all.failed)
	}
	if s.trial != nil {
		return nil
	}
	if err := s.leaveHistogram("visible", all.visible); err != nil {
		return err
	}
	if err := s.leaveHistogram("query", all.query); err != nil {
		return err
	}
	return s.leaveHistogram("alert", all.alert)
}

func (l *latencies) merge(o *latencies) {
	l.visible.Merge(o.visible)
	l.query.Merge(o.query)
	l.alert.Merge(o.alert)
	if o.slowest.ns > l.slowest.ns {
		l.slowest = o.slowest
	}
	l.unseen = append(l.unseen, o.unseen...)
	l.visibleAt = append(l.visibleAt, o.visibleAt...)
	l.wrong += o.wrong
	if l.failed == nil {
		l.failed = o.failed
	}
}

func (s *steady) fillFreshness(a *steadyArm, f *freshness) error {
	q := quantilesOf(f.ages)
	q.Spectrum = nil
	r, name := &s.execution.run, a.name+"-"+f.layer
	if r.Arm != armBoth { // a load test has the lines over time and no figure
		name = f.layer
		r.FreshnessLayers = append(r.FreshnessLayers, result.LayerFresh{Layer: f.layer, Quantiles: q})
		if f == a.layers[0] {
			r.FreshnessMs = &q
		}
	}
	if s.trial != nil {
		return nil
	}
	return s.leaveHistogram("freshness-"+name, f.ages)
}

// cpuEvery is the length of a slice of the CPU line.
const cpuEvery = time.Second

// watchCPU draws how many CPU-seconds a second all components took together.
func (s *steady) watchCPU(ctx context.Context, end time.Time) {
	s.cpuLine = result.Series{Name: "cpu " + s.execution.run.Arm, Unit: "cores"}
	tick := time.NewTicker(cpuEvery)
	defer tick.Stop()
	before, at := s.cpuNow(), time.Now()
	for time.Now().Before(end) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		cpu, now := s.cpuNow(), time.Now()
		if now.After(s.live) {
			s.cpuLine.Points = append(s.cpuLine.Points, [2]float64{
				now.Sub(s.live).Seconds(), (cpu - before) / now.Sub(at).Seconds(),
			})
		}
		before, at = cpu, now
	}
}

func (s *steady) cpuNow() float64 {
	var sum float64
	for name, u := range s.sut.usages() {
		if name != generatorName {
			sum += u.CPU
		}
	}
	return sum
}

// sampleAlerts takes a seeded sample of alerts, ordered by event time, at most alertsPerSec.
func sampleAlerts(alerts []view.Alert, spec datagen.Spec) []view.Alert {
	n := int(spec.Duration.Seconds() * alertsPerSec)
	alerts = slices.Clone(alerts)
	random := rand.New(rand.NewPCG(spec.Seed, 0x616c65727473))
	random.Shuffle(len(alerts), func(i, j int) { alerts[i], alerts[j] = alerts[j], alerts[i] })
	alerts = alerts[:min(n, len(alerts))]
	slices.SortFunc(alerts, func(a, b view.Alert) int { return int(a.EventTime - b.EventTime) })
	return alerts
}
