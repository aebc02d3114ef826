package bench

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"lambdakappa/bench/result"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// deploy brings a new version of the logic to a running system that has a history and goes on living:
// how long until every answer is the new one, what is answered wrong meanwhile, what it takes, and
// what the live part feels of it. The workload's duration is that of the history.
type deploy struct {
	From string `yaml:"from"` // version that runs
	To   string `yaml:"to"`   // version that is deployed
	// Views are kept from the deployment on; those of the scenario when it says nothing.
	Views []string      `yaml:"views"`
	Live  time.Duration `yaml:"live"` // of the part that is measured, after the history
	At    time.Duration `yaml:"at"`   // when it is deployed, after the live part has begun
	// Ways says how each arm does it.
	Ways map[string]way `yaml:"ways"`
}

// A way is how a version is deployed.
type way struct {
	How        string `yaml:"how"`        // recompute, replay, archive or republish
	Processes  int    `yaml:"processes"`  // of a replay, that share the partitions; 1 when 0
	Background bool   `yaml:"background"` // the work gives way to queries
}

// The ways: Lambda's batch layer computes everything again; Kappa reads the log again (Kreps), an
// archive as if it were a stream (Uber's Kappa+), or the archive after it was published again.
const (
	byRecompute = "recompute"
	byReplay    = "replay"
	byArchive   = "archive"
	byRepublish = "republish"
)

var waysOf = map[string][]string{
	armLambda: {byRecompute},
	armKappa:  {byReplay, byArchive, byRepublish},
}

func (p *deploy) check(s *Scenario) error {
	switch {
	case p.From == "" || p.To == "":
		return fmt.Errorf("from %q, to %q: takes two versions", p.From, p.To)
	case p.From == p.To && len(p.Views) == 0:
		return fmt.Errorf("from %q, to %q: takes two versions, or other views", p.From, p.To)
	case p.At <= 0 || p.Live <= p.At:
		return fmt.Errorf("at %s: must be above 0 and before the end of the live part, %s", p.At, p.Live)
	}
	if _, err := p.after(s); err != nil {
		return err
	}
	for _, a := range s.Arms {
		w, ok := p.Ways[a.Name]
		if !ok {
			return fmt.Errorf("ways: says nothing about arm %s", a.Name)
		}
		if !slices.Contains(waysOf[a.Like], w.How) {
			return fmt.Errorf("ways.%s.how %q: is none of %q", a.Name, w.How, waysOf[a.Like])
		}
		if w.Processes < 0 || w.Processes > 1 && w.How == byRecompute {
			return fmt.Errorf("ways.%s.processes %d: only a replay has several", a.Name, w.Processes)
		}
	}
	for name := range p.Ways {
		if _, ok := s.ArmNamed(name); !ok {
			return fmt.Errorf("ways: %q is no arm of this scenario", name)
		}
	}
	return s.needs()
}

// after are the views that are kept from the deployment on.
func (p *deploy) after(s *Scenario) (view.Set, error) {
	if len(p.Views) == 0 {
		return s.views, nil
	}
	return view.ParseSet(strings.Join(p.Views, ","))
}

func (p *deploy) seconds(o Options, s *Scenario) float64 {
	var sum float64
	for _, point := range append([]*Scenario{s}, s.points(o)...) {
		history := point.size.rate * point.size.duration.Seconds()
		each := leadOf(point.size).Seconds() + p.Live.Seconds() + 4 + history*5e-6
		sum += float64(len(point.arms(o))*point.size.repetitions) * each
	}
	return sum
}

func (p *deploy) run(ctx context.Context, d *driver, s *Scenario) error {
	for _, point := range append([]*Scenario{s}, s.points(d.opt)...) {
		err := d.eachAlone(point, func(head result.Run) error {
			x, err := d.untilNotVoid(ctx, func(ctx context.Context) (*execution, error) {
				return d.execute(ctx, head, func(*execution) {}, func(ctx context.Context, x *execution) error {
					return newDeployment(p, x, point).run(ctx)
				})
			})
			if err != nil {
				return err
			}
			return d.add(x.run)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// catchUpRate is what both sides work off of a history, events/s, with a reserve: the live part
// begins when that is done.
const catchUpRate = 150_000

// leadOf is how long before the live part everything is started.
func leadOf(s size) time.Duration {
	events := s.rate * s.duration.Seconds()
	return 2*leadTime + time.Duration(events/catchUpRate*float64(time.Second))
}

// deployLagLimit is how late the generator may be at p99. A deployment takes all cores for a while, so
// that the generator waits for them too: on one machine that is a part of what is felt, and the run
// notes it. Later than this, something else takes the machine.
const deployLagLimit = 500 * time.Millisecond

// deployCars are watched in a deployment, which may be over in a fraction of a second: at a reading a second
// each, 0.17 s have the hundred samples that a p90 takes.
const deployCars = 600

// A deployment is one run of it.
type deployment struct {
	*steady
	plan *deploy
	way  way
	view view.Set // that are kept afterwards
	arm  *steadyArm

	from, until time.Time // of the deployment: until all answers were new ones
	before      spending  // when it began
	after       spending  // when it was done
	idle        float64   // CPU-seconds a second before it, of what goes on during it
	watch       *switchWatch
}

// spending is what the arm and its broker have taken so far.
type spending struct {
	at   time.Time
	cpu  float64 // seconds
	live float64 // of it, without the batch layer: its periodic runs stand still during a deployment
	disk int64   // bytes
}

func newDeployment(p *deploy, x *execution, s *Scenario) *deployment {
	size := s.size
	size.duration += p.Live
	d := &deployment{
		steady: newSteady(x, size, true),
		plan:   p, way: p.Ways[x.run.Arm],
	}
	d.view, _ = p.after(s) // check has read it
	d.steady.meanwhile, d.steady.lagLimit, d.steady.cars = d.bring, deployLagLimit, deployCars
	return d
}

func (d *deployment) run(ctx context.Context) error {
	d.sut.version = d.plan.From
	a, err := d.startArm(ctx)
	if err != nil {
		return err
	}
	d.arm = a
	d.live = time.Now().Add(leadOf(d.scenario.size)).Truncate(time.Millisecond)
	w := d.size.workload(d.execution.run.Seed)
	history := d.size.duration - d.plan.Live
	w.live, w.speedup = w.spec.Start.Add(history), 1
	w = w.sentFrom(d.live.Add(-history))
	d.sends(w)
	g, err := d.sut.launchGenerator(w)
	if err != nil {
		return err
	}
	d.watch = newSwitchWatch(a.api, w.spec, d.scenario.rules, d.diskNow)
	published, end, err := d.measure(ctx, g, nil)
	if err != nil {
		return err
	}
	d.sut.version, d.sut.views = d.plan.To, d.view
	if err := d.conclude(ctx, w, published, end); err != nil {
		return err
	}
	return d.judgeSwitch(ctx, w, end)
}

func (d *deployment) startArm(ctx context.Context) (*steadyArm, error) {
	name := d.execution.run.Arm
	a, err := d.sut.startArm(ctx, name, pace{interval: d.size.interval, background: true})
	if err != nil {
		return nil, err
	}
	if d.way.How == byArchive || d.way.How == byRepublish {
		if err := a.launchSink(ctx); err != nil {
			return nil, err
		}
	}
	s := newSteadyArm(a)
	d.arms[name] = s
	return s, nil
}

// behind is how far an arm may be behind when the live part begins, as a time of the live rate.
const behind = 2 * time.Second

// bring waits for its moment in the live part, deploys, and returns when all answers are new.
func (d *deployment) bring(ctx context.Context) error {
	if err := waitUntil(ctx, d.live); err != nil {
		return err
	}
	status, err := d.arm.api.Status(ctx)
	if err != nil {
		return err
	}
	if float64(status.Lag) > d.size.rate*behind.Seconds() {
		return &slowError{fmt.Sprintf("the history was not worked off when the live part began: %d events behind", status.Lag)}
	}
	began := d.spends(ctx)
	if err := waitUntil(ctx, d.live.Add(d.plan.At)); err != nil {
		return err
	}
	d.before = d.spends(ctx)
	d.idle = (d.before.live - began.live) / d.before.at.Sub(began.at).Seconds()
	d.from = d.before.at
	watching, stop := context.WithCancel(ctx)
	defer stop()
	go d.watch.sample(watching)
	d.progress.say(fmt.Sprintf("deploy %s by %s", d.plan.To, d.way.How))
	if err := d.bringBy(ctx); err != nil {
		return fmt.Errorf("deploy %s: %w", d.plan.To, err)
	}
	_, err = settle(ctx, d.arm.status, catchUpLimit(d.spec.Events()), func(s httpapi.Status) bool {
		return d.isNew(s)
	})
	if err != nil {
		return fmt.Errorf("deploy %s: %w", d.plan.To, err)
	}
	d.after = d.spends(ctx)
	d.until = d.after.at
	stop()
	d.watch.wait()
	d.watch.lookAgain(ctx)
	d.mark("deploy "+d.plan.To, d.from, d.until)
	return d.goOn()
}

// isNew reports whether answers are those of the deployment. Where one layer was left behind on
// purpose, the version names both: "v2+v1".
func (d *deployment) isNew(s httpapi.Status) bool {
	version, _, _ := strings.Cut(s.Version, "+")
	return version == d.plan.To && s.Views.Has(d.view)
}

func (d *deployment) bringBy(ctx context.Context) error {
	if d.way.How == byRecompute {
		return d.recompute(ctx)
	}
	return d.replay(ctx)
}

// recompute stops the batch layer and runs it once with the new version. The speed layer follows what
// the batch layer publishes.
func (d *deployment) recompute(ctx context.Context) error {
	a := d.arm.arm
	if err := d.sut.supervisor.Stop(ctx, a.parts[batchPart.name]); err != nil {
		return err
	}
	_, err := a.batchOnce(ctx, d.toVersion()...)
	return err
}

// goOn starts the batch layer again that a deployment has stopped. It begins with a run over everything,
// so it is not started before all answers are new: nobody would do the same work twice at once.
func (d *deployment) goOn() error {
	if d.way.How != byRecompute {
		return nil
	}
	more := append(d.toVersion(), "--background", "--interval", d.size.interval.String())
	return d.arm.arm.launch(batchPart, more...)
}

func (d *deployment) toVersion() []string {
	return []string{"--version", d.plan.To, "--views", d.view.String()}
}

// replayPart is Kappa's second processor, that builds the new version's view.
var replayPart = part{name: "kappa replay"}

// replay starts the second processor. The first one ends by itself when it was replaced.
func (d *deployment) replay(ctx context.Context) error {
	a := d.arm.arm
	args := d.toVersion()
	if d.way.Background {
		args = append(args, "--background")
	}
	switch d.way.How {
	case byArchive:
		args = append(args, "--archive", a.archive())
	case byRepublish:
		if err := a.launchRepublish(ctx); err != nil {
			return err
		}
		args = append(args, "--input", republishedTopic)
	}
	a.parts["kappa process"].ExpectEnd()
	for i := range max(d.way.Processes, 1) {
		name := replayPart.name
		if i > 0 {
			name += " " + strconv.Itoa(i+1)
		}
		c, err := d.sut.supervisor.Launch(name, d.sut.env(), d.sut.partArgs(a, replayPart, args...)...)
		if err != nil {
			return err
		}
		a.parts[name] = c
	}
	return nil
}

// spends is what the run has taken until now.
func (d *deployment) spends(ctx context.Context) spending {
	s := spending{at: time.Now(), cpu: d.cpuNow()}
	s.live = s.cpu - d.sut.usages()[batchPart.name].CPU
	s.disk, _ = d.diskNow(ctx) // a file that vanished meanwhile is no error, and others show up when judging
	return s
}

// diskNow is what lies on disk, without the input topic, which grows all the time.
func (d *deployment) diskNow(ctx context.Context) (int64, error) {
	all, err := diskBytes(d.sut.dir, "")
	if err != nil {
		return 0, err
	}
	logs, err := diskBytes(d.sut.logs(), "")
	if err != nil {
		return 0, err
	}
	broker, cars, err := d.sut.brokerBytes(ctx)
	if d.sut.broker == nil { // its folder is not ours
		all += broker
	}
	return all - logs - cars, err
}
