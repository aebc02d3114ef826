package bench

import (
	"context"
	"fmt"
	"strconv"

	"lambdakappa/bench/supervise"
	"lambdakappa/internal/eventlog"
)

// generate publishes the workload by a process of its own and returns its report and the end of
// the log, taken after the last acknowledgement.
func (s *system) generate(ctx context.Context, w workload) (Published, []int64, error) {
	g, err := s.launchGenerator(w)
	if err != nil {
		return Published{}, nil, err
	}
	return s.awaitGenerator(ctx, g)
}

// outsideEnv is the environment of the generator and of the broker, which belong to neither side:
// they share the cores with what is measured, so they collect their garbage a quarter as often.
var outsideEnv = []string{"GOGC=" + strconv.Itoa(outsideGOGC)}

const outsideGOGC = 400

func (s *system) launchGenerator(w workload) (*supervise.Component, error) {
	g, err := s.supervisor.Launch(generatorName, outsideEnv, append(w.args(), s.logArgs()...)...)
	if err == nil {
		g.ExpectEnd()
	}
	return g, err
}

func (s *system) awaitGenerator(ctx context.Context, g *supervise.Component) (Published, []int64, error) {
	var done Published
	p := g.Process()
	if err := g.Settled(ctx); err != nil {
		return done, nil, err
	}
	found, ok := p.Facts.Await(ctx, "published", p.Exited)
	if !ok {
		return done, nil, fmt.Errorf("generator: ended without its report")
	}
	if err := found.Into(&done); err != nil {
		return done, nil, err
	}
	end, err := s.log.EndOffsets(ctx, eventlog.CarsTopic)
	return done, end, err
}
