package live

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"lambdakappa/bench/supervise"
	"lambdakappa/datagen"
	carevent "lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// partitions of the log: one per core of the laptop that the page is made for, as in the benchmark.
const partitions = 2

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
	{generatorPart, ""}, {brokerPart, ""},
	{ingestPart, Lambda}, {batchPart, Lambda}, {speedPart, Lambda}, {lambdaServe, Lambda},
	{processPart, Kappa}, {replayPart, Kappa}, {kappaServe, Kappa},
}

func sideOf(part string) string {
	for _, p := range parts {
		if p.Name == part {
			return p.Side
		}
	}
	return ""
}

// leadTime is between the start of the generator and its first event.
const leadTime = 2 * time.Second

// forever is longer than anybody shows the page.
const forever = 99 * 24 * time.Hour

// A stage is everything that runs: the broker, the generator, and both sides on one log. Its methods may be called at
// the same time.
type stage struct {
	cfg        Config
	supervisor *supervise.Supervisor
	log        *eventlog.Log
	brokers    string
	registry   string
	fleet      datagen.Spec // of the cars that send all the time
	note       func(Note)

	mu       sync.Mutex
	parts    map[string]*supervise.Component // the present process of each; a replay only while there is one
	starting map[string]bool
	interval time.Duration
	versions map[string]string // by side, that its parts are started with
	pinned   string            // the version that the speed layer was left behind with, "" for none
}

// newStage starts everything and waits until it runs.
func newStage(ctx context.Context, cfg Config, note func(Note)) (*stage, error) {
	s := &stage{
		cfg: cfg, note: note, interval: cfg.Interval,
		parts: map[string]*supervise.Component{}, starting: map[string]bool{},
		versions: map[string]string{Lambda: "v1", Kappa: "v1"},
	}
	s.supervisor, _ = supervise.New(ctx, cfg.Binary, filepath.Join(cfg.Dir, "logs"))
	s.supervisor.Died = s.died
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stage) begin(ctx context.Context) error {
	if err := s.startLog(ctx); err != nil {
		return err
	}
	s.cfg.Say("starting both sides")
	for _, p := range parts {
		if p.Side == "" || p.Name == replayPart {
			continue
		}
		if err := s.launch(p.Name); err != nil {
			return err
		}
	}
	for _, p := range parts {
		if c := s.component(p.Name); c != nil {
			if err := c.Ready(ctx); err != nil {
				return err
			}
		}
	}
	return s.startFleet()
}

// startLog starts the broker and creates the input topic, which forgets what is older than Keep.
func (s *stage) startLog(ctx context.Context) error {
	s.cfg.Say("starting the embedded broker")
	broker, err := s.supervisor.Start(ctx, brokerPart, outsideEnv, "broker", "--dir", s.brokerDir()) //HACK2
	if err != nil {
		return err
	}
	var where struct{ Addr, Registry string }
	ready, _ := broker.Process().Facts.Await(ctx, "ready", broker.Process().Exited)
	if err := ready.Into(&where); err != nil {
		return err
	}
	s.brokers, s.registry = where.Addr, where.Registry
	if err := fixPorts(broker, where.Addr, where.Registry); err != nil {
		return err
	}
	s.put(brokerPart, broker)
	if s.log, err = eventlog.Open(ctx, eventlog.Config{Brokers: []string{s.brokers}, Registry: s.registry}); err != nil {
		return err
	}
	if err := s.log.CreateTopics(ctx, eventlog.TopicSpec{
		Name: eventlog.CarsTopic, Partitions: partitions, Settings: retained(s.cfg.Keep),
	}); err != nil {
		return err
	}
	_, err = s.log.RegisterSchema(ctx, carevent.Subject, carevent.Schema)
	return err
}

// retained are the settings of a topic that forgets what is older than keep, a segment at a time.
func retained(keep time.Duration) map[string]string {
	return map[string]string{
		"retention.ms": strconv.FormatInt(keep.Milliseconds(), 10),
		"segment.ms":   strconv.FormatInt((keep / 10).Milliseconds(), 10),
	}
}

// housekeeping is how often the broker compacts and forgets. Nothing is appended meanwhile, which takes milliseconds with what
// the page keeps, and shows in the latencies of both sides alike.
const housekeeping = 30 * time.Second

// outsideEnv is the environment of who belongs to neither side: their garbage is collected a quarter as often.
var outsideEnv = []string{"GOGC=400"}

// fixPorts makes the broker come back where it was.
func fixPorts(broker *supervise.Component, addr, registry string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("broker address: %w", err)
	}
	at, err := url.Parse(registry)
	if err != nil {
		return fmt.Errorf("registry address: %w", err)
	}
	broker.Args = append(broker.Args, "--port", port, "--registry-port", at.Port())
	return nil
}

// startFleet starts the generator of the cars that send all the time: in order, each reading once, so that whatever is
// wrong with an answer has a cause that somebody has pressed.
func (s *stage) startFleet() error {
	s.fleet = datagen.Spec{
		Seed: s.cfg.Seed, Cars: s.cfg.Cars, Rate: s.cfg.Rate, Duration: forever,
		Start: time.Now().Add(leadTime).Truncate(time.Millisecond),
	}
	c, err := s.supervisor.Launch(generatorPart, outsideEnv, s.generatorArgs(s.fleet)...)
	if err != nil {
		return err
	}
	s.put(generatorPart, c)
	return nil
}

// generatorArgs are the arguments of a process that sends a fleet's readings when they are due.
func (s *stage) generatorArgs(f datagen.Spec, more ...string) []string {
	args := append([]string{"datagen"}, s.logArgs()...)
	args = append(args,
		"--seed", strconv.FormatUint(f.Seed, 10),
		"--first-car", strconv.Itoa(f.FirstCar), "--cars", strconv.Itoa(f.Cars),
		"--rate", strconv.FormatFloat(f.Rate, 'g', -1, 64), "--duration", f.Duration.String(),
		"--start", f.Start.UTC().Format(time.RFC3339Nano))
	if d := f.Disturbances.String(); d != "" {
		args = append(args, "--disturb", d)
	}
	return append(args, more...)
}

func (s *stage) logArgs() []string {
	return []string{"--brokers", s.brokers, "--schema-registry", s.registry}
}

func (s *stage) brokerDir() string { return filepath.Join(s.cfg.Dir, "broker") }
func (s *stage) lambdaDir() string { return filepath.Join(s.cfg.Dir, "lambda") }

// launch starts a part as things stand, without waiting for it.
func (s *stage) launch(name string) error {
	c, err := s.supervisor.Launch(name, sideEnv, s.argsOf(name)...)
	if err != nil {
		return err
	}
	s.put(name, c)
	return nil
}

// sideEnv is the environment of the parts of both sides.
var sideEnv = []string{"GOGC=100"}

// argsOf are a part's arguments as things stand: the sides differ in nothing that both have.
func (s *stage) argsOf(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	side := sideOf(name)
	args := append(strings.Fields(name), s.logArgs()...)
	args = append(args, "--version", s.versions[side], "--views", views) //HACK
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

// stopLimit is how long everything may take to end.
const stopLimit = 20 * time.Second

// close ends everything, who answers first.
func (s *stage) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	var errs []error
	order := slices.Clone(parts)
	slices.Reverse(order)
	for _, p := range order {
		if p.Name == generatorPart || p.Name == brokerPart {
			continue
		}
		if c := s.component(p.Name); c != nil && alive(c) {
			errs = append(errs, s.supervisor.Stop(ctx, c))
		}
	}
	if s.log != nil {
		errs = append(errs, s.log.Close())
	}
	return errors.Join(append(errs, s.supervisor.Close(ctx))...)
}
