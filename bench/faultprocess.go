package bench

import (
	"context"
	"fmt"
	"time"

	"lambdakappa/bench/fault"
	"lambdakappa/bench/supervise"
)

// standStill stops a component where it is and lets it go on when the fault is over. It goes on as
// well when the run has failed or was interrupted: a process that stands still cannot end.
func (x *execution) standStill(ctx context.Context, step fault.Step) error {
	c, _, err := x.sut.component(step.Target)
	if err != nil {
		return err
	}
	p := c.Process()
	if err := p.Suspend(); err != nil {
		return err
	}
	ended := rest(ctx, step.For)
	if err := p.Resume(); err != nil {
		return err
	}
	return ended
}

// breakOff ends a component, by force or by asking, and starts it again after the fault.
func (x *execution) breakOff(ctx context.Context, step fault.Step) error {
	c, a, err := x.sut.component(step.Target)
	if err != nil {
		return err
	}
	if c == nil {
		return x.sut.killBatch(ctx, a, step)
	}
	if step.Do == fault.Restart {
		err = x.sut.supervisor.Stop(ctx, c)
	} else {
		x.sut.supervisor.Kill(c)
	}
	if err != nil {
		return err
	}
	if err := rest(ctx, step.For); err != nil {
		return err
	}
	return a.startAgain(ctx, c)
}

// startAgain starts a component that has ended. It waits for the broker: without, nothing starts.
func (a *arm) startAgain(ctx context.Context, c *supervise.Component) error {
	a.sut.brokerUp.RLock()
	defer a.sut.brokerUp.RUnlock()
	if err := a.sut.supervisor.Restart(ctx, c); err != nil {
		return err
	}
	if c == a.serving() {
		return a.findAPI(ctx)
	}
	return nil
}

// component returns a component by its name, with its arm; nil for a batch layer that has no process
// but while it runs once.
func (s *system) component(name string) (*supervise.Component, *arm, error) {
	a, err := s.armOf(name)
	if err != nil {
		return nil, nil, err
	}
	c := a.parts[name]
	if c == nil && name != batchPart.name {
		return nil, nil, fmt.Errorf("%s does not run", name)
	}
	return c, a, nil
}

// killBatch starts a batch run and kills it within its first moments: before, while or after it
// reads. The moment of the step says which, so that the same plan kills it at the same point.
func (s *system) killBatch(ctx context.Context, lambda *arm, step fault.Step) error {
	lambda.batching.Lock()
	defer lambda.batching.Unlock()
	s.brokerUp.RLock()
	defer s.brokerUp.RUnlock()
	c, err := lambda.launchBatch("--once")
	if err != nil {
		return err
	}
	c.ExpectEnd()
	patience := 20*time.Millisecond + step.At%(200*time.Millisecond)
	err = rest(ctx, patience)
	s.supervisor.Kill(c)
	return err
}

// rest waits, unless the run ends before.
func rest(ctx context.Context, d time.Duration) error { return waitUntil(ctx, time.Now().Add(d)) }

// waitUntil waits for a planned moment.
func waitUntil(ctx context.Context, at time.Time) error {
	select {
	case <-time.After(time.Until(at)):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
