package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// readyLimit is how long a component may take from its start to its ready line. A restore of all
// open windows takes below a second; the rest is patience with a machine that is busy.
const readyLimit = 60 * time.Second

// A supervisor starts, watches, kills, restarts and stops the components of one run. It is safe
// for concurrent use.
type supervisor struct {
	binary string
	logs   string // folder
	fail   context.CancelCauseFunc

	mu         sync.Mutex
	components []*component // in the order of their first start
}

// A component is one part of an architecture: a process, and after a kill its next one.
type component struct {
	name string // "kappa process"
	args []string
	env  []string

	mu      sync.Mutex
	current *process
	starts  int
	said    []*facts // of all its processes, in order
	spent   usage    // of the processes that have ended
	seen    usage    // of the current one, when it was last looked at
}

// newSupervisor returns a supervisor and a context that ends, with the reason as its cause, as
// soon as a component dies unasked.
func newSupervisor(ctx context.Context, binary, logs string) (*supervisor, context.Context) {
	ctx, fail := context.WithCancelCause(ctx)
	s := &supervisor{binary: binary, logs: logs, fail: fail}
	go s.sample(ctx)
	return s, ctx
}

// start starts a component and waits until it is ready.
func (s *supervisor) start(ctx context.Context, name string, env []string, args ...string) (*component, error) {
	c, err := s.launch(name, env, args...)
	if err != nil {
		return nil, err
	}
	return c, c.ready(ctx)
}

// launch starts a component without waiting for it.
func (s *supervisor) launch(name string, env []string, args ...string) (*component, error) {
	c := &component{name: name, args: args, env: env}
	s.mu.Lock()
	s.components = append(s.components, c)
	s.mu.Unlock()
	return c, s.spawn(c)
}

func (s *supervisor) spawn(c *component) error {
	log := filepath.Join(s.logs, strings.ReplaceAll(c.name, " ", "-")+".log")
	p, err := startProcess(s.binary, c.name, log, c.env, c.args)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.current, c.starts, c.said = p, c.starts+1, append(c.said, p.facts)
	c.mu.Unlock()
	go s.watch(p)
	return nil
}

// watch fails the run when a process ends unasked.
func (s *supervisor) watch(p *process) {
	<-p.exited
	if !p.asked.Load() {
		s.fail(p.death())
	}
}

// expectEnd says that the component ends by itself: from then on that is no reason to fail.
func (c *component) expectEnd() { c.process().asked.Store(true) }

func (c *component) process() *process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current
}

func (c *component) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyLimit,
		fmt.Errorf("was not ready within %s", readyLimit))
	defer cancel()
	return c.process().ready(ctx)
}

// killedFact is what the driver notes among the facts of a process that it kills: it says nothing more.
const killedFact = "killed"

// kill crashes the component.
func (s *supervisor) kill(c *component) {
	c.look()
	c.process().facts.add(fact{Event: killedFact, At: time.Now()})
	c.process().kill()
	c.settle()
}

// restart starts a killed or stopped component again, with the arguments it had.
func (s *supervisor) restart(ctx context.Context, c *component) error {
	if err := s.spawn(c); err != nil {
		return err
	}
	return c.ready(ctx)
}

// settled waits for a component that ends by itself and closes its account.
func (c *component) settled(ctx context.Context) error {
	err := c.process().wait(ctx)
	c.settle()
	return err
}

// stop asks components to end, last started first, and waits for them. Those that have ended
// already are left alone.
func (s *supervisor) stop(ctx context.Context, components ...*component) error {
	var errs []error
	for i := len(components) - 1; i >= 0; i-- {
		c := components[i]
		p := c.process()
		if p == nil {
			continue
		}
		c.look()
		select {
		case <-p.exited:
		default:
			errs = append(errs, p.stop(ctx))
		}
		c.settle()
	}
	return errors.Join(errs...)
}

// close ends everything that is left: gently when the run went well, at once when it did not.
func (s *supervisor) close(ctx context.Context) error {
	s.mu.Lock()
	left := append([]*component(nil), s.components...)
	s.mu.Unlock()
	err := s.stop(ctx, left...)
	s.fail(nil)
	return err
}
