package bench

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"lambdakappa/bench/supervise"
	"lambdakappa/internal/httpapi"
)

// A part is one component of an architecture: a sub-command of the binary.
type part struct {
	name    string // "lambda speed": the sub-command as it is typed
	serving bool   // prints where it listens
	group   bool   // a member of a consumer group
	patient bool   // nobody waits for it while a speed layer answers
}

// A pace is how an arm runs: how often its batch layer runs, which is not at all when the interval
// is 0, and whether parts that nobody waits for give way to those that answer. In a scenario that
// takes the time to a complete answer, everybody is waited for.
type pace struct {
	interval   time.Duration
	background bool
}

// manner is how a part runs at a pace.
func (p part) manner(at pace) []string {
	if p.patient && at.background {
		return []string{"--background"}
	}
	return nil
}

// architectures: what has to run for an arm to answer. The batch layer of Lambda is started apart,
// since scenarios differ in when it runs.
var architectures = map[string][]part{
	armLambda: {
		{name: "lambda ingest", group: true, patient: true},
		{name: "lambda speed", group: true},
		{name: "lambda serve", serving: true},
	},
	armKappa: {
		{name: "kappa process", group: true},
		{name: "kappa serve", serving: true},
	},
}

// An arm is one running architecture.
type arm struct {
	name  string
	like  string              // the architecture: lambda or kappa
	args  map[string][]string // further arguments, by component
	sut   *system
	parts map[string]*supervise.Component
	api   *httpapi.Client

	batching sync.Mutex // held by one batch run at a time
}

// startArm starts all components of an architecture at once and waits until they are ready.
func (s *system) startArm(ctx context.Context, name string, at pace) (*arm, error) {
	a := s.newArm(name)
	s.arms[name] = a
	for _, p := range architectures[a.like] {
		if err := a.launch(p, p.manner(at)...); err != nil {
			return nil, err
		}
	}
	if a.like == armLambda && at.interval > 0 {
		args := append(batchPart.manner(at), "--interval", at.interval.String())
		if err := a.launch(batchPart, args...); err != nil {
			return nil, err
		}
	}
	for _, c := range a.parts {
		if err := c.Ready(ctx); err != nil {
			return nil, err
		}
	}
	return a, a.findAPI(ctx)
}

// reinforce starts another process of every part that shares the partitions of the log with its like.
func (a *arm) reinforce(ctx context.Context) error {
	for _, p := range architectures[a.like] {
		if !p.group {
			continue
		}
		c, err := a.sut.supervisor.Launch(p.name, a.sut.env(), a.sut.partArgs(a, p)...)
		if err != nil {
			return err
		}
		if err := c.Ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

// newArm returns an arm without anything running.
func (s *system) newArm(name string) *arm {
	a := &arm{name: name, like: s.scenario.like(name), sut: s, parts: map[string]*supervise.Component{}}
	if spec, ok := s.scenario.ArmNamed(name); ok {
		a.args = spec.Args
	}
	return a
}

func (a *arm) launch(p part, more ...string) error {
	c, err := a.sut.supervisor.Launch(p.name, a.sut.env(), a.sut.partArgs(a, p, more...)...)
	a.parts[p.name] = c
	return err
}

// findAPI learns where the serving component listens, also after its restart.
func (a *arm) findAPI(ctx context.Context) error {
	p := a.serving().Process()
	found, ok := p.Facts.Await(ctx, "listening", p.Exited)
	if !ok {
		return fmt.Errorf("%s: never said where it listens", a.serving().Name)
	}
	var where struct{ Addr string }
	if err := found.Into(&where); err != nil {
		return err
	}
	if a.api != nil {
		a.api.Close()
	}
	a.api = httpapi.NewClient(strings.TrimPrefix(where.Addr, "http://"))
	return nil
}

func (a *arm) serving() *supervise.Component { return a.parts[a.like+" serve"] }

// stop ends all components of the arm, those that answer first.
func (a *arm) stop(ctx context.Context) error {
	a.api.Close()
	var running []*supervise.Component
	for _, p := range append([]part{batchPart}, architectures[a.like]...) {
		if c := a.parts[p.name]; c != nil {
			running = append(running, c)
		}
	}
	return a.sut.supervisor.Stop(ctx, running...)
}
