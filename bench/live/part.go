package live

import (
	"context"
	"fmt"
	"strings"
	"time"

	"lambdakappa/bench/supervise"
)

// views are those that are kept; trips are left out, for their truth cannot forget.
const views = "windows,alerts"

// The names of parts. Those of the sides are their sub-commands.
const (
	brokerPart    = "broker"
	generatorPart = "generator"
	ingestPart    = "lambda ingest"
	batchPart     = "lambda batch"
	speedPart     = "lambda speed"
	lambdaServe   = "lambda serve"
	processPart   = "kappa process"
	replayPart    = "kappa replay"
	kappaServe    = "kappa serve"
)

// parts are all of them, in the order of the data flow.
var parts = []Part{
	{generatorPart, ""},
	{brokerPart, ""},
	{ingestPart, Lambda},
	{batchPart, Lambda},
	{speedPart, Lambda},
	{lambdaServe, Lambda},
	{processPart, Kappa},
	{replayPart, Kappa},
	{kappaServe, Kappa},
}

func sideOf(part string) string {
	for _, p := range parts {
		if p.Name == part {
			return p.Side
		}
	}
	return ""
}

// launch starts a part as things stand, without waiting for it.
func (s *stage) launch(name string) error {
	c, err := s.supervisor.Launch(name, partEnv, s.argsOf(name)...)
	if err != nil {
		return err
	}
	s.put(name, c)
	return nil
}

// partEnv is the environment of every process, the broker's too: that it takes half the memory is worth more on a laptop
// than the tenth of its CPU that it saves in the benchmark by collecting garbage a quarter as often.
var partEnv = []string{"GOGC=100"}

// argsOf are a part's arguments as things stand: the sides differ in nothing that both have.
func (s *stage) argsOf(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	side := sideOf(name)
	args := append(strings.Fields(name), s.logArgs()...)
	args = append(args, "--version", s.versions[side], "--views", views, "--view-retention", s.cfg.Keep.String())
	if side == Lambda {
		args = append(args, "--dir", s.lambdaDir())
	}
	switch name {
	case ingestPart:
		args = append(args, "--background")
	case batchPart:
		args = append(args, "--background", "--interval", s.interval.String())
	case speedPart:
		if s.pinned != "" {
			args = append(args, "--pin-version", s.pinned)
		}
	case replayPart:
		args = append(args, "--background")
	case lambdaServe, kappaServe:
		args = append(args, "--listen", "127.0.0.1:0")
	}
	return args
}

func (s *stage) put(name string, c *supervise.Component) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts[name] = c
}

// component is the present one of a part; nil when there is none.
func (s *stage) component(name string) *supervise.Component {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parts[name]
}

// drop lets go of a part that has ended and does not come back.
func (s *stage) drop(name string) {
	s.mu.Lock()
	c := s.parts[name]
	delete(s.parts, name)
	s.mu.Unlock()
	if c != nil {
		s.supervisor.Forget(c)
	}
}

// running reports whether a part has a process that is alive.
func (s *stage) running(name string) bool {
	c := s.component(name)
	return c != nil && alive(c)
}

func alive(c *supervise.Component) bool {
	p := c.Process()
	if p == nil {
		return false
	}
	select {
	case <-p.Exited:
		return false
	default:
		return true
	}
}

// state of a part, as the page names it.
func (s *stage) state(name string) string {
	s.mu.Lock()
	c, starting := s.parts[name], s.starting[name]
	s.mu.Unlock()
	switch {
	case c == nil || !alive(c):
		return Down
	case starting:
		return Starting
	case name == replayPart:
		return Busy
	default:
		return Up
	}
}

// died is told when a part ended unasked. The page goes on without it, and says so.
func (s *stage) died(c *supervise.Component, why error) {
	text := why.Error()
	if strings.Contains(text, "lost:") {
		text += "\nThe log has forgotten what this part had not read: it cannot go on. Start the page again."
	}
	now := time.Now().UnixMilli()
	s.note(Note{At: now, Kind: Failure, Side: sideOf(c.Name), Text: text, From: now})
}

// kill crashes a part. It stays away until it is started again.
func (s *stage) kill(name string) error {
	c := s.component(name)
	if c == nil || !alive(c) {
		return fmt.Errorf("%s does not run", name)
	}
	s.supervisor.Kill(c)
	return nil
}

// expectEnd says of a part's process, if it has one, whether it may end by itself: it will be replaced.
func (s *stage) expectEnd(name string, may bool) {
	if c := s.component(name); c != nil {
		if p := c.Process(); p != nil {
			p.ExpectEnd(may)
		}
	}
}

// whileRuns is a context that ends when a part's process does.
func (s *stage) whileRuns(ctx context.Context, name string) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	exited := s.component(name).Process().Exited
	go func() {
		select {
		case <-exited:
			cancel(fmt.Errorf("%s has ended", name))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// again starts a part as things stand now, and waits until it is ready; one that runs is stopped in order before.
func (s *stage) again(ctx context.Context, name string) error {
	c := s.component(name)
	if c == nil {
		return s.launch(name)
	}
	if err := s.supervisor.Stop(ctx, c); err != nil { // what has ended by itself is put to the account
		return err
	}
	if name != brokerPart && name != generatorPart {
		c.Args = s.argsOf(name)
	}
	s.mu.Lock()
	s.starting[name] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.starting, name)
	}()
	return s.supervisor.Restart(ctx, c)
}

// version is the one that a side's parts are started with.
func (s *stage) version(side string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.versions[side]
}

func (s *stage) setVersion(side, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions[side] = version
}

// pin has the speed layer left behind with a version, or follow again with "", from its next start on; it reports
// whether that is a change.
func (s *stage) pin(version string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if version != "" && s.pinned != "" {
		return false // it stays where it was left
	}
	changed := s.pinned != version
	s.pinned = version
	return changed
}

// leftBehind is the version that the speed layer was left behind with, "" for none.
func (s *stage) leftBehind() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pinned
}

func (s *stage) setInterval(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interval = d
}

// batchInterval is the time between the starts of two batch runs.
func (s *stage) batchInterval() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.interval
}

// listens is where a serving part says that it listens; "" while it does not.
func (s *stage) listens(name string) string {
	c := s.component(name)
	if c == nil || !alive(c) {
		return ""
	}
	return c.Listens()
}
