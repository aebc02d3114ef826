package live

import (
	"context"
	"fmt"
	"sync"
	"time"
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

func notNow(format string, args ...any) error { return &refusal{409, fmt.Sprintf(format, args...)} }

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

// hold takes all that nobody else may do something to meanwhile, or nothing; false when somebody has some of it.
//
// Invariant: a part is stopped and started by who holds it alone.
func (b *buttons) hold(what ...string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range what {
		if b.busy[one] {
			return false
		}
	}
	for _, one := range what {
		b.busy[one] = true
	}
	return true
}

func (b *buttons) release(what ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range what {
		delete(b.busy, one)
	}
}

// begin does something that takes time after the answer, with its band in the plots, and releases what is held for it.
func (b *buttons) begin(held []string, side, text string, numbers []string, do func(context.Context) (string, error)) {
	from := time.Now().UnixMilli()
	b.note(Note{At: from, Kind: ByButton, Side: side, Text: text, Numbers: numbers, From: from})
	b.underway.Go(func() {
		defer b.release(held...)
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

// killable are the parts that have a button.
func killable(part string) bool {
	return sideOf(part) != "" && part != replayPart
}

func (b *buttons) kill(part string) (string, error) {
	if !killable(part) {
		return "", unknown("part %q: there is no such part to kill", part)
	}
	if !b.hold(part) {
		return "", notNow("%s is being started, stopped or deployed: wait a moment", part)
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
		return "", notNow("%s is being started, stopped or deployed: wait a moment", part)
	}
	if b.stage.running(part) {
		b.release(part)
		return "", notNow("%s runs already", part)
	}
	text := part + " is started again"
	b.begin([]string{part}, sideOf(part), text, []string{"freshness", "lag"}, func(ctx context.Context) (string, error) {
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
	b.begin([]string{brokerPart}, "", text, []string{"freshness", "rate", "lag"}, func(ctx context.Context) (string, error) {
		if b.stage.running(brokerPart) { // else it did not come back before
			awaitHouseKept(ctx, b.stage.component(brokerPart).Process().Facts)
			if err := b.stage.kill(brokerPart); err != nil {
				return "", err
			}
			pause(ctx, brokerAway)
		}
		err := b.stage.again(ctx, brokerPart)
		for err != nil && ctx.Err() == nil { // nothing else can be done without it: it is started until it is there
			b.note(Note{At: time.Now().UnixMilli(), Kind: Failure, Text: fmt.Sprintf("the broker does not start, once more: %v", err)})
			pause(ctx, time.Second)
			err = b.stage.again(ctx, brokerPart)
		}
		return "the broker is back", err
	})
	return text, nil
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
		return "", notNow("%s is being started, stopped or deployed: wait a moment", batchPart)
	}
	b.stage.setInterval(interval)
	b.greet()
	text := fmt.Sprintf("a batch run every %s", interval)
	b.begin([]string{batchPart}, Lambda, text, []string{"freshness", "boundary"}, func(ctx context.Context) (string, error) {
		return "", b.stage.again(ctx, batchPart)
	})
	return text, nil
}
