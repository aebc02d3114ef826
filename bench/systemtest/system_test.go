package systemtest

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"lambdakappa/bench/oracle"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// A system is one architecture as the suite sees it: how to run its parts, and which of the two
// truths it owes. It holds no state of a running component.
type system interface {
	name() string
	// parts lists the components that answers depend on, in the order in which they start.
	parts() []string
	// createTopics prepares the log for an input of the given number of partitions.
	createTopics(ctx context.Context, log *eventlog.Log, partitions int) error
	// run returns the component as a process of the version of now.
	run(part string) (component, error)
	// batch brings the batch view closer to the end of the log. Without a batch layer it does
	// nothing.
	batch(ctx context.Context, log *eventlog.Log) error
	// deploy returns the processes that bring a version live, by the name of the component that
	// they replace. From now on run means the new version.
	deploy(version string, views view.Set) map[string]component
	// sideTopics names the topics of dead letters and of late events.
	sideTopics() (deadLetters, late string)
	// owes returns the truth for answers with the given boundaries.
	owes(o *oracle.Oracle, boundary []int64) oracle.Answer
}

// answering is what NewServing returns on either side.
type answering interface {
	httpapi.Answers
	Run(ctx context.Context) error
}

// servingPart is the one component that both sides have.
const servingPart = "serving"

// serve is the process of the serving component: answers behind the real HTTP API.
func serve(start func(context.Context, *eventlog.Log) (answering, error)) component {
	return func(ctx context.Context, p *process) error {
		answers, err := start(ctx, p.log)
		if err != nil {
			return err
		}
		listener, err := httpapi.Listen(ctx, "127.0.0.1:0")
		if err != nil {
			return err
		}
		addr := listener.Addr().String()
		p.addr.Store(&addr)
		g, ctx := errgroup.WithContext(ctx)
		g.Go(func() error { return answers.Run(ctx) })
		g.Go(func() error { return httpapi.Serve(ctx, listener, answers) })
		return g.Wait()
	}
}

// A side is a system that runs.
type side struct {
	system
	log     eventlog.Config
	running map[string]*process
	retired []*process    // were replaced by a deployment and have to end by themselves
	falsify func(*answer) // what "break" asked for; nil otherwise
}

func newSide(s system, log eventlog.Config) *side {
	return &side{system: s, log: log, running: map[string]*process{}}
}

func (s *side) start(part string) error {
	if s.running[part] != nil {
		return fmt.Errorf("%s %s runs already", s.name(), part)
	}
	run, err := s.run(part)
	if err != nil {
		return err
	}
	p, err := startProcess(s.log, run)
	if err != nil {
		return fmt.Errorf("start %s %s: %w", s.name(), part, err)
	}
	s.running[part] = p
	return nil
}

func (s *side) kill(part string) error {
	p := s.running[part]
	if p == nil {
		return fmt.Errorf("%s %s does not run", s.name(), part)
	}
	delete(s.running, part)
	if err := p.kill(); err != nil {
		return fmt.Errorf("kill %s %s: %w", s.name(), part, err)
	}
	return nil
}

// stop ends everything that runs.
func (s *side) stop() error {
	for part := range s.running {
		if err := s.kill(part); err != nil {
			return err
		}
	}
	for _, p := range s.retired {
		if err := p.kill(); err != nil {
			return fmt.Errorf("stop retired %s: %w", s.name(), err)
		}
	}
	return nil
}

// client asks the serving process; nil while there is none.
func (s *side) client() *httpapi.Client {
	p := s.running[servingPart]
	if p == nil || p.addr.Load() == nil {
		return nil
	}
	return httpapi.NewClient(*p.addr.Load())
}

// healthy returns an error when a component has ended that nobody has killed.
func (s *side) healthy() error {
	for part, p := range s.running {
		if err := p.ended(); err != nil {
			return fmt.Errorf("%s %s: %w", s.name(), part, err)
		}
	}
	for _, p := range s.retired {
		if err := p.ended(); err != nil && err != errEndedByItself {
			return fmt.Errorf("retired %s: %w", s.name(), err)
		}
	}
	return nil
}

// replace starts the processes of a deployment in the place of those of the old version.
func (s *side) replace(version string, views view.Set) error {
	for part, run := range s.deploy(version, views) {
		p, err := startProcess(s.log, run)
		if err != nil {
			return fmt.Errorf("deploy %s %s: %w", s.name(), part, err)
		}
		if old := s.running[part]; old != nil {
			s.retired = append(s.retired, old)
		}
		s.running[part] = p
	}
	return nil
}
