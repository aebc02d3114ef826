package bench

import (
	"context"
	"fmt"

	"lambdakappa/bench/oracle"
	"lambdakappa/datagen"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// A truth answers what a side must answer, from the log as it was read back.
type truth interface {
	// at returns what must be served when the batch view covers [0, boundary). All 0 is truth B,
	// all at the end of the log is truth A.
	at(boundary []int64) oracle.Answer
	entries() int64
}

// A logic is what the components of a run compute: a version, and which views.
type logic struct {
	version string
	views   view.Set
}

// readTruth reads the log back, checks it against the plan and returns the truth about it.
//
// A workload without disturbances is folded while it passes by: nothing in it is late and nothing
// comes twice, so every boundary has the same truth and a history of any length needs no more
// memory than its answer. Otherwise the events are kept.
func readTruth(
	ctx context.Context, log *eventlog.Log, w workload, rules event.Rules, l logic, end []int64,
) (truth, error) {
	return readTruthSince(ctx, log, w, rules, l, end, new(past))
}

// readTruthSince does so about a log to which something has happened.
func readTruthSince(
	ctx context.Context, log *eventlog.Log, w workload, rules event.Rules, l logic, end []int64, since *past,
) (truth, error) {
	plan, err := w.open()
	if err != nil {
		return nil, err
	}
	defer plan.Close()
	cfg := oracleConfig(rules, l, len(end))
	if w.clean() && !since.resent && !since.kept {
		return readOneTruth(ctx, log, plan.Source, cfg, end, since)
	}
	o, err := oracle.New(cfg)
	if err != nil {
		return nil, err
	}
	if err := readBack(ctx, log, plan.Source, end, since, func(e *oracle.Entry) { o.Add(*e) }); err != nil {
		return nil, err
	}
	return keptTruth{o}, nil
}

func oracleConfig(r event.Rules, l logic, partitions int) oracle.Config {
	return oracle.Config{
		WindowMs: r.Window, DisorderMs: r.DisorderBound, LatenessMs: r.AllowedLateness,
		SkewMs: r.MaxFutureSkew, Version: l.version, Partitions: partitions,
		Trips: l.views.Has(view.Trips), TripGapMs: r.TripGap, IntervalMs: r.ReadingInterval,
	}
}

func readOneTruth(
	ctx context.Context, log *eventlog.Log, plan datagen.Source, cfg oracle.Config, end []int64,
	since *past,
) (truth, error) {
	fold, err := oracle.NewFold(cfg, make([]int64, len(end)))
	if err != nil {
		return nil, err
	}
	if err := readBack(ctx, log, plan, end, since, func(e *oracle.Entry) { fold.Add(*e) }); err != nil {
		return nil, err
	}
	a := fold.Answer()
	if c := a.Counters; c.DroppedLate+c.Duplicates+c.Conflicts > 0 {
		return nil, fmt.Errorf("read log back: an undisturbed workload has %d late events, %d duplicates, %d conflicts",
			c.DroppedLate, c.Duplicates, c.Conflicts)
	}
	return oneTruth{a}, nil
}

// keptTruth is the truth about a log whose events are kept.
type keptTruth struct{ o *oracle.Oracle }

func (t keptTruth) at(boundary []int64) oracle.Answer { return t.o.Lambda(boundary) }
func (t keptTruth) entries() int64                    { return int64(t.o.Len()) }

// oneTruth is the truth about a log on which truth A and truth B are one.
type oneTruth struct{ answer oracle.Answer }

func (t oneTruth) at([]int64) oracle.Answer { return t.answer }
func (t oneTruth) entries() int64           { return t.answer.Counters.Events }
