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
	"sync"
	"time"

	"lambdakappa/bench/supervise"
	"lambdakappa/datagen"
	carevent "lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// partitions of the log: one per core of the laptop that the page is made for, as in the benchmark.
const partitions = 2

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
	broker, err := s.supervisor.Start(ctx, brokerPart, partEnv, "broker", "--dir", s.brokerDir(),
		"--housekeeping", housekeeping.String())
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
		Name: eventlog.CarsTopic, Partitions: partitions, Settings: eventlog.Forgetting(s.cfg.Keep + logMargin),
	}); err != nil {
		return err
	}
	_, err = s.log.RegisterSchema(ctx, carevent.Subject, carevent.Schema)
	return err
}

// logMargin is for how much longer than the views the log is kept: a replay of it begins with windows that are not whole, and
// with readings whose watermark it has not seen.
const logMargin = time.Minute

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
	c, err := s.supervisor.Launch(generatorPart, partEnv, s.generatorArgs(s.fleet)...)
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
