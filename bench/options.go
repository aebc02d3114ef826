package bench

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"lambdakappa/event"
)

// Options say what to run. Start from [DefaultOptions]; the zero value of Rate, Cars, Duration,
// Window and Repetitions means what the scenario takes by itself.
type Options struct {
	Scenarios   []string // names of [Scenarios]; empty is all
	Arms        []string // lambda, kappa, both; empty is what each scenario compares
	Profile     string   // quick or full
	Seed        uint64
	Rate        float64 // events/s
	Cars        int
	Duration    time.Duration // of event time
	Window      time.Duration
	Input       string // csv:FILE plays recorded input in settled
	Repetitions int

	Brokers  []string // a Kafka cluster; empty starts the embedded broker
	Registry string   // URL of its schema registry; needed with Brokers

	Out    string // folder that gets one folder per invocation
	Keep   bool   // keep broker data and master datasets
	Quiet  bool
	Strict bool // a void run is a failure

	Binary  string    // this program
	Command string    // what the user typed, for the reproduce line
	Stdout  io.Writer // the summary at the end
	Stderr  io.Writer // progress
}

// DefaultOptions runs every scenario in the quick profile with seed 1.
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
	for _, name := range o.Scenarios {
		if scenarioNamed(name) == nil {
			return fmt.Errorf("scenario %q: is none of %s", name, strings.Join(scenarioNames(), ", "))
		}
	}
	for _, arm := range o.Arms {
		if !slices.Contains([]string{armLambda, armKappa, armBoth}, arm) {
			return fmt.Errorf("arm %q: is none of lambda, kappa, both", arm)
		}
	}
	if _, err := sizesOf(o.Profile); err != nil {
		return err
	}
	if _, err := parseInput(o.Input); err != nil {
		return err
	}
	if len(o.Brokers) > 0 && o.Registry == "" {
		return fmt.Errorf("schema registry: must be given beside brokers")
	}
	if o.Binary == "" {
		return fmt.Errorf("binary: this program cannot find itself")
	}
	return o.validateSizes()
}

func (o Options) validateSizes() error {
	switch {
	case o.Rate < 0 || o.Cars < 0 || o.Duration < 0 || o.Repetitions < 0:
		return fmt.Errorf("rate, cars, duration and repetitions: must not be negative")
	case o.Window < 0 || o.Window%time.Millisecond != 0:
		return fmt.Errorf("window %s: takes a length in whole milliseconds such as 10s", o.Window)
	}
	return o.rules().Validate()
}

// rules are the rules of time of all runs.
func (o Options) rules() event.Rules {
	r := event.DefaultRules()
	if o.Window > 0 {
		r.Window = o.Window.Milliseconds()
	}
	return r
}

// partitions of the input log: one per core of the machine that the default profile is made for.
// Every partition costs requests of its own at any rate of events: with four, the same load took a
// fifth more CPU on both sides (always-on, 20,000 events/s, two cores).
const partitions = 2

// arms returns those of the given arms that were asked for.
func (o Options) arms(all ...string) []string {
	if len(o.Arms) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(arm string) bool {
		return !slices.Contains(o.Arms, arm)
	})
}

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
