package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"lambdakappa/bench/result"
	"lambdakappa/datagen"
)

const disturbedName = "disturbed"

func disturbedScenario() *Scenario {
	return &Scenario{
		Name:     disturbedName,
		Sentence: "everything that goes wrong at once, three hand-overs and a SIGKILL of every component; then every row is compared",
		run:      runDisturbed,
		seconds: func(o Options) float64 {
			return correctnessSeconds(o, func(s sizes) size { return s.disturbed }) + 6 // a session timeout
		},
	}
}

func runDisturbed(ctx context.Context, d *driver) error {
	size := d.sizes.disturbed.override(d.opt)
	for repetition := range size.repetitions {
		seed := d.opt.Seed + uint64(repetition)
		w := size.workload(seed, datagen.DefaultStart(), datagen.BadDay())
		head := result.Run{
			Scenario: disturbedName, Arm: armBoth, Repetition: repetition + 1, Seed: seed,
			Window: d.windowName(),
		}
		if err := d.executeBoth(ctx, head, func(ctx context.Context, x *execution) error {
			return x.disturbed(ctx, w)
		}); err != nil {
			return err
		}
	}
	return nil
}

// hastyRoll lets ingest close its files more often than by default, so that every batch run that
// can hand over does so.
const hastyRoll = 500 * time.Millisecond

// How many batch runs are started while the log grows, and how many of them must hand over. Not
// all can: while the broker has not yet noticed that ingest was killed, the master dataset stands
// still for seven seconds, and a batch run finds nothing new.
const (
	plannedBatches  = 10
	neededHandOvers = 3
)

// disturbed sends the workload while components are killed and batches hand over, and judges both
// arms at the end.
func (x *execution) disturbed(ctx context.Context, w workload) error {
	x.sut.extra = map[string][]string{"lambda ingest": {"--roll-interval", hastyRoll.String()}}
	if err := x.startArms(ctx); err != nil {
		return err
	}
	g, err := x.sut.launchGenerator(w)
	if err != nil {
		return err
	}
	for _, step := range x.disasters(w) {
		if err := waitUntil(ctx, step.at); err != nil {
			return err
		}
		x.progress.say(step.name)
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	published, end, err := x.sut.awaitGenerator(ctx, g)
	if err != nil {
		return err
	}
	x.run.Events = published.Events
	x.checkHandOvers()
	return x.judgeAtEnd(ctx, w, end)
}

// A disaster is one planned step against the running system.
type disaster struct {
	name string
	at   time.Time
	run  func(ctx context.Context) error
}

// disasters plans the batch runs and one kill of every component, at seeded moments while the
// generator sends.
func (x *execution) disasters(w workload) []disaster {
	// The first roll of ingest must have happened before the first batch can hand over.
	begin := time.Now().Add(2 * hastyRoll)
	span := time.Duration(float64(w.spec.Duration)/w.speedup) - 4*hastyRoll
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
		for _, p := range architectures[r.Arm] {
			kills = append(kills, x.killStep(x.sut.arms[r.Arm], p.name))
		}
		if r.Arm == armLambda {
			kills = append(kills, x.killBatchStep(x.sut.arms[r.Arm], random))
			spread(slices.Repeat([]disaster{x.batchStep(x.sut.arms[r.Arm])}, plannedBatches))
		}
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
func (x *execution) checkHandOvers() {
	if x.sut.arms[armLambda] == nil {
		return
	}
	moved, last := 0, int64(0)
	for _, boundary := range x.handedOver {
		if boundary > last {
			moved, last = moved+1, boundary
		}
	}
	x.check(armLambda, "hand-overs", moved >= neededHandOvers, "%d inside the log, at %v events", moved, x.handedOver)
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
