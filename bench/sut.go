package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"lambdakappa/bench/result"
	"lambdakappa/bench/supervise"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// firstVersion is the version of the logic that runs serve unless they deploy another one.
const firstVersion = "v1"

// generatorName is the one component that belongs to neither side.
const generatorName = "generator"

// brokerName is the embedded broker; its work for an arm counts as the arm's.
const brokerName = "broker"

// registryName is the embedded schema registry beside a cluster that has none. It is asked once per
// process and schema, so its work is nobody's.
const registryName = "registry"

// A system is the system under test of one run: the log and the components of one or both
// architectures, as processes and an HTTP API.
type system struct {
	*driver
	dir        string
	supervisor *supervise.Supervisor
	brokers    string
	registry   string
	prefix     string
	log        *eventlog.Log
	broker     *supervise.Component // nil with a cluster of the user's
	partitions int                  // of the input topic
	settings   map[string]string    // of the input topic, which a scenario wants otherwise
	alone      string               // the run's arm, when it is for one
	brokerUp   sync.RWMutex         // held for writing while the broker is away, for reading by who needs it
	network    map[string][]*proxy  // by component, one to each broker; nil when nothing disturbs the network
	version    string               // of the logic that its components are started with
	views      view.Set             // that they keep
	arms       map[string]*arm
	extra      map[string][]string // arguments of a component that a scenario wants otherwise

	// Of a cluster; both owned by the lane of the broker's faults, and by close after that.
	hurtNodes  int
	addedNodes int

	joining sync.Mutex
	joined  map[string][]*supervise.Component // beside the first process of a component, the oldest first
}

// newSystem returns a system without anything running, and the context of the run, which ends
// when a component dies unasked.
func newSystem(ctx context.Context, d *driver, dir string) (*system, context.Context, error) {
	s := &system{
		driver: d, dir: dir, version: firstVersion, views: d.scenario.views, partitions: partitions, arms: map[string]*arm{},
	}
	s.supervisor, ctx = supervise.New(ctx, d.opt.Binary, s.logs())
	return s, ctx, nil
}

// startLog starts the embedded broker, or takes the user's, and creates the input topic.
func (s *system) startLog(ctx context.Context) error {
	if err := s.findBroker(ctx); err != nil {
		return err
	}
	log, err := eventlog.Open(ctx, eventlog.Config{
		Brokers: strings.Split(s.brokers, ","), Registry: s.registry, Prefix: s.prefix,
		Security: s.opt.Security,
	})
	if err != nil {
		return err
	}
	s.log = log
	if err := log.CreateTopics(ctx, eventlog.TopicSpec{
		Name: eventlog.CarsTopic, Partitions: s.partitions, Settings: s.settings,
	}); err != nil {
		return err
	}
	_, err = log.RegisterSchema(ctx, event.Subject, event.Schema)
	return err
}

func (s *system) findBroker(ctx context.Context) error {
	if len(s.opt.Brokers) > 0 {
		s.brokers, s.registry = strings.Join(s.opt.Brokers, ","), s.opt.Registry
		// Runs share the cluster, so every one has names of its own: also one that is done again since an invocation died in it.
		s.prefix = s.began.UTC().Format(stampFormat) + "-" + filepath.Base(s.dir) + "-"
		return s.findRegistry(ctx)
	}
	var err error
	s.broker, err = s.supervisor.Start(ctx, brokerName, append(s.slowed(), outsideEnv...), "broker", "--dir", s.brokerDir())
	if err != nil {
		return err
	}
	var where struct{ Addr, Registry string }
	ready, _ := s.broker.Process().Facts.Await(ctx, "ready", s.broker.Process().Exited)
	if err := ready.Into(&where); err != nil {
		return err
	}
	s.brokers, s.registry = where.Addr, where.Registry
	return s.fixPorts()
}

// findRegistry starts the embedded schema registry where the user has named none.
func (s *system) findRegistry(ctx context.Context) error {
	if s.registry != "" {
		return nil
	}
	c, err := s.supervisor.Start(ctx, registryName, outsideEnv, "registry", "--dir", filepath.Join(s.dir, "registry"))
	if err != nil {
		return err
	}
	var where struct{ Registry string }
	ready, _ := c.Process().Facts.Await(ctx, "ready", c.Process().Exited)
	if err := ready.Into(&where); err != nil {
		return err
	}
	s.registry = where.Registry
	return nil
}

func (s *system) logs() string      { return filepath.Join(s.dir, "logs") }
func (s *system) brokerDir() string { return filepath.Join(s.dir, "broker") }

// logic is what the components compute now.
func (s *system) logic() logic { return logic{s.version, s.views} }

// logArgs say where the log is.
func (s *system) logArgs() []string {
	args := append([]string{"--brokers", s.brokers, "--schema-registry", s.registry}, s.opt.SecurityArgs...)
	if s.prefix != "" {
		args = append(args, "--prefix", s.prefix)
	}
	return args
}

// partArgs are the arguments of a component, equal for both architectures.
func (s *system) partArgs(a *arm, p part, more ...string) []string {
	r := s.scenario.rules
	args := append(append(strings.Fields(p.name), s.logArgs()...), s.dialArgs(p.name)...)
	args = append(args,
		"--version", s.version, "--linger", linger.String(),
		"--window", duration(r.Window), "--disorder-bound", duration(r.DisorderBound),
		"--allowed-lateness", duration(r.AllowedLateness), "--max-future-skew", duration(r.MaxFutureSkew),
	)
	args = append(args, "--views", s.views.String(),
		"--trip-gap", duration(r.TripGap), "--reading-interval", duration(r.ReadingInterval))
	if a.like == armLambda { // Kappa keeps nothing outside the log
		args = append(args, "--dir", filepath.Join(s.dir, a.like))
	}
	if p.serving {
		args = append(args, "--listen", "127.0.0.1:0")
	}
	args = append(append(args, s.extra[p.name]...), a.args[p.name]...)
	return append(args, more...)
}

func duration(ms int64) string { return (time.Duration(ms) * time.Millisecond).String() }

// lambda is the arm that is like Lambda, nil when there is none.
func (s *system) lambda() *arm {
	for _, a := range s.arms {
		if a.like == armLambda {
			return a
		}
	}
	return nil
}

// env is the environment that both sides' components have in common.
func (s *system) env() []string {
	return append(s.slowed(), "GOGC="+gogc(), "GOMEMLIMIT="+gomemlimit())
}

// slowed is the environment of the broker and the components when the only arm has a handicap.
func (s *system) slowed() []string {
	a, ok := s.scenario.ArmNamed(s.alone)
	if !ok || a.Handicap == 0 {
		return nil
	}
	return []string{supervise.HandicapEnv + "=" + strconv.FormatFloat(a.Handicap, 'g', -1, 64)}
}

// figures of every component except the generator, which belongs to neither side.
func (s *system) figures() []result.Component {
	if s == nil {
		return nil
	}
	var all []result.Component
	for _, c := range s.supervisor.All() {
		if c.Name == generatorName || c.Name == registryName {
			continue
		}
		all = mergeFigures(all, figuresOf(c))
	}
	return all
}

// figuresOf is a component's line in the report.
func figuresOf(c *supervise.Component) result.Component {
	u := c.Used()
	return result.Component{
		Name: c.Name, CPUSeconds: u.CPU, PeakRSSBytes: u.Peak, ReadBytes: u.Read, WrittenBytes: u.Written, Starts: c.Starts(),
	}
}

// mergeFigures adds the figures of a component, under one line per name: a batch that is run
// three times is one component.
func mergeFigures(all []result.Component, f result.Component) []result.Component {
	for i := range all {
		if all[i].Name != f.Name {
			continue
		}
		all[i].CPUSeconds += f.CPUSeconds
		all[i].PeakRSSBytes = max(all[i].PeakRSSBytes, f.PeakRSSBytes)
		all[i].ReadBytes += f.ReadBytes
		all[i].WrittenBytes += f.WrittenBytes
		all[i].Starts += f.Starts
		return all
	}
	return append(all, f)
}

// close ends everything and releases the log. Components end first: what still runs would create topics again that are deleted.
func (s *system) close(ctx context.Context) error {
	if s == nil {
		return nil
	}
	var errs []error
	for _, a := range s.arms {
		if a.api != nil {
			a.api.Close()
		}
	}
	ending, cancel := context.WithTimeout(ctx, closeLimit)
	defer cancel()
	errs = append(errs, s.supervisor.Close(ending))
	if s.log != nil {
		leaving, cancel := context.WithTimeout(ctx, closeLimit)
		defer cancel()
		errs = append(errs, s.leaveCluster(leaving), s.log.Close())
	}
	return errors.Join(append(errs, s.closeNetwork())...)
}

// leaveCluster leaves a cluster of the user's as it was; offsets of groups go with their topics. Brokers that
// joined go last: they hold copies of the run's topics.
func (s *system) leaveCluster(ctx context.Context) error {
	if err := s.dropTopics(ctx); err != nil {
		return fmt.Errorf("topics that begin with %[1]s may be left on the cluster (kafka-topics.sh --delete --topic '%[1]s.*'): %[2]w",
			s.prefix, err)
	}
	return s.dismissNodes(ctx)
}

// dropTopics deletes the run's topics from a cluster of the user's, unless the user wants to look at them.
func (s *system) dropTopics(ctx context.Context) error {
	if s.prefix == "" || s.opt.Keep {
		return nil
	}
	names, err := s.log.Topics(ctx)
	if err != nil {
		return err
	}
	return s.log.DeleteTopics(ctx, names...)
}
