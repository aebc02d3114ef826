package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// bring brings disasters over the running system, each at its moment.
func (x *execution) bring(ctx context.Context, plan []disaster) error {
	for _, step := range plan {
		if err := waitUntil(ctx, step.at); err != nil {
			return err
		}
		x.progress.say(step.name)
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// A disaster is one planned step against the running system.
type disaster struct {
	name string
	at   time.Time
	run  func(ctx context.Context) error
}

// disasters plans the batch runs and, if asked, one kill of every component, at seeded moments while
// the generator sends.
func (x *execution) disasters(w workload, c *correctness) []disaster {
	// The first roll of ingest must have happened before the first batch can hand over.
	roll := c.RollInterval
	if roll == 0 {
		roll = rollInterval
	}
	begin := time.Now().Add(2 * roll)
	span := time.Duration(float64(w.spec.Duration)/w.speedup) - 4*roll
	random := rand.New(rand.NewPCG(w.spec.Seed, 0x6469736173746572))
	var plan []disaster
	spread := func(steps []disaster) {
		for i, step := range steps {
			slot := float64(span) / float64(len(steps))
			step.at = begin.Add(time.Duration((float64(i) + random.Float64()) * slot))
			plan = append(plan, step)
		}
	}
	var kills []disaster
	for _, r := range x.runs() {
		a := x.sut.arms[r.Arm]
		for _, p := range architectures[a.like] {
			kills = append(kills, x.killStep(a, p.name))
		}
		if a.like == armLambda {
			kills = append(kills, x.killBatchStep(a, random))
			spread(slices.Repeat([]disaster{x.batchStep(a)}, c.Batches))
		}
	}
	if !c.KillEach {
		kills = nil
	}
	random.Shuffle(len(kills), func(i, j int) { kills[i], kills[j] = kills[j], kills[i] })
	spread(kills)
	slices.SortStableFunc(plan, func(a, b disaster) int { return a.at.Compare(b.at) })
	return plan
}

func (x *execution) killStep(a *arm, name string) disaster {
	return disaster{name: "kill " + name, run: func(ctx context.Context) error {
		began := time.Now()
		err := a.crash(ctx, name)
		x.mark("kill "+name, began, time.Now())
		return err
	}}
}

// killBatchStep kills a batch run within its first moments: before, while or after it reads.
func (x *execution) killBatchStep(lambda *arm, random *rand.Rand) disaster {
	patience := time.Duration(20+random.IntN(200)) * time.Millisecond
	return disaster{name: "kill " + batchPart.name, run: func(ctx context.Context) error {
		began := time.Now()
		c, err := lambda.launchBatch("--once")
		if err != nil {
			return err
		}
		c.expectEnd()
		select {
		case <-time.After(patience):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		x.sut.supervisor.kill(c)
		x.mark("kill "+batchPart.name, began, time.Now())
		return nil
	}}
}

func (x *execution) batchStep(lambda *arm) disaster {
	return disaster{name: "batch", run: func(ctx context.Context) error {
		g, err := lambda.batchOnce(ctx)
		if err == nil {
			x.mark(fmt.Sprintf("batch %d", g.Generation), g.began, g.began.Add(g.wall))
			x.handedOver = append(x.handedOver, sumOf(g.Boundary))
		}
		return err
	}}
}

// checkHandOvers demands that enough batch runs moved the boundary.
func (x *execution) checkHandOvers(needed int) {
	lambda := x.sut.lambda()
	if lambda == nil {
		return
	}
	moved, last := 0, int64(0)
	for _, boundary := range x.handedOver {
		if boundary > last {
			moved, last = moved+1, boundary
		}
	}
	x.check(lambda.name, "hand-overs", moved >= needed, "%d inside the log, at %v events", moved, x.handedOver)
}

// waitUntil waits for a planned moment.
func waitUntil(ctx context.Context, at time.Time) error {
	select {
	case <-time.After(time.Until(at)):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
