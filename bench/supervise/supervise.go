package supervise

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// ReadyLimit is how long a component may take from its start to its ready line. A restore of all
// open windows takes below a second; the rest is patience with a machine that is busy.
const ReadyLimit = 60 * time.Second

// A Supervisor starts, watches, kills, restarts and stops the components of one run. It is safe
// for concurrent use.
type Supervisor struct {
	binary string
	logs   string // folder
	fail   context.CancelCauseFunc

	// Died is told of a component that died unasked, and its last words; by default that ends the run. It has to be
	// set before anything is started.
	Died func(c *Component, why error)

	mu         sync.Mutex
	components []*Component // in the order of their first start
}

// A Component is one part of an architecture: a process, and after a kill its next one.
type Component struct {
	Name string   // "kappa process"
	Args []string // of its next process
	Env  []string // beside the environment of the supervisor

	mu      sync.Mutex
	current *Process
	starts  int
	said    []*Facts // of all its processes, in order
	spent   Usage    // of the processes that have ended
	seen    Usage    // of the current one, when it was last looked at
}

// New returns a supervisor of processes of binary whose logs go to a folder, and a context that ends, with the
// reason as its cause, as soon as a component dies unasked.
func New(ctx context.Context, binary, logs string) (*Supervisor, context.Context) {
	ctx, fail := context.WithCancelCause(ctx)
	s := &Supervisor{binary: binary, logs: logs, fail: fail, Died: func(_ *Component, why error) { fail(why) }}
	go s.sample(ctx)
	return s, ctx
}

// Start starts a component and waits until it is ready.
func (s *Supervisor) Start(ctx context.Context, name string, env []string, args ...string) (*Component, error) {
	c, err := s.Launch(name, env, args...)
	if err != nil {
		return nil, err
	}
	return c, c.Ready(ctx)
}

// Launch starts a component without waiting for it.
func (s *Supervisor) Launch(name string, env []string, args ...string) (*Component, error) {
	c := &Component{Name: name, Args: args, Env: env}
	s.mu.Lock()
	s.components = append(s.components, c)
	s.mu.Unlock()
	return c, s.Spawn(c)
}

// Spawn starts a component that has no process, without waiting for it.
func (s *Supervisor) Spawn(c *Component) error {
	log := filepath.Join(s.logs, strings.ReplaceAll(c.Name, " ", "-")+".log")
	p, err := startProcess(s.binary, c.Name, log, c.Env, c.Args)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.current, c.starts, c.said = p, c.starts+1, append(c.said, p.Facts)
	c.mu.Unlock()
	go s.watch(c, p)
	return nil
}

// watch fails the run when a process ends unasked.
func (s *Supervisor) watch(c *Component, p *Process) {
	<-p.Exited
	if !p.asked.Load() {
		s.Died(c, p.Death())
	}
}

// ExpectEnd says that the component ends by itself: from then on that is no reason to fail.
func (c *Component) ExpectEnd() { c.Process().ExpectEnd(true) }

// Process is the current one; nil before the first, and between a kill and the next start.
func (c *Component) Process() *Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current
}

// Ready waits until the current process says that it is.
func (c *Component) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, ReadyLimit,
		fmt.Errorf("was not ready within %s", ReadyLimit))
	defer cancel()
	return c.Process().Ready(ctx)
}

// Said is what each of its processes said, in order.
func (c *Component) Said() []*Facts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.said)
}

// SaidAbout returns the facts of one kind of all its processes, in order.
func (c *Component) SaidAbout(kind string) (all []Fact) {
	for _, said := range c.Said() {
		found, _, _ := said.Since(kind, 0)
		all = append(all, found...)
	}
	return all
}

// Listens is where it said last, host:port, that it listens; "" before it has, and while it has no process.
func (c *Component) Listens() string {
	p := c.Process()
	if p == nil {
		return ""
	}
	said, _, _ := p.Facts.Since("listening", 0)
	var where struct{ Addr string }
	if len(said) == 0 || said[len(said)-1].Into(&where) != nil {
		return ""
	}
	return strings.TrimPrefix(where.Addr, "http://")
}

// Starts is how many processes it has had.
func (c *Component) Starts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.starts
}

// KilledFact is what the driver notes among the facts of a process that it kills: it says nothing more.
const KilledFact = "killed"

// Kill crashes the component.
func (s *Supervisor) Kill(c *Component) {
	c.look()
	c.Process().Facts.Add(Fact{Event: KilledFact, At: time.Now()})
	c.Process().Kill()
	c.settle()
}

// Restart starts a killed or stopped component again, with the arguments it had.
func (s *Supervisor) Restart(ctx context.Context, c *Component) error {
	if err := s.Spawn(c); err != nil {
		return err
	}
	return c.Ready(ctx)
}

// Settled waits for a component that ends by itself and closes its account.
func (c *Component) Settled(ctx context.Context) error {
	err := c.Process().Wait(ctx)
	c.settle()
	return err
}

// Stop asks components to end, last started first, and waits for them. Those that have ended
// already are left alone.
func (s *Supervisor) Stop(ctx context.Context, components ...*Component) error {
	var errs []error
	for i := len(components) - 1; i >= 0; i-- {
		c := components[i]
		p := c.Process()
		if p == nil {
			continue
		}
		c.look()
		select {
		case <-p.Exited:
		default:
			errs = append(errs, p.Stop(ctx))
		}
		c.settle()
	}
	return errors.Join(errs...)
}

// Close ends everything that is left: gently when the run went well, at once when it did not.
func (s *Supervisor) Close(ctx context.Context) error {
	s.mu.Lock()
	left := append([]*Component(nil), s.components...)
	s.mu.Unlock()
	err := s.Stop(ctx, left...)
	s.fail(nil)
	return err
}
