package systemtest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"lambdakappa/internal/eventlog"
)

// endTimeout is how long a component may take to end once its context has: it has at most one
// request to the broker to give up. Longer is a component that hangs.
const endTimeout = 20 * time.Second

// A component is what a process does until its context ends.
type component func(ctx context.Context, p *process) error

// A process stands for one operating-system process: a component with a connection of its own.
type process struct {
	log    *eventlog.Log
	addr   atomic.Pointer[string] // where it serves; nil before it does
	cancel context.CancelFunc
	done   chan struct{}
	err    error // valid when done is closed
}

// startProcess runs a component until it ends or kill is called.
func startProcess(cfg eventlog.Config, run component) (*process, error) {
	ctx, cancel := context.WithCancel(context.Background())
	log, err := eventlog.Open(ctx, cfg)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("open log: %w", err)
	}
	p := &process{log: log, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.err = run(ctx, p)
		if p.err == nil && ctx.Err() == nil {
			p.err = errEndedByItself
		}
	}()
	return p, nil
}

// errEndedByItself is how a component ends that nobody has stopped and that did not fail. It is
// right only for a processor whose version was replaced.
var errEndedByItself = errors.New("ended by itself")

// ended returns why the process has ended, nil while it runs.
func (p *process) ended() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// kill ends the process where it stands: with its context every request to the broker fails, so
// there is no last flush and no last commit. What it was writing may be there or not, as with a
// real kill; what only a real one can do to files is tested with real processes.
func (p *process) kill() error {
	p.cancel()
	select {
	case <-p.done:
	case <-time.After(endTimeout):
		return fmt.Errorf("still runs %s after its context ended", endTimeout)
	}
	return p.log.Close()
}
