package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"lambdakappa/bench/fault"
	"lambdakappa/bench/result"
	"lambdakappa/bench/supervise"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/proc"
)

// correctness sends a workload to all arms on one log, lets batches hand over and faults happen
// meanwhile, and compares every row of every view at the end.
type correctness struct {
	Faulty `yaml:",inline"`

	// Batches are started at seeded moments while the log grows; 0 runs one after the other until
	// one has handed over. HandOvers of them must move the boundary.
	Batches      int           `yaml:"batches"`
	HandOvers    int           `yaml:"hand_overs"`
	RollInterval time.Duration `yaml:"roll_interval"` // of ingest; its own when 0
	// Watched looks at the answers while the run goes on: when were they right?
	Watched bool `yaml:"watched"`
	// StandStill has nothing sent for a moment after every batch run, and looks at all answers then.
	StandStill bool `yaml:"stand_still"`
	// Forgets is the length of an outage in a run more, in which the log forgets all that it holds
	// before its readers are back; 0 is no such run.
	Forgets time.Duration `yaml:"forgets"`
	// Redrive has the dead letters repaired when everything was judged, and judges once more: clock,
	// magic, schema.
	Redrive []string `yaml:"redrive"`
	// Remembered asks at the end what is held for de-duplication.
	Remembered bool `yaml:"remembered"`
	// Partitions of the log; 0 is as many as everywhere.
	Partitions int `yaml:"partitions"`
	// Log are settings of the input topic, as Kafka names them: how long it keeps what (retention.ms,
	// retention.bytes), in segments of what size. It takes a cluster. Retention by time looks at append times,
	// which run as fast as the workload unless message.timestamp.type is LogAppendTime.
	Log map[string]string `yaml:"log"`
	// Spares are components of which a second process runs from the start, to take over.
	Spares []string `yaml:"spares"`
}

func (c *correctness) check(s *Scenario) error {
	switch {
	case c.HandOvers > c.Batches:
		return fmt.Errorf("hand_overs %d: there are only %d batches", c.HandOvers, c.Batches)
	case c.Forgets < 0 || c.Forgets > 0 && s.size.wall() < rollInterval+c.Forgets:
		return fmt.Errorf("forgets %s: must fit into the %s in which the workload is sent, after %s",
			c.Forgets, s.size.wall(), rollInterval)
	case c.StandStill && (c.Batches == 0 || len(c.Faults)+c.Random.Each+c.Random.Kills > 0 || c.Random.Every > 0):
		return fmt.Errorf("stand_still: takes batches, and no faults: who was killed does not answer when it should")
	case len(c.Log) > 0 && (c.Forgets > 0 || slices.ContainsFunc(c.Faults, func(s fault.Step) bool { return s.Do == fault.Retention })):
		return fmt.Errorf("log: takes no outage that forgets, and no fault retention: the log forgets by itself")
	case c.Partitions < 0:
		return fmt.Errorf("partitions %d: must not be negative", c.Partitions)
	case c.RollInterval < 0:
		return fmt.Errorf("roll_interval %s: must not be negative", c.RollInterval)
	}
	if err := checkRepairs(c.Redrive); err != nil {
		return err
	}
	for i, name := range c.Spares {
		if !slices.Contains(s.targets(nil), name) || !partNamed(name).group {
			return fmt.Errorf("spares[%d]: %q is no component that shares its work in a group", i, name)
		}
	}
	if err := s.needs(); err != nil {
		return err
	}
	return c.Faulty.check(s)
}

// topic is the input topic as the scenario wants it.
func (c *correctness) topic() eventlog.TopicSpec {
	return eventlog.TopicSpec{Partitions: c.Partitions, Settings: c.Log}
}

// partNamed is the part of that name, an empty one when there is none.
func partNamed(name string) part {
	for _, parts := range architectures {
		for _, p := range parts {
			if p.name == name {
				return p
			}
		}
	}
	return part{}
}

// settleLimit is how long the served answers may be behind a log that has stopped growing. A
// killed group member is noticed after 6 s; everything else takes below a second.
const settleLimit = 60 * time.Second

// sendSeconds is how long recorded input takes to be sent in settled: two rolls of ingest, so that
// a batch run finds a boundary inside the log.
const sendSeconds = 5

func (c *correctness) run(ctx context.Context, d *driver, s *Scenario) error {
	why := d.opt.cannot(c.kinds())
	if c.StandStill && !proc.Suspends {
		why = proc.ErrNoSuspend.Error()
	}
	if len(c.Log) > 0 && len(d.opt.Brokers) == 0 {
		why = "log: the embedded broker keeps everything until it is told to forget it"
	}
	if why != "" {
		return d.skip(s, why)
	}
	for _, point := range append([]*Scenario{s}, s.points(d.opt)...) {
		for repetition := range point.size.repetitions {
			if err := c.repeat(ctx, d, point, repetition); err != nil {
				return err
			}
		}
	}
	return nil
}

// repeat runs all arms once, on one log as far as they can share it.
func (c *correctness) repeat(ctx context.Context, d *driver, s *Scenario, repetition int) error {
	seed := d.opt.Seed + uint64(repetition)
	w, err := d.correctnessWorkload(s.size, seed)
	if err != nil {
		return err
	}
	head := result.Run{
		Scenario: s.Name, Repetition: repetition + 1, Seed: seed, Input: d.opt.Input, Window: d.windowName(),
		Workload: s.size.result(), Parameter: s.parameter,
	}
	if err := d.executeTogether(ctx, head, s.arms(d.opt), c.topic(), func(ctx context.Context, x *execution) error {
		return c.send(ctx, x, w)
	}); err != nil || c.Forgets == 0 {
		return err
	}
	head.Phase = phaseForgets
	return d.executeTogether(ctx, head, s.arms(d.opt), c.topic(), func(ctx context.Context, x *execution) error {
		return c.forget(ctx, x, w)
	})
}

// executeTogether runs arms on one log and reports them apart. Two variations of one architecture
// would share folders and topics, so they take another log.
func (d *driver) executeTogether(
	ctx context.Context, head result.Run, arms []string, input eventlog.TopicSpec,
	body func(ctx context.Context, x *execution) error,
) error {
	all := d.scenario
	defer func() { d.scenario = all }()
	for _, names := range all.onOneLog(arms) {
		if d.has(head, names...) {
			continue
		}
		d.scenario = all.ruledAs(names[0])
		head.Arm = armBoth
		if len(names) == 1 {
			head.Arm = names[0]
		}
		x, err := d.execute(ctx, head, func(x *execution) {
			x.input = input
			for _, arm := range names {
				x.report(arm, arm, head.Phase)
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
	}
	return nil
}

// skip notes of every arm why nothing can be measured of it here.
func (d *driver) skip(s *Scenario, why string) error {
	for _, arm := range s.arms(d.opt) {
		r := result.Run{Scenario: s.Name, Arm: arm, Repetition: 1, Seed: d.opt.Seed, OK: true, Unmeasurable: why}
		if err := d.add(r); err != nil {
			return err
		}
	}
	return nil
}

// ruledAs is the scenario under the rules of one of its arms.
func (s *Scenario) ruledAs(arm string) *Scenario {
	a, _ := s.ArmNamed(arm)
	if a.AllowedLateness == 0 {
		return s
	}
	ruled := *s
	ruled.rules.AllowedLateness = a.AllowedLateness.Milliseconds()
	return &ruled
}

// onOneLog groups arms so that no group has two that are like the same architecture, or are judged by
// different rules.
func (s *Scenario) onOneLog(arms []string) [][]string {
	var groups [][]string
	for _, arm := range arms {
		at := slices.IndexFunc(groups, func(group []string) bool {
			return s.ruledAs(group[0]).rules == s.ruledAs(arm).rules &&
				!slices.ContainsFunc(group, func(other string) bool { return s.like(other) == s.like(arm) })
		})
		if at < 0 {
			groups, at = append(groups, nil), len(groups)
		}
		groups[at] = append(groups[at], arm)
	}
	return groups
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
func (d *driver) correctnessWorkload(s size, seed uint64) (workload, error) {
	csv, err := parseInput(d.opt.Input)
	if err != nil || csv == "" {
		return s.workload(seed), err
	}
	w := workload{csv: csv}
	span, err := w.span()
	w.speedup = span.Seconds() / sendSeconds
	return w, err
}

// send sends the workload, hands over in the middle of it, and judges the arms at the end.
func (c *correctness) send(ctx context.Context, x *execution, w workload) error {
	c.setUp(x)
	plan, err := c.plan(x, w)
	if err != nil {
		return err
	}
	if hasNetwork(plan) {
		if err := x.sut.startNetwork(ctx, x.scenario.targets(nil)); err != nil {
			return err
		}
	}
	if err := x.startArms(ctx); err != nil {
		return err
	}
	if err := x.startSpares(ctx, c.Spares); err != nil {
		return err
	}
	stop := func() {}
	if c.Watched {
		stop = x.watchArms(ctx)
	}
	defer stop()
	following := x.follow(ctx, len(c.Log) > 0)
	defer func() { _ = following.stop() }()
	launched := time.Since(x.began).Seconds()
	g, err := x.sut.launchGenerator(w)
	if err != nil {
		return err
	}
	// On a cluster of the user's an acknowledgement may be lost at any time.
	x.past.resent = resends(plan) || x.sut.prefix != ""
	x.past.stamped = c.Log["message.timestamp.type"] == "LogAppendTime"
	x.past.kept = x.past.kept || c.StandStill // the truth is asked for at every hand-over
	if err := c.meanwhile(ctx, x, w, g, plan); err != nil {
		return err
	}
	published, end, err := x.sut.awaitGenerator(ctx, g)
	if err != nil {
		return err
	}
	x.run.Events, x.run.SentBy = published.Events, launched+published.Seconds
	if err := x.awaitForgotten(ctx, following, end); err != nil {
		return err
	}
	if len(plan) > 0 {
		x.measureAvailability(published.Acked)
	}
	if c.HandOvers > 0 {
		x.checkHandOvers(c.HandOvers)
	}
	if c.Remembered {
		if err := x.measureRemembered(ctx, end); err != nil {
			return err
		}
	}
	if err := x.judgeNow(ctx, w, end); err != nil {
		return err
	}
	stop()
	if err := x.measureAccuracy(len(end)); err != nil {
		return err
	}
	x.measurePauses(plan)
	if c.StandStill {
		if err := x.judgeHandOvers(); err != nil {
			return err
		}
	}
	if len(c.Redrive) > 0 {
		if err := x.redrive(ctx, w, end, c.Redrive); err != nil {
			return err
		}
	}
	return x.leaveViews(x.end)
}

// setUp tells components what the scenario wants otherwise.
func (c *correctness) setUp(x *execution) {
	if c.RollInterval > 0 {
		x.sut.extra = map[string][]string{"lambda ingest": {"--roll-interval", c.RollInterval.String()}}
	}
}

// meanwhile does to the arms what the scenario asks for, while the generator sends.
func (c *correctness) meanwhile(
	ctx context.Context, x *execution, w workload, generator *supervise.Component, plan []fault.Step,
) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return x.inflict(ctx, plan) })
	if lambda := x.sut.lambda(); lambda != nil {
		g.Go(func() error {
			if c.Batches > 0 {
				return x.runBatches(ctx, lambda, c.moments(w), c.atHandOver(x, generator))
			}
			return x.handOverInside(ctx, lambda, generator)
		})
	}
	return g.Wait()
}

// atHandOver is what is done after every batch run; nil when that is nothing.
func (c *correctness) atHandOver(x *execution, generator *supervise.Component) func(context.Context, generation) error {
	if !c.StandStill {
		return nil
	}
	return func(ctx context.Context, g generation) error { return x.lookAtHandOver(ctx, g, generator) }
}

// moments are when batch runs begin: not before the first roll of ingest, or there is nothing to
// hand over, and not so late that the generator has ended.
func (c *correctness) moments(w workload) []time.Duration {
	roll := c.RollInterval
	if roll == 0 {
		roll = rollInterval
	}
	return batchMoments(w.spec.Seed, c.Batches, 2*roll, w.wall()-2*roll)
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

// startSpares starts a second process of some components, to share their work or take it over.
func (x *execution) startSpares(ctx context.Context, names []string) error {
	for _, name := range names {
		a, err := x.sut.armOf(name)
		if err != nil {
			continue // its arm was not asked for
		}
		_, err = x.sut.supervisor.Start(ctx, name+" spare", x.sut.env(), x.sut.partArgs(a, partNamed(name))...)
		if err != nil {
			return err
		}
	}
	return nil
}

// rollInterval is ingest's own: before its first file is closed, no batch has anything to cover.
const rollInterval = 2 * time.Second

// handOverInside runs batches while the generator sends, until one has handed over.
func (x *execution) handOverInside(ctx context.Context, lambda *arm, generator *supervise.Component) error {
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
		case <-generator.Process().Exited:
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

// judgeNow settles every arm at the end of the log, reads the truth and judges: Kappa against
// truth B, Lambda between batches against A below its boundary and B above it, and once more
// against truth A when a batch covers everything.
func (x *execution) judgeNow(ctx context.Context, w workload, end []int64) error {
	if err := x.settleArms(ctx, end); err != nil {
		return err
	}
	var err error
	if x.truth, err = readTruthSince(ctx, x.sut.log, w, x.scenario.rules, x.sut.logic(), end, &x.past); err != nil {
		return err
	}
	for _, r := range x.runs() {
		a := x.sut.arms[r.Arm]
		x.progress.say("judge " + a.name)
		if err := x.judgeArm(ctx, a, end); err != nil {
			return err
		}
	}
	x.end = end
	return x.judgeSideTopics(ctx, end)
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
	if a.like == armKappa {
		_, err := x.judge(ctx, a, "at the end"+x.after)
		return err
	}
	between, err := x.judge(ctx, a, "between batches"+x.after)
	if err != nil {
		return err
	}
	boundary := boundaries(between.status)
	x.check(a.name, "boundary inside the log"+x.after, inside(boundary, end), "boundary %v, end %v", boundary, end)
	if _, err := a.cover(ctx, end); err != nil {
		return err
	}
	_, err = x.judge(ctx, a, "after the covering batch"+x.after)
	return err
}

func (c *correctness) seconds(o Options, s *Scenario) float64 {
	var sum float64
	for _, point := range append([]*Scenario{s}, s.points(o)...) {
		sum += float64(len(point.onOneLog(point.arms(o)))*point.size.repetitions) * c.eachSeconds(point)
	}
	return sum
}

// eachSeconds is how long arms on one log take.
func (c *correctness) eachSeconds(s *Scenario) float64 {
	sending := sendSeconds * 1.0
	if s.size.speedup > 0 {
		sending = s.size.duration.Seconds() / s.size.speedup
	}
	each := sending + 5
	if len(c.Faults)+c.Random.Each+c.Random.Kills > 0 || c.Random.Every > 0 {
		each += 6 // a session timeout
	}
	if len(c.Redrive) > 0 {
		each += 4
	}
	if c.Forgets > 0 {
		each += sending + 7
	}
	return each
}
