package bench

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"lambdakappa/bench/fault"
	"lambdakappa/bench/oracle"
	"lambdakappa/bench/result"
	"lambdakappa/bench/supervise"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// phaseForgets is a run in which the log is not kept for as long as its readers are away.
const phaseForgets = "log_forgets"

// sayLimit is how long a reader may take to say that the log has lost what it needs: it waits for its
// group first.
const sayLimit = 30 * time.Second

// endsWithin is how long a reader that has said what is lost is given to end because of it: many polls,
// and requests to a broker on this machine.
const endsWithin = 2 * time.Second

// forget runs the arms through an outage that is longer than retention: everything that reads the log
// is killed, the log forgets all that it holds, and the readers come back. Each has to say what is lost,
// and what was answered before must stand.
func (c *correctness) forget(ctx context.Context, x *execution, w workload) error {
	c.setUp(x)
	if err := x.startArms(ctx); err != nil {
		return err
	}
	g, err := x.sut.launchGenerator(w)
	if err != nil {
		return err
	}
	if err := x.handOverOnce(ctx, g); err != nil {
		return err
	}
	began := time.Now()
	readers := x.readers()
	for _, r := range readers {
		x.sut.supervisor.Kill(r.Component)
	}
	if err := rest(ctx, c.Forgets); err != nil {
		return err
	}
	if err := x.forget(ctx, fault.Step{Do: fault.Retention, Share: 1}); err != nil {
		return err
	}
	x.mark("outage", began, time.Now())
	starts, err := x.sut.log.StartOffsets(ctx, eventlog.CarsTopic)
	if err != nil {
		return err
	}
	for _, r := range readers {
		if err := x.checkLoss(ctx, r, starts); err != nil {
			return err
		}
	}
	published, end, err := x.sut.awaitGenerator(ctx, g)
	if err != nil {
		return err
	}
	x.run.Events = published.Events
	return x.judgeStanding(ctx, w, end, starts)
}

// handOverOnce hands over once, so that Lambda has something that it needs the log to go on from.
func (x *execution) handOverOnce(ctx context.Context, g *supervise.Component) error {
	if lambda := x.sut.lambda(); lambda != nil {
		return x.handOverInside(ctx, lambda, g)
	}
	return rest(ctx, rollInterval)
}

// A logReader is a component that reads the log.
type logReader struct {
	*supervise.Component
	arm *arm
}

func (x *execution) readers() (all []logReader) {
	for _, r := range x.runs() {
		a := x.sut.arms[r.Arm]
		for _, p := range architectures[a.like] {
			if p.group {
				all = append(all, logReader{a.parts[p.name], a})
			}
		}
	}
	return all
}

// A loss is what a component says about events that it will never read.
type loss struct {
	Partition int   `json:"partition"`
	From      int64 `json:"from"`
	To        int64 `json:"to"`
}

// checkLoss starts a reader again and demands that it says which events are lost: those of its
// partition from where it was up to where the log now begins.
func (x *execution) checkLoss(ctx context.Context, r logReader, starts []int64) error {
	if err := x.sut.supervisor.Spawn(r.Component); err != nil {
		return err
	}
	r.ExpectEnd()
	said, ok, err := awaitLoss(ctx, r.Process())
	if err != nil {
		return err
	}
	alive, explained, err := goesOn(ctx, r.Process())
	if err != nil {
		return err
	}
	x.check(r.arm.name, r.Name+" goes on, or ends because of what is lost", alive || explained,
		"it has ended with other last words")
	exact := ok && said.Partition < len(starts) && said.To == starts[said.Partition] && said.From > 0 &&
		said.From < said.To
	x.check(r.arm.name, r.Name+" says what is lost", exact, "offsets [%d, %d) of partition %d, the log begins at %v",
		said.From, said.To, said.Partition, starts)
	going := 0.0
	if alive {
		going = 1
	}
	part := x.side(r.arm.name)
	part.Figures = append(part.Figures, result.Figure{
		Name: "events lost in one partition, says " + r.Name, Value: float64(said.To - said.From),
	}, result.Figure{
		Name: "goes on after the loss (1) or ends (0): " + r.Name, Value: going,
	})
	return nil
}

// goesOn looks whether a process that has said what is lost lives on; if not, whether that is why. Who
// cannot go on without what is lost finds it out at the first read.
func goesOn(ctx context.Context, p *supervise.Process) (alive, explained bool, err error) {
	select {
	case <-p.Exited:
		_, explained = lossIn(p.LastWords())
		return false, explained, nil
	case <-time.After(endsWithin):
		return true, false, nil
	case <-ctx.Done():
		return false, false, context.Cause(ctx)
	}
}

// awaitLoss waits until a process has said that something is lost, by its last words or as a fact.
func awaitLoss(ctx context.Context, p *supervise.Process) (loss, bool, error) {
	tick := time.NewTicker(settlePoll)
	defer tick.Stop()
	for late := time.Now().Add(sayLimit); time.Now().Before(late); {
		if facts, _, _ := p.Facts.Since("lost", 0); len(facts) > 0 {
			var l loss
			return l, true, facts[0].Into(&l)
		}
		select {
		case <-p.Exited:
			l, ok := lossIn(p.LastWords())
			return l, ok, nil
		case <-tick.C:
		case <-ctx.Done():
			return loss{}, false, context.Cause(ctx)
		}
	}
	return loss{}, false, nil
}

var lostWords = regexp.MustCompile(`lost: offsets \[(\d+), (\d+)\) of \S+/(\d+), \d+ events`)

// lossIn reads the error with which a component ends when the log was cut before it was read.
func lossIn(text string) (l loss, ok bool) {
	found := lostWords.FindStringSubmatch(text)
	if found == nil {
		return l, false
	}
	l.From, _ = strconv.ParseInt(found[1], 10, 64)
	l.To, _ = strconv.ParseInt(found[2], 10, 64)
	l.Partition, _ = strconv.Atoi(found[3])
	return l, true
}

// judgeStanding holds what is still answered against the truth. A reader that was killed may have
// written rows that are ahead of the position that it has said, so an answer must have everything below
// its position, and nothing that is not on the log.
func (x *execution) judgeStanding(ctx context.Context, w workload, end, starts []int64) error {
	for _, r := range x.runs() {
		a := x.sut.arms[r.Arm]
		got, err := fetchSettled(ctx, a.api)
		if err != nil {
			return fmt.Errorf("%s after the outage: %w", a.name, err)
		}
		below, whole, err := x.truthsUpTo(ctx, w, end, positions(got.status))
		if err != nil {
			return err
		}
		missing, _ := effects(below, got.windows)
		_, more := effects(whole, got.windows)
		x.checkAnswer(a.name, "what was answered stands", missing == 0 && more == 0,
			"%d readings missing, %d too many", missing, more)
		lost, all := int64(0), int64(0)
		for p, at := range positions(got.status) {
			lost, all = lost+max(0, starts[p]-at), all+end[p]
		}
		x.check(a.name, "something is lost", lost > 0, "%d events of %d", lost, all)
		part := x.side(a.name)
		part.Figures = append(part.Figures,
			result.Figure{Name: "events lost", Value: float64(lost)},
			result.Figure{Name: "events lost, share of the log", Unit: "%", Value: 100 * float64(lost) / float64(max(all, 1))})
	}
	return nil
}

// truthsUpTo are truth B of the log below positions and truth A of the whole log.
func (x *execution) truthsUpTo(
	ctx context.Context, w workload, end, positions []int64,
) (below, whole view.Table[view.WindowKey, view.Window], err error) {
	plan, err := w.open()
	if err != nil {
		return nil, nil, err
	}
	defer plan.Close()
	cfg := oracleConfig(x.scenario.rules, x.sut.logic(), len(end))
	part, errPart := oracle.New(cfg)
	all, errAll := oracle.New(cfg)
	if errPart != nil || errAll != nil {
		return nil, nil, errPart
	}
	err = readBack(ctx, x.sut.log, plan.Source, end, &x.past, func(e *oracle.Entry) {
		if e.Offset < positions[e.Partition] {
			part.Add(*e)
		}
		all.Add(*e)
	})
	if err != nil {
		return nil, nil, err
	}
	return part.TruthB().Windows, all.TruthA().Windows, nil
}
