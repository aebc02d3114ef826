package bench

import (
	"context"
	"fmt"
	"time"

	"lambdakappa/bench/result"
	"lambdakappa/datagen"
)

const settledName = "settled"

func settledScenario() *Scenario {
	return &Scenario{
		Name:     settledName,
		Sentence: "a clean stream through both arms on one log; then every row of every view is compared with the truth",
		run:      runSettled,
		seconds:  func(o Options) float64 { return correctnessSeconds(o, func(s sizes) size { return s.settled }) },
	}
}

// settleLimit is how long the served answers may be behind a log that has stopped growing. A
// killed group member is noticed after 6 s; everything else takes below a second.
const settleLimit = 60 * time.Second

// sendSeconds is how long recorded input takes to be sent in settled: two rolls of ingest, so that
// a batch run finds a boundary inside the log.
const sendSeconds = 5

func runSettled(ctx context.Context, d *driver) error {
	size := d.sizes.settled.override(d.opt)
	for repetition := range size.repetitions {
		seed := d.opt.Seed + uint64(repetition)
		w, err := d.correctnessWorkload(size, seed, datagen.Disturbances{})
		if err != nil {
			return err
		}
		head := result.Run{
			Scenario: settledName, Arm: armBoth, Repetition: repetition + 1, Seed: seed,
			Input: d.opt.Input, Window: d.windowName(),
		}
		if err := d.executeBoth(ctx, head, func(ctx context.Context, x *execution) error {
			return x.settled(ctx, w)
		}); err != nil {
			return err
		}
	}
	return nil
}

// executeBoth runs both arms on one log and reports them apart.
func (d *driver) executeBoth(
	ctx context.Context, head result.Run, body func(ctx context.Context, x *execution) error,
) error {
	arms := d.opt.arms(armLambda, armKappa)
	if len(arms) == 0 {
		arms = []string{armLambda, armKappa}
	}
	x, err := d.execute(ctx, head, func(x *execution) {
		for _, arm := range arms {
			x.report(arm, arm, "")
		}
	}, body)
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

// windowName is set when the window is not the default one.
func (d *driver) windowName() string {
	if d.opt.Window == 0 {
		return ""
	}
	return d.opt.Window.String()
}

// correctnessWorkload is what a scenario that measures no time sends: event time that has passed
// long ago, at its own speed.
func (d *driver) correctnessWorkload(s size, seed uint64, bad datagen.Disturbances) (workload, error) {
	csv, err := parseInput(d.opt.Input)
	if err != nil || csv == "" {
		return s.workload(seed, datagen.DefaultStart(), bad), err
	}
	w := workload{csv: csv}
	span, err := w.span()
	w.speedup = span.Seconds() / sendSeconds
	return w, err
}

// settled sends the workload, hands over in the middle of it, and judges both arms at the end.
func (x *execution) settled(ctx context.Context, w workload) error {
	if err := x.startArms(ctx); err != nil {
		return err
	}
	g, err := x.sut.launchGenerator(w)
	if err != nil {
		return err
	}
	if lambda := x.sut.arms[armLambda]; lambda != nil {
		if err := x.handOverInside(ctx, lambda, g); err != nil {
			return err
		}
	}
	published, end, err := x.sut.awaitGenerator(ctx, g)
	if err != nil {
		return err
	}
	x.run.Events = published.Events
	return x.judgeAtEnd(ctx, w, end)
}

// startArms starts the arms that are reported.
func (x *execution) startArms(ctx context.Context) error {
	for _, r := range x.runs() {
		if _, err := x.sut.startArm(ctx, r.Arm, pace{}); err != nil {
			return err
		}
	}
	return nil
}

// rollInterval is ingest's own: before its first file is closed, no batch has anything to cover.
const rollInterval = 2 * time.Second

// handOverInside runs batches while the generator sends, until one has handed over.
func (x *execution) handOverInside(ctx context.Context, lambda *arm, generator *component) error {
	if err := waitUntil(ctx, time.Now().Add(rollInterval)); err != nil {
		return err
	}
	for {
		g, err := lambda.batchOnce(ctx)
		if err != nil {
			return err
		}
		x.mark(fmt.Sprintf("batch %d", g.Generation), g.began, g.began.Add(g.wall))
		if sumOf(g.Boundary) > 0 {
			return nil
		}
		select {
		case <-generator.process().exited:
			return nil // the check on the boundary says what that means
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func sumOf(offsets []int64) int64 {
	var sum int64
	for _, offset := range offsets {
		sum += offset
	}
	return sum
}

// judgeAtEnd settles every arm at the end of the log, reads the truth and judges: Kappa against
// truth B, Lambda between batches against A below its boundary and B above it, and once more
// against truth A when a batch covers everything.
func (x *execution) judgeAtEnd(ctx context.Context, w workload, end []int64) error {
	if err := x.settleArms(ctx, end); err != nil {
		return err
	}
	var err error
	if x.truth, err = readTruth(ctx, x.sut.log, w, x.opt.rules(), end); err != nil {
		return err
	}
	for _, r := range x.runs() {
		a := x.sut.arms[r.Arm]
		x.progress.say("judge " + a.name)
		if err := x.judgeArm(ctx, a, end); err != nil {
			return err
		}
	}
	if err := x.judgeSideTopics(ctx, end); err != nil {
		return err
	}
	return x.leaveViews(end)
}

// settleArms waits until the answers of every arm reflect the log up to end.
func (x *execution) settleArms(ctx context.Context, end []int64) error {
	for name, a := range x.sut.arms {
		if _, err := settle(ctx, a.api.Status, settleLimit, reached(end)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (x *execution) judgeArm(ctx context.Context, a *arm, end []int64) error {
	if a.name == armKappa {
		_, err := x.judge(ctx, a, "at the end")
		return err
	}
	between, err := x.judge(ctx, a, "between batches")
	if err != nil {
		return err
	}
	boundary := boundaries(between.status)
	x.check(a.name, "boundary inside the log", inside(boundary, end), "boundary %v, end %v", boundary, end)
	if _, err := a.cover(ctx, end); err != nil {
		return err
	}
	_, err = x.judge(ctx, a, "after the covering batch")
	return err
}

// correctnessSeconds estimates a scenario that sends, settles and judges both arms.
func correctnessSeconds(o Options, of func(sizes) size) float64 {
	all, _ := sizesOf(o.Profile) // Validate has checked the profile
	s := of(all).override(o)
	sending := sendSeconds * 1.0
	if s.speedup > 0 {
		sending = s.duration.Seconds() / s.speedup
	}
	return float64(s.repetitions) * (sending + 7)
}
