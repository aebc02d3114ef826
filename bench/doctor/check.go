package doctor

import (
	"context"
	"fmt"
	"io"
	"time"

	"lambdakappa/bench"
)

// A Verdict says how serious a finding is.
type Verdict string

// The verdicts.
const (
	OK      Verdict = "ok"
	Warning Verdict = "warning" // everything works, or all but what the check names
	Failed  Verdict = "failed"  // do not begin like this
)

// A Check is what was found out about one thing.
type Check struct {
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	Says    string  `json:"says"`             // with its figure
	Remedy  string  `json:"remedy,omitempty"` // what to do; empty when there is nothing to do
}

// String is the check in a line.
func (c Check) String() string {
	line := fmt.Sprintf("%-8s %-7s %s", c.Verdict, c.Name, c.Says)
	if c.Remedy != "" {
		line += ": " + c.Remedy
	}
	return line
}

// A Report is all that was found out.
type Report struct {
	Checks []Check `json:"checks"`

	// SustainedEventsPerSecond is the rate that was kept up; 0 when none was.
	SustainedEventsPerSecond int `json:"sustained_events_per_second"`
}

// Failed lists the names of the checks that have failed.
func (r Report) Failed() []string {
	var names []string
	for _, c := range r.Checks {
		if c.Verdict == Failed {
			names = append(names, c.Name)
		}
	}
	return names
}

// Options say how to examine.
type Options struct {
	Folder string    // where results go
	Temp   string    // for temporary files
	Stderr io.Writer // progress

	// Found is told of every check as soon as it is done; nil is nobody.
	Found func(Check)

	file    func() (string, error)                                  // where the rate is kept; nil is File
	sustain func(context.Context, Options) (bench.Sustained, error) // measures it; nil is the benchmark
}

// unknown is what a check says that the system does not answer.
const unknown = "not measured here"

// rateTime is how long the search for a rate may go on. With the other checks, and the end of what it has
// started, that stays below 30 s.
const rateTime = 18 * time.Second

// Examine makes all checks, one after the other. An error is one of ctx: it was interrupted, and has kept
// nothing.
func Examine(ctx context.Context, o Options) (Report, error) {
	var r Report
	add := func(c Check) {
		r.Checks = append(r.Checks, c)
		if o.Found != nil {
			o.Found(c)
		}
	}
	for _, check := range []func(context.Context, Options) Check{
		checkGo, checkTools, checkMemory, checkDisk, checkPorts, checkTimer,
	} {
		c := check(ctx, o)
		if ctx.Err() != nil {
			return r, context.Cause(ctx)
		}
		add(c)
	}
	c, rate := checkRate(ctx, o)
	if ctx.Err() != nil {
		return r, context.Cause(ctx)
	}
	add(c)
	r.SustainedEventsPerSecond = rate
	return r, nil
}
