package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"lambdakappa/bench/oracle"
	"lambdakappa/bench/result"
	"lambdakappa/view"
)

// judgeSwitch holds the sampled answers against the truth of both versions and fills in what the
// deployment took.
func (d *deployment) judgeSwitch(ctx context.Context, w workload, end []int64) error {
	truths := map[string]oracle.Answer{d.plan.To: d.truth.at(end)}
	d.sut.version, d.sut.views = d.plan.From, d.scenario.views
	old, err := readTruth(ctx, d.sut.log, w, d.scenario.rules, d.sut.logic(), end)
	if err != nil {
		return err
	}
	from := old.at(end)
	if d.plan.From != d.plan.To {
		truths[d.plan.From] = from
	}
	r := &d.execution.run
	if d.watch.err != nil {
		return d.watch.err
	}
	mixed := d.watch.mixtures(truths, d.plan.From, d.plan.To)
	d.checkAnswer(r.Arm, "no answer mixes versions", len(mixed) == 0, "%d samples of history while %s was deployed%s",
		len(d.watch.samples), d.plan.To, listed(", wrong", mixed))
	r.Cost = nil // it has the history in it
	if r.Void == "" {
		d.fill(changed(from, truths[d.plan.To]))
	}
	return nil
}

// changed counts the rows that differ between two truths: until the deployment is done, they are
// served wrong.
func changed(from, to oracle.Answer) int {
	return unequal(view.Compare(from.Windows, to.Windows)) + unequal(view.Compare(from.Alerts, to.Alerts)) +
		unequal(view.Compare(from.Trips, to.Trips))
}

func unequal(d view.Diff) int { return d.Missing + d.Unexpected + d.Different }

// fill turns the deployment into figures.
func (d *deployment) fill(rows int) {
	took := d.until.Sub(d.from)
	c := d.execution.run.Correctness
	d.figure("rows wrong when it is done", "rows", float64(unequal(c.Windows)+unequal(c.Alerts)+unequal(c.Trips)))
	d.figure("readings lost", "readings", float64(d.lost()))
	d.figure("time until all answers are new", "s", took.Seconds())
	d.figure("rows that the change corrects", "rows", float64(rows))
	d.figure("wrong meanwhile", "row-seconds", float64(rows)*took.Seconds())
	d.figure("CPU of the deployment", "s", d.after.cpu-d.before.cpu-d.idle*took.Seconds())
	d.figure("disk beside what was there, at most", "B", float64(max(d.watch.peak-d.before.disk, 0)))
	for _, q := range []struct {
		name string
		of   []timed
	}{{"event visible", d.arm.got.visibleAt}, {"point query", d.arm.got.queryAt}} {
		d.quantiles(q.name, "before", within(q.of, d.live, d.from))
		d.quantiles(q.name, "during", within(q.of, d.from, d.until))
	}
}

// lost counts the readings of the workload that are in no window of the answers.
func (d *deployment) lost() int64 {
	left := d.execution.run.Events
	for _, w := range d.served[d.execution.run.Arm].windows {
		left -= w.Readings
	}
	return left
}

func (d *deployment) figure(name, unit string, value float64) {
	d.execution.run.Figures = append(d.execution.run.Figures, result.Figure{Name: name, Unit: unit, Value: value})
}

// quantiles notes what the samples of a time say, where there are enough of them for the first: the
// deployment may be over before.
func (d *deployment) quantiles(name, when string, h *hdrhistogram.Histogram) {
	q := quantilesOf(h)
	if q.P90 == nil {
		r := &d.execution.run
		r.Notes = append(r.Notes, fmt.Sprintf("%s %s: not measured, there are only %d samples", name, when, q.Count))
		return
	}
	d.figure(name+", p90 "+when, "ms", *q.P90)
	if q.P99 != nil {
		d.figure(name+", p99 "+when, "ms", *q.P99)
	}
	d.figure(name+", max "+when, "ms", *q.Max)
}

// within are the samples whose question was meant for [from, to).
func within(samples []timed, from, to time.Time) *hdrhistogram.Histogram {
	h := newHistogram()
	for _, s := range samples {
		if s.at >= from.UnixNano() && s.at < to.UnixNano() {
			record(h, s.ns)
		}
	}
	return h
}
