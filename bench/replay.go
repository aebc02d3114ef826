package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"lambdakappa/bench/result"
	"lambdakappa/internal/httpapi"
)

// replay loads a history and takes the time until each arm, alone, has it in a complete answer.
type replay struct{}

func (*replay) check(s *Scenario) error { return s.needs() }

func (*replay) seconds(_ Options, s *Scenario) float64 {
	return float64(s.size.repetitions) * (25 + s.size.rate*s.size.duration.Seconds()*9e-6)
}

// The phases of a replay.
const (
	phaseReplay      = "replay"        // Kappa: process and serve, from nothing to the complete answer
	phaseLogToServed = "log_to_served" // Lambda: all layers, from nothing to the complete answer
	phaseBatch       = "batch"         // Lambda: one batch run over the finished master dataset
)

// catchUpLimit is how long reprocessing may take: a twentieth of the rate that the project sets
// itself as a floor, and a minute for all that does not grow with the events.
func catchUpLimit(events int64) time.Duration {
	const slowest = 50_000 // events/s
	return time.Minute + time.Duration(events)*time.Second/slowest
}

func (*replay) run(ctx context.Context, d *driver, s *Scenario) error {
	arms := s.arms(d.opt)
	if len(arms) == 0 {
		return nil // it compares the arms alone
	}
	for repetition := range s.size.repetitions {
		head := result.Run{
			Scenario: s.Name, Arm: armBoth, Repetition: repetition + 1,
			Seed: d.opt.Seed + uint64(repetition), Workload: s.size.result(),
		}
		if d.has(head, arms...) {
			continue
		}
		if err := d.replayOnce(ctx, head, s.size, inTurn(arms, repetition)); err != nil {
			return err
		}
	}
	return nil
}

// replayOnce loads one log and lets the arms work through it one after the other, each alone.
func (d *driver) replayOnce(ctx context.Context, head result.Run, s size, arms []string) error {
	x, err := d.execute(ctx, head, func(x *execution) {
		for _, arm := range arms {
			x.apartPhases(arm)
		}
	}, func(ctx context.Context, x *execution) error {
		w := s.workload(head.Seed)
		return x.replay(ctx, w, arms)
	})
	if err != nil {
		return err
	}
	for _, r := range x.runs() {
		if err := d.add(*r); err != nil {
			return err
		}
	}
	return nil
}

// apartPhases reports every phase of an arm as a run of its own.
func (x *execution) apartPhases(arm string) {
	if x.scenario.like(arm) == armKappa {
		x.report(arm, arm, phaseReplay)
		return
	}
	x.report(arm, arm, phaseLogToServed)
	x.report(batchLabel(arm), arm, phaseBatch)
}

// batchLabel is what findings about the batch layer of an arm alone are filed under.
func batchLabel(arm string) string { return arm + " batch" }

func (x *execution) replay(ctx context.Context, w workload, arms []string) error {
	x.progress.say(fmt.Sprintf("load %d events", w.spec.Events()))
	published, end, err := x.sut.generate(ctx, w)
	if err != nil {
		return err
	}
	x.run.Events = published.Events
	x.progress.say("read the log back, compute the truth")
	// Before the phases, so that both find the log in the page cache alike.
	if x.truth, err = readTruth(ctx, x.sut.log, w, x.scenario.rules, x.sut.logic(), end); err != nil {
		return err
	}
	if err := x.logLimits(ctx, end); err != nil {
		return err
	}
	for _, arm := range arms {
		phase := x.replayKappa
		if x.scenario.like(arm) == armLambda {
			phase = x.replayLambda
		}
		if err := phase(ctx, arm, end); err != nil {
			return fmt.Errorf("%s: %w", arm, err)
		}
	}
	return x.leaveViews(end)
}

// replayKappa takes the time from the start of the processes to the complete served answer, and
// then that of a restart after a crash.
func (x *execution) replayKappa(ctx context.Context, arm string, end []int64) error {
	r := x.side(arm)
	a, err := x.catchUp(ctx, r, end, 0)
	if err != nil {
		return err
	}
	if _, err := x.judge(ctx, a, "at the end"); err != nil {
		return err
	}
	if err := x.killAndRestore(ctx, r, a, "kappa process", end); err != nil {
		return err
	}
	return a.stop(ctx)
}

// killAndRestore kills the part of an arm that has state, and takes the time that this takes to
// come back.
func (x *execution) killAndRestore(
	ctx context.Context, r *result.Run, a *arm, name string, end []int64,
) error {
	x.progress.say("kill and restore " + name)
	ms, err := restoreAfterKill(ctx, a, name, end)
	if err != nil {
		return err
	}
	r.RestoreMs = &ms
	_, err = x.judge(ctx, a, "after a kill")
	return err
}

// catchUp starts an arm on the finished log and returns it when its answers are complete. The
// clock runs from the start of the first process.
func (x *execution) catchUp(
	ctx context.Context, r *result.Run, end []int64, interval time.Duration,
) (*arm, error) {
	x.progress.say(r.Arm + " " + r.Phase)
	base, err := x.sut.account(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	a, err := x.sut.startArm(ctx, r.Arm, pace{interval: interval})
	if err != nil {
		return nil, err
	}
	if _, err := settle(ctx, a.api.Status, catchUpLimit(x.run.Events), reached(end)); err != nil {
		return nil, err
	}
	r.Seconds = time.Since(began).Seconds()
	r.EventsPerSecond = float64(x.run.Events) / r.Seconds
	return a, x.chargePhase(ctx, r, base, x.run.Events, r.Arm)
}

// chargePhase gives a phase the cost and the components of what it took since base.
func (x *execution) chargePhase(ctx context.Context, r *result.Run, base account, events int64, label string) error {
	spent, err := x.sut.costSince(ctx, base, events, label)
	if err != nil {
		return err
	}
	cost := spent.whole()
	r.Cost = &cost
	for _, c := range componentsOf(x.sut.figures(), x.scenario.like(label)) {
		c.CPUSeconds -= base.used[c.Name].CPU
		c.ReadBytes -= base.used[c.Name].Read
		c.WrittenBytes -= base.used[c.Name].Written
		r.Components = append(r.Components, c)
	}
	return nil
}

// restoreAfterKill kills a component and returns how long its slowest partition took to restore, ms.
// The time until the broker notices the dead member is configured and no part of it.
func restoreAfterKill(ctx context.Context, a *arm, name string, end []int64) (float64, error) {
	c := a.parts[name]
	a.sut.supervisor.Kill(c)
	if err := a.startAgain(ctx, c); err != nil {
		return 0, err
	}
	p := a.parts[name].Process()
	slowest, next, restored := 0.0, 0, 0
	late := time.After(settleLimit)
	for restored < len(end) {
		found, upTo, changed := p.Facts.Since("restored", next)
		next = upTo
		for _, f := range found {
			var took struct{ MS float64 }
			if err := f.Into(&took); err != nil {
				return 0, err
			}
			slowest, restored = max(slowest, took.MS), restored+1
		}
		if restored == len(end) {
			break
		}
		select {
		case <-changed:
		case <-late:
			return 0, fmt.Errorf("%s: restored %d of %d partitions within %s", name, restored, len(end), settleLimit)
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	return slowest, nil
}

// replayLambda takes the time from the start of all layers to the complete served answer, and
// then that of one batch run over the whole master dataset.
func (x *execution) replayLambda(ctx context.Context, arm string, end []int64) error {
	r := x.side(arm)
	a, err := x.catchUp(ctx, r, end, x.scenario.size.interval)
	if err != nil {
		return err
	}
	if err := x.sut.supervisor.Stop(ctx, a.parts[batchPart.name]); err != nil {
		return err
	}
	if _, err := x.judge(ctx, a, "at the end"); err != nil {
		return err
	}
	if _, err := a.cover(ctx, end); err != nil {
		return err
	}
	if err := x.batchAlone(ctx, a, end); err != nil {
		return err
	}
	r.Notes = append(r.Notes, "the time and cost are those until the answer was complete, which takes the "+
		"speed layer; ingest and batch may have had work left then")
	r.Notes = append(r.Notes, "the speed layer was killed right after a batch run, at its best moment: "+
		"later it reads the log from the boundary on again")
	if err := x.killAndRestore(ctx, r, a, "lambda speed", end); err != nil {
		return err
	}
	return a.stop(ctx)
}

// batchTurns is how often the batch run and the bare read of its columns are measured, in turn:
// both take half a second, and a machine that hesitates once must not decide over their ratio.
const batchTurns = 3

// batchAlone measures batch runs over a master dataset that is complete, and judges the last.
func (x *execution) batchAlone(ctx context.Context, a *arm, end []int64) error {
	x.progress.say("lambda batch alone")
	var turns []batchTurn
	var reads []float64
	for range batchTurns {
		turn, err := x.batchTurn(ctx, a, end)
		if err != nil {
			return err
		}
		turns, reads = append(turns, turn), append(reads, turn.read)
	}
	slices.SortFunc(turns, func(a, b batchTurn) int { return cmp.Compare(a.took(), b.took()) })
	slices.Sort(reads)
	x.limits().ColumnReadRowsPerSecond = max(reads[batchTurns/2], x.limits().ColumnReadRowsPerSecond)

	r, g := x.side(batchLabel(a.name)), turns[batchTurns/2]
	r.Cost, r.Components = g.charged.Cost, g.charged.Components
	r.Seconds = g.took() / 1e3
	r.EventsPerSecond = float64(g.Rows) / r.Seconds
	r.Notes = append(r.Notes, fmt.Sprintf(
		"median of %d runs over %d rows: read and fold %.0f ms, write the view %.0f ms; "+
			"its process took %.2f s (%.2f M rows/s), and after %.2f s it was served", batchTurns,
		g.Rows, g.ReadMS, g.WriteMS, g.wall.Seconds(), float64(g.Rows)/g.wall.Seconds()/1e6,
		g.served.Seconds()))
	_, err := x.judgeAs(ctx, batchLabel(a.name), a, "of the batch alone")
	return err
}

// A batchTurn is one batch run and, after it, one bare read of the columns that it has read.
type batchTurn struct {
	generation
	charged result.Run
	served  time.Duration // from the start of its process until its view was served
	read    float64       // rows/s
}

func (x *execution) batchTurn(ctx context.Context, a *arm, end []int64) (batchTurn, error) {
	base, err := x.sut.account(ctx)
	if err != nil {
		return batchTurn{}, err
	}
	began := time.Now()
	g, err := a.batchOnce(ctx)
	if err != nil {
		return batchTurn{}, err
	}
	t := batchTurn{generation: g}
	if err := x.chargePhase(ctx, &t.charged, base, g.Rows, batchPart.name); err != nil {
		return t, err
	}
	if err := serves(ctx, a, g, end); err != nil {
		return t, err
	}
	t.served = time.Since(began)
	t.read, err = x.columnRate(ctx, g.Columns)
	return t, err
}

// serves waits until a generation that covers everything is served: loading it takes the cores.
func serves(ctx context.Context, a *arm, g generation, end []int64) error {
	_, err := settle(ctx, a.api.Status, coverLimit, func(s httpapi.Status) bool {
		return s.Generation >= g.Generation && covered(end)(s)
	})
	return err
}
