package bench

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"lambdakappa/bench/scenarios"
	"lambdakappa/internal/eventlog"
)

// Options say what to run. Start from [DefaultOptions]; the zero value of Rate, Cars, Duration,
// Window and Repetitions means what the scenario takes by itself.
type Options struct {
	Scenarios   []string // names of [Scenarios], or YAML files; empty is the short ones
	All         bool     // all of [Scenarios]
	Arms        []string // names of arms, or both; empty is what each scenario compares
	Profile     string   // quick or full
	Seed        uint64
	Rate        float64 // events/s
	Cars        int
	Duration    time.Duration // of event time
	Window      time.Duration
	Input       string // csv:FILE plays recorded input in settled
	Repetitions int

	Brokers  []string // a Kafka cluster; empty starts the embedded broker
	Registry string   // URL of its schema registry; empty starts an embedded one beside Brokers

	// Cluster is the folder of one that 'kafka up' has started: its brokers are Brokers, and faults may
	// happen to its nodes.
	Cluster string

	kafka string // what the cluster says of itself, once it was found

	// Security of the cluster and its registry. SecurityArgs are the same for the components, without
	// secrets, which they find where this process has: in the environment, or in a file.
	Security     eventlog.Security
	SecurityArgs []string

	Resume string // folder of an invocation that did not come to its end
	Out    string // folder that gets one folder per invocation
	Keep   bool   // keep broker data and master datasets
	Quiet  bool
	Strict bool // a void run is a failure

	Binary  string    // this program
	Command string    // what the user typed, for the reproduce line
	Stdout  io.Writer // the summary at the end
	Stderr  io.Writer // progress
}

// DefaultOptions runs the short scenarios in the quick profile with seed 1.
func DefaultOptions() Options {
	binary, _ := os.Executable() // Validate names an empty one
	return Options{
		Profile: "quick", Seed: 1, Out: "results", Binary: binary,
		Command: strings.Join(os.Args, " "), Stdout: os.Stdout, Stderr: os.Stderr,
	}
}

// The arms that can be asked for.
const (
	armLambda  = "lambda"
	armKappa   = "kappa"
	armBoth    = "both"
	armControl = "control" // generator and broker alone; never asked for
)

// Validate returns an error that names the first option that cannot work and what it takes.
func (o Options) Validate() error {
	if o.Profile != scenarios.Quick && o.Profile != scenarios.Full {
		return fmt.Errorf("profile %q: is none of quick, full", o.Profile)
	}
	if o.All && len(o.Scenarios) > 0 {
		return fmt.Errorf("all: excludes scenario; give one of them")
	}
	if _, err := parseInput(o.Input); err != nil {
		return err
	}
	if len(o.Brokers) == 0 && o.Cluster == "" && o.Registry != "" {
		return fmt.Errorf("schema registry: belongs to a cluster; give brokers as well")
	}
	if o.Registry != "" {
		if err := eventlog.CheckRegistry(o.Registry); err != nil {
			return err
		}
	}
	if o.Cluster != "" && len(o.Brokers) > 0 {
		return fmt.Errorf("cluster: excludes brokers; give one of them")
	}
	if o.Binary == "" {
		return fmt.Errorf("binary: this program cannot find itself")
	}
	if err := o.validateSizes(); err != nil {
		return err
	}
	asked, err := o.asked()
	if err != nil {
		return err
	}
	return o.validateArms(asked)
}

// validateArms demands that every arm that was asked for is one of a scenario that was.
func (o Options) validateArms(asked []*Scenario) error {
	known := []string{armBoth}
	for _, s := range asked {
		for _, a := range s.Arms {
			if !slices.Contains(known, a.Name) {
				known = append(known, a.Name)
			}
		}
	}
	slices.Sort(known)
	for _, arm := range o.Arms {
		if !slices.Contains(known, arm) {
			return fmt.Errorf("arm %q: is none of %s", arm, strings.Join(known, ", "))
		}
	}
	return nil
}

func (o Options) validateSizes() error {
	switch {
	case o.Rate < 0 || o.Cars < 0 || o.Duration < 0 || o.Repetitions < 0:
		return fmt.Errorf("rate, cars, duration and repetitions: must not be negative")
	case o.Window < 0 || o.Window%time.Millisecond != 0:
		return fmt.Errorf("window %s: takes a length in whole milliseconds such as 10s", o.Window)
	}
	return nil
}

// partitions of the input log: one per core of the machine that the default profile is made for.
// Every partition costs requests of its own at any rate of events: with four, the same load took a
// fifth more CPU on both sides (always-on, 20,000 events/s, two cores).
const partitions = 2

// together reports whether runs of all arms on one log were asked for.
func (o Options) together() bool { return len(o.Arms) == 0 || slices.Contains(o.Arms, armBoth) }

// gogc and gomemlimit are the collector's settings of every component of both sides.
func gogc() string       { return envOr("GOGC", "100") }
func gomemlimit() string { return envOr("GOMEMLIMIT", "off") }

func envOr(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// cores is how many cores the machine gives to the run.
func cores() int { return runtime.GOMAXPROCS(0) }
