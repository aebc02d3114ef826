package live

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"lambdakappa/datagen"
)

// What buttons ask for beside what message.go names.
const (
	brokerDown  = "broker-down"
	deploy      = "deploy"       // to a side: Lambda both layers, Kappa a replay and a cut-over
	deployBatch = "deploy-batch" // to Lambda's batch layer alone
	setInterval = "interval"     // of the batch layer
)

// How long what a button does takes, and how much it is.
const (
	burstFor      = 10 * time.Second
	brokerAway    = 5 * time.Second
	lateSpan      = 20 * time.Second // of event time that a late burst holds
	lateBy        = 60 * time.Second // its newest reading: beyond window, lateness and disorder bound together
	spikeFactor   = 10
	deployLimit   = 3 * time.Minute
	restartLimit  = 90 * time.Second // a part waits for the broker, and for the session of the one before it
	firstBurstCar = 1_000_000        // fleets of bursts have names that no other fleet has
	burstFleets   = 400              // after that many the names come again: nobody remembers the first ones any more
)

// A refusal is a wish that is not granted, with its HTTP status.
type refusal struct {
	code int
	text string
}

func (r *refusal) Error() string { return r.text }

// 400 is what nobody can ask for, 409 what cannot be done now.
func unknown(format string, args ...any) error { return &refusal{400, fmt.Sprintf(format, args...)} }
func notNow(format string, args ...any) error  { return &refusal{409, fmt.Sprintf(format, args...)} }

// buttons do what they say. What takes time goes on after the answer, one of a kind at a time.
type buttons struct {
	stage    *stage
	lambda   *observer
	kappa    *observer
	note     func(Note)
	greet    func() // says hello again: something of it has changed
	ctx      context.Context
	underway sync.WaitGroup

	mu     sync.Mutex
	busy   map[string]bool // by what is held: a part, a side's logic, a kind of burst
	bursts []string        // that are being sent, the newest last
	fleets int
}

// actions are the buttons, in the order in which they are shown.
func (b *buttons) actions() []Action {
	all := []Action{
		{
			Do: Late, Group: "events", Label: "Late burst", Takes: 2,
			What:    "Cars that were in a tunnel send what they measured a minute ago: later than any window waits.",
			Watch:   "Both sides drop it as late, and lack those readings. The next batch run counts them in on Lambda; Kappa lacks them until a replay that waits longer.",
			Numbers: []string{"accuracy", "late", "dropped_late"},
		},
		{
			Do: Duplicates, Group: "events", Label: "Duplicates", Takes: burstFor.Seconds() + 60,
			What:    "A fleet sends for ten seconds, and every second reading twice: half of them at once, some up to a minute later.",
			Watch:   "They are counted as duplicates, or as late when their window has closed, and no window counts a reading twice: exact stays 100 %, on both sides.",
			Numbers: []string{"accuracy", "wrong", "duplicates"},
		},
		{
			Do: Poison, Group: "events", Label: "Poison", Takes: burstFor.Seconds(),
			What:    "For ten seconds, payloads come that nobody can decode, and cars whose clocks are far ahead.",
			Watch:   "They go to the dead letters with their reason. Nothing stops, no window closes too early, and the other readings count.",
			Numbers: []string{"dead_letters", "accuracy", "lag"},
		},
		{
			Do: Spike, Group: "events", Label: fmt.Sprintf("Spike x%d", spikeFactor), Takes: burstFor.Seconds(),
			What:    fmt.Sprintf("For ten seconds, %d times as many events come.", spikeFactor),
			Watch:   "Lag and freshness rise while it lasts, if this machine cannot keep up, and fall again at once afterwards: who drains sooner?",
			Numbers: []string{"rate", "lag", "freshness", "cpu"},
		},
	}
	kills := map[string][2]string{
		ingestPart:  {"The master dataset stops growing.", "Merged answers stay fresh, for the speed layer reads the log; the batch view grows older until ingest is back."},
		batchPart:   {"No batch run any more.", "The age of the batch view rises in a straight line, merged answers stay fresh; late readings are not repaired until it is back."},
		speedPart:   {"Nobody folds new events.", "Lambda's freshness rises, and falls to the batch view's at every batch run. Back again, it needs its session timeout (6 s) and rebuilds its view from the log."},
		lambdaServe: {"Nobody answers for Lambda.", "The other layers work on; back again, it loads the newest batch view and the speed view."},
		processPart: {"Nobody folds new events.", "Kappa's freshness rises in a straight line: there is no second layer. Back again, it waits for its session timeout (6 s), restores its state from the changelog and catches up; nothing is lost or doubled."},
		kappaServe:  {"Nobody answers for Kappa.", "The processor works on; back again, it reads the changelog."},
	}
	for _, p := range parts {
		says, ok := kills[p.Name]
		if !ok {
			continue
		}
		all = append(all, Action{
			Do: Kill, Part: p.Name, Group: "parts", Side: p.Side, Label: "Kill " + strings.TrimPrefix(p.Name, p.Side+" "), Toggle: true,
			What: "Kills the process as a crash would. " + says[0], Watch: says[1],
			Numbers: []string{"freshness", "lag", "accuracy"},
		})
	}
	all = append(all,
		Action{
			Do: brokerDown, Group: "parts", Label: fmt.Sprintf("Broker down, %d s", int(brokerAway.Seconds())), Takes: brokerAway.Seconds() + 2,
			What:    "Kills the broker and starts it again. What it had acknowledged it still has.",
			Watch:   "Both sides answer from what they have and grow older alike; the generator sends what was due as soon as the broker is back, and nothing is lost.",
			Numbers: []string{"freshness", "rate", "lag", "accuracy"},
		},
		Action{
			Do: deploy, Part: Lambda, Group: "logic", Side: Lambda, Label: "Deploy to both layers", Choices: versions, Takes: 1,
			What:    "Starts the batch layer with that version of the logic (v2 repairs the detector); the speed layer follows it.",
			Watch:   "One batch run later all answers change at once, and no row is of the other version.",
			Numbers: []string{"version", "mixed", "alerts", "cpu"},
		},
		Action{
			Do: deployBatch, Group: "logic", Side: Lambda, Label: "Deploy to the batch layer only", Choices: versions, Takes: 1,
			What:    "The mistake of two code bases: the batch layer gets that version, and the speed layer is left behind.",
			Watch:   "Windows since the last batch run are of the other version, and nothing but the oracle says so: most of them with a batch interval of 30s or more.",
			Numbers: []string{"version", "mixed", "wrong", "accuracy"},
		},
		Action{
			Do: deploy, Part: Kappa, Group: "logic", Side: Kappa, Label: "Replay and cut over", Choices: versions, Takes: 1,
			What:    "A second processor with that version reads the log again from its start, into a view of its own; serving changes over when it has caught up.",
			Watch:   "Answers change at once and never mix; during the replay the CPU of the replay comes on top, and freshness should stay.",
			Numbers: []string{"version", "mixed", "alerts", "freshness", "cpu"},
		},
		Action{
			Do: setInterval, Group: "logic", Side: Lambda, Label: "Batch interval", Choices: []string{"5s", "10s", "30s", "1m0s"}, Takes: 1,
			What:    "Starts the batch layer with another time between two runs.",
			Watch:   "The saw teeth of the batch view's age grow or shrink with it, merged answers stay as fresh; late readings wait that long for their repair, and CPU goes the other way.",
			Numbers: []string{"freshness", "boundary", "generation", "cpu"},
		},
	)
	return all
}

// press does what a button asks for, or begins to, and says so.
func (b *buttons) press(d Do) (string, error) {
	switch d.Do {
	case Late, Duplicates, Poison, Spike:
		return b.inject(d.Do)
	case Kill:
		return b.kill(d.Part)
	case Restart:
		return b.restart(d.Part)
	case brokerDown:
		return b.breakBroker()
	case deploy, deployBatch:
		return b.deploy(d)
	case setInterval:
		return b.changeInterval(d.Value)
	}
	return "", unknown("%q: no button does that", d.Do)
}

// hold takes what nobody else may do something to meanwhile; false when somebody does.
func (b *buttons) hold(what string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.busy[what] {
		return false
	}
	b.busy[what] = true
	return true
}

func (b *buttons) release(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.busy, what)
}

// begin does something that takes time after the answer, with its band in the plots.
func (b *buttons) begin(what, side, text string, numbers []string, do func(context.Context) (string, error)) {
	from := time.Now().UnixMilli()
	b.note(Note{At: from, Kind: ByButton, Side: side, Text: text, Numbers: numbers, From: from})
	b.underway.Go(func() {
		defer b.release(what)
		done, err := do(b.ctx)
		n := Note{At: time.Now().UnixMilli(), Kind: Fact, Side: side, Text: done, Numbers: numbers, From: from, To: time.Now().UnixMilli()}
		switch {
		case b.ctx.Err() != nil:
			return
		case err != nil:
			n.Kind, n.Text = Failure, fmt.Sprintf("%s: %v", text, err)
		case done == "":
			return
		}
		b.note(n)
	})
}

func (b *buttons) inject(kind string) (string, error) {
	if !b.stage.running(brokerPart) {
		return "", notNow("the broker is away: wait until it is back")
	}
	if !b.hold(kind) {
		return "", notNow("one of these is being sent already: wait until it is over")
	}
	fleet, more, text := b.fleetOf(kind)
	b.burstBegins(kind)
	b.begin(kind, "", text, []string{"rate"}, func(ctx context.Context) (string, error) {
		defer b.burstEnds(kind)
		c, err := b.stage.supervisor.Launch("burst", outsideEnv, b.stage.generatorArgs(fleet, more...)...)
		if err != nil {
			return "", err
		}
		c.ExpectEnd()
		defer b.stage.supervisor.Forget(c)
		if err := c.Settled(ctx); err != nil {
			return "", err
		}
		return text + ": over", nil
	})
	return text, nil
}

// fleetOf is the fleet that a burst comes from: it has names of its own, so that its readings are nobody else's.
func (b *buttons) fleetOf(kind string) (datagen.Spec, []string, string) {
	cfg := b.stage.cfg
	b.mu.Lock()
	b.fleets = (b.fleets + 1) % burstFleets
	first := firstBurstCar + b.fleets*mostCars
	b.mu.Unlock()
	f := datagen.Spec{
		Seed: cfg.Seed + uint64(first), FirstCar: first, Cars: max(cfg.Cars/4, 1), Rate: max(cfg.Rate/4, 1), Duration: burstFor,
		Start: time.Now().Add(leadTime).Truncate(time.Millisecond),
	}
	switch kind {
	case Late:
		f.Duration, f.Start = lateSpan, time.Now().Add(-lateBy-lateSpan).Truncate(time.Millisecond)
		return f, []string{"--speedup", "0"}, fmt.Sprintf("%d cars send %d readings that are more than a minute old", f.Cars, f.Events())
	case Duplicates:
		f.Duplicates = 0.5
		return f, nil, fmt.Sprintf("%d cars send every second reading twice", f.Cars)
	case Poison:
		f.Malformed, f.Skew = 0.3, 0.1
		return f, nil, fmt.Sprintf("of %d cars' readings, three in ten cannot be decoded and one in ten has a clock that is ahead", f.Cars)
	default:
		f.Cars, f.Rate = cfg.Cars, cfg.Rate*(spikeFactor-1)
		return f, nil, fmt.Sprintf("%d times as many events", spikeFactor)
	}
}

func (b *buttons) burstBegins(kind string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bursts = append(b.bursts, kind)
}

func (b *buttons) burstEnds(kind string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bursts = slices.DeleteFunc(b.bursts, func(one string) bool { return one == kind })
}

// burstNow is what began to be sent last beside the fleet; "" for nothing.
func (b *buttons) burstNow() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.bursts) == 0 {
		return ""
	}
	return b.bursts[len(b.bursts)-1]
}

// killable are the parts that have a button.
func killable(part string) bool {
	return sideOf(part) != "" && part != replayPart
}

func (b *buttons) kill(part string) (string, error) {
	if !killable(part) {
		return "", unknown("part %q: there is no such part to kill", part)
	}
	if !b.hold(part) {
		return "", notNow("%s is being started or stopped: wait a moment", part)
	}
	defer b.release(part)
	if err := b.stage.kill(part); err != nil {
		return "", notNow("%v", err)
	}
	text := part + " was killed"
	now := time.Now().UnixMilli()
	b.note(Note{At: now, Kind: ByButton, Side: sideOf(part), Text: text, Numbers: []string{"freshness", "lag"}, From: now})
	return text, nil
}

func (b *buttons) restart(part string) (string, error) {
	if !killable(part) {
		return "", unknown("part %q: there is no such part to start", part)
	}
	if !b.stage.running(brokerPart) {
		return "", notNow("the broker is away: nothing can be started before it is back")
	}
	if !b.hold(part) {
		return "", notNow("%s is being started or stopped: wait a moment", part)
	}
	if b.stage.running(part) {
		b.release(part)
		return "", notNow("%s runs already", part)
	}
	text := part + " is started again"
	b.begin(part, sideOf(part), text, []string{"freshness", "lag"}, func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, restartLimit)
		defer cancel()
		return part + " is back", b.stage.again(ctx, part)
	})
	return text, nil
}

func (b *buttons) breakBroker() (string, error) {
	if !b.hold(brokerPart) {
		return "", notNow("the broker is away already")
	}
	text := "the broker was killed"
	b.begin(brokerPart, "", text, []string{"freshness", "rate", "lag"}, func(ctx context.Context) (string, error) {
		if err := b.stage.kill(brokerPart); err != nil {
			return "", err
		}
		pause(ctx, brokerAway)
		return "the broker is back", b.stage.again(ctx, brokerPart)
	})
	return text, nil
}

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

func (b *buttons) changeInterval(value string) (string, error) {
	interval, err := time.ParseDuration(value)
	if err != nil || interval < time.Second || interval > 10*time.Minute {
		return "", unknown("interval %q: takes a time from 1s to 10m, such as 30s", value)
	}
	if !b.stage.running(brokerPart) {
		return "", notNow("the broker is away: wait until it is back")
	}
	if !b.hold(batchPart) {
		return "", notNow("%s is being started or stopped: wait a moment", batchPart)
	}
	b.stage.setInterval(interval)
	b.greet()
	text := fmt.Sprintf("a batch run every %s", interval)
	b.begin(batchPart, Lambda, text, []string{"freshness", "boundary"}, func(ctx context.Context) (string, error) {
		return "", b.stage.again(ctx, batchPart)
	})
	return text, nil
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
