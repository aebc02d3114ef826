package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"lambdakappa/bench"
	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
)

func (a *app) bench() *cobra.Command {
	o := bench.DefaultOptions()
	security := &securityFlags{}
	o.Stdout, o.Stderr = a.stdout, a.stderr
	list := false
	c := &cobra.Command{
		Use:   "bench",
		Short: "Run both architectures on the same events, check every answer, write a report",
		Long: `Run scenarios one after the other, each with a broker and components of its own, check every
answer against the truth, and leave a folder with summary.json, report.html and report.md.

A wrong answer voids the figures of its run and makes the exit code 1. A run that the machine was too
slow for is printed as void, without figures; with --strict that makes the exit code 3. Ctrl-C ends all
processes and keeps what was measured.`,
		Example: `  lambdakappa bench
  lambdakappa bench --list
  lambdakappa bench --all
  lambdakappa bench --scenario settled,disturbed --seed 2
  lambdakappa bench --scenario settled --window 5m --input csv:car-sensor-data.csv
  lambdakappa bench --scenario my-question.yaml
  lambdakappa bench --scenario replay --arm kappa --profile full
  lambdakappa bench --all --profile full --resume results/20261122T233000Z-full
  lambdakappa bench --brokers host1:9092,host2:9092
  lambdakappa bench --cluster .kafka/cluster --scenario outage
  lambdakappa bench --brokers host1:9092,host2:9092 --schema-registry http://host:8081`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if list {
				a.listScenarios()
				return nil
			}
			var err error
			if o.Security, err = security.security(); err != nil {
				return err
			}
			o.SecurityArgs = security.args()
			return a.runBench(c, o)
		},
	}
	flags := c.Flags()
	flags.BoolVar(&list, "list", false, "list the scenarios and exit")
	flags.StringSliceVar(&o.Scenarios, "scenario", nil,
		"run these `names` or .yaml files, with commas; by default the short ones")
	flags.BoolVar(&o.All, "all", false, "run all scenarios but those that --list says run apart, when they are named")
	flags.StringSliceVar(&o.Arms, "arm", nil, "run only these `names`: lambda, lambda-shared, kappa, both, or others of the scenario")
	flags.StringVar(&o.Profile, "profile", o.Profile,
		"`name`: quick or full, that is how much and how often")
	flags.Uint64Var(&o.Seed, "seed", o.Seed, "of the workloads and of what is sampled")
	flags.Float64Var(&o.Rate, "rate", 0, "events per second; by default the scenario's own")
	flags.IntVar(&o.Cars, "cars", 0, "in the fleet; by default the scenario's own")
	flags.DurationVar(&o.Duration, "duration", 0, "of event time; by default the scenario's own")
	flags.DurationVar(&o.Window, "window", 0, "length of a window; by default 10s")
	flags.IntVar(&o.Repetitions, "repetitions", 0, "of every run; by default the profile's own")
	flags.StringVar(&o.Input, "input", "", "`csv:FILE` plays recorded input in the scenario settled")
	flags.StringSliceVar(&o.Brokers, "brokers", nil,
		"`host:port` of a Kafka cluster, several with commas; by default an embedded broker")
	flags.StringVar(&o.Registry, "schema-registry", "", "`URL` of its schema registry; by default an embedded one")
	flags.StringVar(&o.Cluster, "cluster", "", "`folder` of a cluster that 'kafka up' has started, whose nodes may be killed")
	security.add(flags)
	flags.StringVar(&o.Out, "out", o.Out, "`folder` that gets one folder per run")
	flags.StringVar(&o.Resume, "resume", "", "`folder` of a run that did not come to its end: go on with it")
	flags.BoolVar(&o.Keep, "keep", false, "keep the log and master datasets: of a cluster's, topics that begin with the time of the run")
	flags.BoolVar(&o.Quiet, "quiet", false, "print nothing but the path of the report")
	flags.BoolVar(&o.Strict, "strict", false, "a void run makes the exit code 3")
	return c
}

func (a *app) listScenarios() {
	for _, s := range bench.Scenarios() {
		fmt.Fprintf(a.stdout, "%-12s %-8s %s\n", s.Name, listed(s), s.Sentence)
	}
}

// listed says which command runs a scenario.
func listed(s *scenarios.Scenario) string {
	switch {
	case s.Procedure == scenarios.NotBuilt:
		return "not yet"
	case s.Apart:
		return "apart"
	case s.Short:
		return "short"
	default:
		return "--all"
	}
}

func (a *app) runBench(c *cobra.Command, o bench.Options) error {
	if err := nameFlag(c, o.Validate()); err != nil {
		return err
	}
	summary, err := bench.Run(c.Context(), o)
	if err != nil {
		return err
	}
	return verdict(summary, o.Strict)
}

// failure says which run failed first, and at what.
func failure(s *result.Summary) string {
	for _, r := range s.Runs {
		if r.OK {
			continue
		}
		why := r.Error
		for _, c := range r.Checks {
			if c.Failed() {
				why = c.Name
				if c.Answers {
					why += ": an answer was wrong"
				}
				break
			}
		}
		return fmt.Sprintf("scenario %s, %s: %s", r.Scenario, r.Arm, why)
	}
	return "a run failed"
}

// verdict turns what was found into the exit code.
func verdict(s *result.Summary, strict bool) error {
	if !s.OK() {
		return &codeError{exitFailed, failure(s) + ": see the report"}
	}
	for _, r := range s.Runs {
		if strict && r.Void != "" {
			return &codeError{exitVoid, fmt.Sprintf("scenario %s, %s: void: %s", r.Scenario, r.Arm, r.Void)}
		}
	}
	return nil
}
