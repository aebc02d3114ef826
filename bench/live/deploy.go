package live

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// deploy brings a version of the logic to a side.
func (b *buttons) deploy(d Do) (string, error) {
	if !slices.Contains(versions, d.Value) {
		return "", unknown("version %q: takes one of %s", d.Value, strings.Join(versions, ", "))
	}
	side := Lambda
	if d.Do == deploy {
		side = d.Part
	}
	if side != Lambda && side != Kappa {
		return "", unknown("part %q: a deployment is to lambda or to kappa", d.Part)
	}
	if !b.stage.running(brokerPart) {
		return "", notNow("the broker is away: wait until it is back")
	}
	text := fmt.Sprintf("%s is deployed to %s", d.Value, side)
	do, held := b.deployLambda, []string{batchPart, speedPart}
	switch {
	case side == Kappa && !b.stage.running(kappaServe):
		return "", notNow("%s does not run: nobody could cut over", kappaServe)
	case side == Kappa:
		do, held = b.deployKappa, []string{processPart, replayPart, kappaServe}
	case d.Do == deployBatch:
		do, text = b.deployToBatch, text+"'s batch layer only"
	}
	if !b.hold(held...) {
		return "", notNow("%s: some of it is being started, stopped or deployed: wait until that is over", strings.Join(held, ", "))
	}
	if side == Kappa && b.stage.version(Kappa) == d.Value {
		b.release(held...)
		return "", notNow("kappa is at %s already", d.Value)
	}
	b.begin(held, side, text, []string{"version", "mixed"}, func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeoutCause(ctx, deployLimit, fmt.Errorf("not all answers are new within %s", deployLimit))
		defer cancel()
		if err := do(ctx, d.Value); err != nil {
			return "", err
		}
		if left := b.stage.leftBehind(); side == Lambda && left != "" && left != d.Value {
			return fmt.Sprintf("the batch view is %s's; the speed layer still computes by %s", d.Value, left), nil
		}
		return "all answers are " + d.Value + "'s", nil
	})
	return text, nil
}

// deployLambda starts the batch layer with the version; the speed layer follows what the batch layer publishes.
func (b *buttons) deployLambda(ctx context.Context, version string) error {
	return b.recompute(ctx, version, "")
}

// deployToBatch starts the batch layer with the version, and leaves the speed layer where it is.
func (b *buttons) deployToBatch(ctx context.Context, version string) error {
	return b.recompute(ctx, version, b.stage.version(Lambda))
}

// recompute has the batch layer compute everything by the version, and the speed layer left behind with another, or not with
// "", and waits until a generation of it is served.
func (b *buttons) recompute(ctx context.Context, version, pinned string) error {
	if b.stage.pin(pinned) {
		if err := b.stage.again(ctx, speedPart); err != nil {
			return err
		}
	}
	before := b.lambda.generation()
	b.stage.setVersion(Lambda, version)
	if err := b.stage.again(ctx, batchPart); err != nil {
		return err
	}
	return b.lambda.await(ctx, func(s Side) bool {
		now, _, _ := strings.Cut(s.Version, "+")
		return now == version && s.Generation > before
	})
}

// deployKappa starts a second processor from the beginning of the log. The first one ends by itself when it was replaced, and
// one that begins where the second is up to takes its place. What does not come to the cut-over leaves all as it was.
func (b *buttons) deployKappa(ctx context.Context, version string) (err error) {
	was := b.stage.version(Kappa)
	b.stage.expectEnd(processPart, true)
	b.stage.setVersion(Kappa, version)
	defer func() {
		if err != nil && b.stage.version(Kappa) == was {
			b.stage.expectEnd(processPart, false) // nothing has taken its place
		}
	}()
	if err := b.stage.launch(replayPart); err != nil {
		b.stage.setVersion(Kappa, was)
		return err
	}
	replaying, ended := b.stage.whileRuns(ctx, replayPart)
	arrived := b.kappa.await(replaying, func(s Side) bool { return s.Answers && s.Version == version })
	ended()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	stopped := b.stage.supervisor.Stop(stopping, b.stage.component(replayPart))
	b.stage.drop(replayPart)
	if arrived != nil {
		b.stage.setVersion(Kappa, was)
		return arrived
	}
	if stopped != nil {
		return stopped
	}
	return b.stage.again(ctx, processPart)
}

// generation is that of the answers.
func (o *observer) generation() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.seen.Generation
}

// await waits until the side is as it should be.
func (o *observer) await(ctx context.Context, ok func(Side) bool) error {
	for ctx.Err() == nil {
		o.mu.Lock()
		now := o.seen
		o.mu.Unlock()
		if ok(now) {
			return nil
		}
		pause(ctx, statusEvery)
	}
	return context.Cause(ctx)
}
