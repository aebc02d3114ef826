package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"lambdakappa/bench/oracle"
	"lambdakappa/bench/result"
	"lambdakappa/bench/supervise"
	"lambdakappa/datagen"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// lagLimit is how late the generator's p99 may be before a run says nothing about latency: the
// machine was too slow to keep the schedule. Cost alone does not depend on it: every event was
// sent, and the lag is noted.
const lagLimit = 5 * time.Millisecond

// leadTime is how long before its first event a steady workload is started: the generator's
// process must be up by then.
const leadTime = 1500 * time.Millisecond

// A steady is a run at a constant rate: the batch layer runs at its interval, probes ask if there
// are any, and cost is taken until the answers have settled.
type steady struct {
	*execution
	size   size
	probed bool
	cars   int           // that are watched when it is probed
	spec   datagen.Spec  // with intended times of the wall clock
	shift  time.Duration // from event time to the wall clock
	live   time.Time     // when measuring begins: with the first event, or where history ends
	// meanwhile is done to the arms while they are measured; nil is nothing.
	meanwhile func(ctx context.Context) error

	arms    map[string]*steadyArm
	base    account // when the generator was started
	cpuLine result.Series

	generatorLag time.Duration // p99

	lagLimit time.Duration                   // of the generator's p99; see [lagLimit]
	watch    func(ctx context.Context) error // runs while the generator sends; may be nil
	figures  func(*steady) error             // fills in what only this scenario measures; may be nil
	trial    *trial                          // of a search; nil for a run that stands for itself
}

func newSteady(x *execution, s size, probed bool) *steady {
	return &steady{
		execution: x, size: s, probed: probed, cars: sampledCars,
		arms: map[string]*steadyArm{}, lagLimit: lagLimit,
	}
}

// A steadyArm is what is measured of one arm.
type steadyArm struct {
	*arm
	got    *latencies
	layers []*freshness

	looks  sync.Mutex     // guards served: several look at the same time
	served map[int64]bool // generations that were seen in a status
}

func newSteadyArm(a *arm) *steadyArm {
	return &steadyArm{arm: a, got: newLatencies(), layers: freshnessOf(a.like), served: map[int64]bool{}}
}

// status asks the arm, and notes which generation answers.
func (a *steadyArm) status(ctx context.Context) (httpapi.Status, error) {
	status, err := a.api.Status(ctx)
	if err == nil {
		a.looks.Lock()
		defer a.looks.Unlock()
		a.served[status.Generation] = true
	}
	return status, err
}

// steadyRunOf executes one steady run of the caller's and adds it to the summary. A run that is void because the
// machine was too slow is retried once.
func (d *driver) steadyRunOf(
	ctx context.Context, head result.Run, s size, of func(*execution) *steady,
) error {
	if head.Arm != armControl && d.has(head, head.Arm) {
		return nil
	}
	head.Workload = s.result()
	x, err := d.untilNotVoid(ctx, func(ctx context.Context) (*execution, error) {
		return d.execute(ctx, head, func(*execution) {}, func(ctx context.Context, x *execution) error {
			return of(x).run(ctx)
		})
	})
	if err != nil {
		return err
	}
	if head.Arm == armControl && x.run.OK {
		d.controls[d.controlOf(s)] = x.spent
	}
	return d.add(x.run)
}

// controlKey names workloads that cost the generator and the broker the same.
func controlKey(s size) string {
	return fmt.Sprintf("%d/%v/%s/%s", s.cars, s.rate, s.duration, s.disturb)
}

// controlOf names the control runs of a workload in the present scenario: those of another were taken too long ago.
func (d *driver) controlOf(s size) string { return d.scenario.Name + " " + controlKey(s) }

// armsOf are the arms of a run.
func (d *driver) armsOf(name string) []string {
	switch name {
	case armBoth:
		return d.scenario.onOneLog(d.scenario.arms(Options{}))[0]
	case armControl:
		return nil
	default:
		return []string{name}
	}
}

func (s *steady) run(ctx context.Context) error {
	for _, name := range s.armsOf(s.execution.run.Arm) {
		a, err := s.sut.startArm(ctx, name, pace{interval: s.size.interval, background: true})
		if err != nil {
			return err
		}
		s.arms[name] = newSteadyArm(a)
	}
	w := s.size.workload(s.execution.run.Seed)
	alerts, err := s.planAlerts(w.spec)
	if err != nil {
		return err
	}
	w = w.sentFrom(time.Now().Add(leadTime))
	s.sends(w)
	s.live = s.spec.Start
	g, err := s.sut.launchGenerator(w)
	if err != nil {
		return err
	}
	published, end, err := s.measure(ctx, g, alerts)
	if err != nil {
		return err
	}
	return s.conclude(ctx, w, published, end)
}

// sends notes when the workload is sent.
func (s *steady) sends(w workload) { s.spec, s.shift = w.onTheClock(), w.shift }

// planAlerts returns a sample of the alerts that the workload will raise.
func (s *steady) planAlerts(spec datagen.Spec) ([]view.Alert, error) {
	if !s.probed || len(s.arms) == 0 {
		return nil, nil
	}
	fold, err := oracle.NewFold(oracle.Config{WindowMs: 1 << 40, Version: s.sut.version, Partitions: 1}, []int64{0})
	if err != nil {
		return nil, err
	}
	var p datagen.Planned
	stream := spec.Stream()
	for offset := int64(0); stream.Next(&p); offset++ {
		fold.Add(oracle.Entry{Offset: offset, AppendTime: p.Event.EventTime, Event: &p.Event})
	}
	return sampleAlerts(fold.Answer().Alerts, spec), nil
}

// driverMemory is how much the driver may allocate before it collects garbage while it measures. A
// collection holds its one thread up for ten milliseconds, which would be taken for latency; a run
// of a minute stays below.
const driverMemory = 1 << 29

// keepOutOfTheWay makes the driver share the cores with what it measures for as little as it can,
// until the returned function is called: one thread of Go is enough for its probes (an eighth of a
// core), and more of them wake each other up.
func keepOutOfTheWay() (undo func()) {
	runtime.GC()
	threads := runtime.GOMAXPROCS(1)
	limit := debug.SetMemoryLimit(-1) // what the user has set
	debug.SetMemoryLimit(min(limit, driverMemory))
	percent := debug.SetGCPercent(-1)
	return func() {
		runtime.GOMAXPROCS(threads)
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}

// measure runs probes and samplers while the generator sends and until the answers have settled.
func (s *steady) measure(ctx context.Context, g *supervise.Component, alerts []view.Alert) (Published, []int64, error) {
	defer keepOutOfTheWay()()
	last := s.spec.Start.Add(s.spec.Duration)
	probing, stopProbes := context.WithCancel(ctx)
	defer stopProbes()
	var watchers errgroup.Group
	var asking []*probes
	for _, a := range s.arms {
		watchers.Go(func() error { return s.freshnessOf(a, last).run(probing) })
		if s.probed {
			p := &probes{
				client: a.api, spec: s.spec, live: s.live, alerts: alerts,
				cars: s.cars, arms: len(s.arms), got: a.got,
			}
			p.start(probing)
			asking = append(asking, p)
		}
	}
	var err error
	if s.base, err = s.sut.account(ctx); err != nil {
		return Published{}, nil, err
	}
	watchers.Go(func() error { s.watchCPU(probing, last); return nil })
	if s.watch != nil {
		watchers.Go(func() error { return s.watch(probing) })
	}
	if s.meanwhile != nil {
		err = s.meanwhile(ctx)
	}
	published, end, err := s.awaitUnless(ctx, err, g)
	if err == nil {
		err = s.settleArms(ctx, end)
	}
	if err == nil {
		s.spent, err = s.sut.costSince(ctx, s.base, published.Events, s.armsOf(s.execution.run.Arm)...)
		s.letProbesFinish(ctx, asking)
	}
	stopProbes()
	for _, p := range asking {
		p.wait()
	}
	return published, end, errors.Join(err, watchers.Wait())
}

// awaitUnless waits for the generator, unless something has failed before.
func (s *steady) awaitUnless(ctx context.Context, failed error, g *supervise.Component) (Published, []int64, error) {
	if failed != nil {
		return Published{}, nil, failed
	}
	return s.sut.awaitGenerator(ctx, g)
}

// probePatience is how long after settling a probe may still be without its answer. It waits for
// nothing but its turn on the cores; a reading that is not visible by then never will be.
const probePatience = 10 * time.Second

// letProbesFinish gives probes whose answer is under way a moment: everything is visible by now.
func (s *steady) letProbesFinish(ctx context.Context, asking []*probes) {
	for _, p := range asking {
		done := make(chan struct{})
		go func() { p.wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(probePatience):
		case <-ctx.Done():
		}
	}
}

// conclude judges the answers and fills in the figures of the run.
func (s *steady) conclude(ctx context.Context, w workload, published Published, end []int64) error {
	r := &s.execution.run
	r.Events = published.Events
	s.judgeGenerator(time.Duration(published.Lag.P99 * float64(time.Millisecond)))
	r.Notes = append(r.Notes, fmt.Sprintf("generator lag: p50 %.2f ms, p99 %.2f ms, max %.2f ms",
		published.Lag.P50, published.Lag.P99, published.Lag.Max))
	r.Cost = s.resultCost()
	if s.sut.broker == nil {
		r.Notes = append(r.Notes, "the broker is a cluster of yours: its CPU and memory are not measured here")
	}
	if err := s.judgeSteady(ctx, w, end); err != nil {
		return err
	}
	if err := s.fillFigures(); err != nil {
		return err
	}
	if s.figures != nil {
		if err := s.figures(s); err != nil {
			return err
		}
	}
	if r.Void != "" {
		r.LatencyMs, r.FreshnessMs, r.FreshnessLayers, r.Cost, r.Series, r.Figures = nil, nil, nil, nil, nil, nil
	}
	return nil
}

// judgeGenerator says what a generator that was that late, at p99, means for the run.
func (s *steady) judgeGenerator(lag time.Duration) {
	s.generatorLag = lag
	switch {
	case s.trial != nil:
		s.trial.generator = lag
	case s.probed && lag > s.lagLimit:
		s.execution.run.Void = fmt.Sprintf("the generator was %s late at p99, more than %s",
			lag.Round(10*time.Microsecond), s.lagLimit)
	}
}

// resultCost is the cost less the latest control run of the same workload, where there is one.
func (s *steady) resultCost() *result.Cost {
	name := s.execution.run.Arm
	if name == armControl {
		c := s.spent.whole()
		return &c
	}
	arm, _ := s.scenario.ArmNamed(name)
	c := s.spent.less(s.controls[s.controlOf(s.size)].slowed(arm.Handicap))
	return &c
}

// judgeSteady stops the batch layer, so that the answers stand still, and compares them.
func (s *steady) judgeSteady(ctx context.Context, w workload, end []int64) error {
	truth, err := readTruth(ctx, s.sut.log, w, s.scenario.rules, s.sut.logic(), end)
	if err != nil {
		return err
	}
	s.truth = truth
	for _, a := range s.arms {
		if a.like == armLambda {
			if err := s.stopBatch(ctx, a.arm); err != nil {
				return err
			}
		}
		if _, err := s.judge(ctx, a.arm, "at the end"); err != nil {
			return err
		}
	}
	if len(s.arms) == 0 || s.trial != nil {
		return nil
	}
	return s.leaveViews(end)
}

// stopBatch notes the batch cycles and ends the batch layer.
func (s *steady) stopBatch(ctx context.Context, a *arm) error {
	generations, err := a.generations()
	if err != nil {
		return err
	}
	if served := len(s.arms[a.name].served); s.meanwhile == nil {
		s.mustKeepUp(a.name, "batch cycles", len(generations) > 1 && served >= min(len(generations), 3)-1,
			fmt.Sprintf("%d batch runs were published, and answers came from %d generations", len(generations), served))
	}
	for _, g := range generations {
		s.execution.run.Marks = append(s.execution.run.Marks, result.Mark{
			Name: fmt.Sprintf("batch %d", g.Generation),
			From: g.began.Sub(s.live).Seconds(), To: g.began.Add(g.wall).Sub(s.live).Seconds(),
		})
	}
	return s.sut.supervisor.Stop(ctx, a.parts[batchPart.name])
}

// mustKeepUp notes something that an arm with enough room always does. In a trial it is no fault
// when it does not: that is what the search wants to know.
func (s *steady) mustKeepUp(label, name string, ok bool, detail string) {
	if s.trial == nil {
		s.check(label, name, ok, "%s", detail)
	} else if !ok {
		s.trial.miss("%s", detail)
	}
}
