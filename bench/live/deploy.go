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
	if !b.hold(deploy + side) {
		return "", notNow("a deployment to %s is under way: wait until it is over", side)
	}
	text := fmt.Sprintf("%s is deployed to %s", d.Value, side)
	do := b.deployLambda
	switch {
	case side == Kappa && b.stage.version(Kappa) == d.Value:
		b.release(deploy + side)
		return "", notNow("kappa is at %s already", d.Value)
	case side == Kappa:
		do = b.deployKappa
	case d.Do == deployBatch:
		do, text = b.deployToBatch, text+"'s batch layer only"
	}
	b.begin(deploy+side, side, text, []string{"version", "mixed"}, func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeoutCause(ctx, deployLimit, fmt.Errorf("not all answers are new within %s", deployLimit))
		defer cancel()
		if err := do(ctx, d.Value); err != nil {
			return "", err
		}
		return "all answers are " + d.Value + "'s", nil
	})
	return text, nil
}

// deployLambda starts the batch layer with the version; the speed layer follows what the batch layer publishes.
func (b *buttons) deployLambda(ctx context.Context, version string) error {
	if b.stage.pin("") {
		if err := b.stage.again(ctx, speedPart); err != nil {
			return err
		}
	}
	b.stage.setVersion(Lambda, version)
	if err := b.stage.again(ctx, batchPart); err != nil {
		return err
	}
	return b.lambda.awaitVersion(ctx, version)
}

// deployToBatch starts the batch layer with the version, and leaves the speed layer where it is.
func (b *buttons) deployToBatch(ctx context.Context, version string) error {
	if b.stage.pin(b.stage.version(Lambda)) {
		if err := b.stage.again(ctx, speedPart); err != nil {
			return err
		}
	}
	b.stage.setVersion(Lambda, version)
	if err := b.stage.again(ctx, batchPart); err != nil {
		return err
	}
	return b.lambda.awaitVersion(ctx, version)
}

// deployKappa starts a second processor from the beginning of the log. The first one ends by itself when it was replaced, and
// one that begins where the second is up to takes its place.
func (b *buttons) deployKappa(ctx context.Context, version string) error {
	if old := b.stage.component(processPart); old != nil && alive(old) {
		old.ExpectEnd()
	}
	was := b.stage.version(Kappa)
	b.stage.setVersion(Kappa, version)
	if err := b.stage.launch(replayPart); err != nil {
		b.stage.setVersion(Kappa, was)
		return err
	}
	if err := b.kappa.awaitVersion(ctx, version); err != nil {
		return err
	}
	replay := b.stage.component(replayPart)
	if err := b.stage.supervisor.Stop(ctx, replay); err != nil {
		return err
	}
	b.stage.drop(replayPart)
	return b.stage.again(ctx, processPart)
}

// awaitVersion waits until all answers are of a version.
func (o *observer) awaitVersion(ctx context.Context, version string) error {
	for ctx.Err() == nil {
		o.mu.Lock()
		now, _, _ := strings.Cut(o.seen.Version, "+")
		o.mu.Unlock()
		if now == version {
			return nil
		}
		pause(ctx, statusEvery)
	}
	return context.Cause(ctx)
}
