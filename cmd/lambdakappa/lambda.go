package main

import (
	"context"

	"github.com/spf13/cobra"

	"lambdakappa/internal/eventlog"
	"lambdakappa/lambda"
)

func (a *app) lambda() *cobra.Command {
	c := a.group("lambda", "The components of Lambda, each a process",
		a.lambdaIngest(), a.lambdaBatch(), a.lambdaSpeed(), a.lambdaServe(), a.lambdaEvents())
	c.Long = `Lambda: ingest writes the log to the master dataset, batch recomputes the batch view from it, speed
keeps the speed view of what batch has not covered, serve merges the two. All four share --dir.
Events finds the events of a time in the master dataset.
See 'go doc ./lambda'.`
	c.Example = `  lambdakappa lambda ingest --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081 --dir /tmp/lambda`
	return c
}

// lambdaFlags are what all components of Lambda have in common.
type lambdaFlags struct {
	log logFlags
	cfg lambda.Config
}

// lambdaCommand returns a command with the common flags; run gets the complete configuration.
func (a *app) lambdaCommand(
	c *cobra.Command, run func(context.Context, lambda.Config) error,
) (*cobra.Command, *lambdaFlags) {
	f := &lambdaFlags{cfg: lambda.DefaultConfig()}
	f.log.add(c.Flags())
	addRules(c.Flags(), &f.cfg.Rules)
	addLingers(c.Flags(), &f.cfg.Linger, &f.cfg.CatchUpLinger, &f.cfg.CommitInterval)
	c.Flags().StringVar(&f.cfg.Dir, "dir", "",
		"`folder` of master dataset and batch views, shared by all components (required)")
	c.Flags().StringVar(&f.cfg.Version, "version", f.cfg.Version,
		"of the logic: v1, v2 (repairs the detector), v3 (one metric more), v4 (one field more)")
	addViews(c.Flags(), &f.cfg.Views)
	c.Args = cobra.NoArgs
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := f.check(c); err != nil {
			return err
		}
		f.cfg.Notify = a.notify()
		return a.runComponent(c, component{
			flags:   f.log,
			serving: c.Flags().Lookup("listen") != nil,
			topics: func(ctx context.Context, log *eventlog.Log, partitions int) error {
				return f.cfg.CreateTopics(ctx, log, partitions)
			},
			run: func(ctx context.Context, log *eventlog.Log) error {
				f.cfg.Log = log
				return run(ctx, f.cfg)
			},
		})
	}
	return c, f
}

func (f *lambdaFlags) check(c *cobra.Command) error {
	if err := f.log.check(); err != nil {
		return err
	}
	if f.cfg.Dir == "" {
		return usagef("--dir is missing: give the folder that all components of Lambda share")
	}
	cfg := f.cfg
	cfg.Log = new(eventlog.Log) // the real one is opened when the command line is right
	return nameFlag(c, cfg.Validate())
}

func (a *app) lambdaIngest() *cobra.Command {
	background := false
	c, f := a.lambdaCommand(&cobra.Command{
		Use:   "ingest",
		Short: "Write the log to the master dataset, as Parquet",
		Example: `  lambdakappa lambda ingest --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081 --dir /tmp/lambda
  lambdakappa lambda ingest … --roll-interval 1m --roll-rows 1000000`,
	}, func(ctx context.Context, cfg lambda.Config) error {
		if err := inBackground(background); err != nil {
			return err
		}
		return lambda.Ingest(ctx, cfg)
	})
	addRolls(c, &f.cfg.RollInterval, &f.cfg.RollRows)
	addViewRetention(c.Flags(), &f.cfg.ViewRetention)
	addBackground(c, &background)
	return c
}

func (a *app) lambdaBatch() *cobra.Command {
	once, background := false, false
	c, f := a.lambdaCommand(&cobra.Command{
		Use:   "batch",
		Short: "Recompute the batch view from the master dataset, again and again",
		Example: `  lambdakappa lambda batch --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081 --dir /tmp/lambda --interval 1m
  lambdakappa lambda batch … --once
  lambdakappa lambda batch … --incremental
  lambdakappa lambda batch … --background
  lambdakappa lambda batch … --version v2 --once

  # no second logic: the speed layer's own, driven over the master dataset
  lambdakappa lambda batch … --logic events

  # a mistake, to see what it costs; the speed layer has to make it too
  lambdakappa lambda batch … --deduplicate=false

  # leave a view out, or add it again: the next generation has all its history
  lambdakappa lambda batch … --views windows,alerts`,
	}, func(ctx context.Context, cfg lambda.Config) error {
		if err := inBackground(background); err != nil {
			return err
		}
		if !once {
			return lambda.Batch(ctx, cfg)
		}
		_, err := lambda.RunBatch(ctx, cfg)
		return err
	})
	c.Flags().BoolVar(&once, "once", false, "publish one generation and exit")
	c.Flags().DurationVar(&f.cfg.Interval, "interval", f.cfg.Interval,
		"between the starts of two runs")
	c.Flags().BoolVar(&f.cfg.Incremental, "incremental", false,
		"go on from the previous view instead of recomputing everything")
	c.Flags().StringVar(&f.cfg.Logic, "logic", f.cfg.Logic,
		"`how` to fold history: columns, by a logic of its own, or events, by the speed layer's")
	addViewRetention(c.Flags(), &f.cfg.ViewRetention)
	addDeduplicate(c.Flags(), &f.cfg.Mistakes.CountRepeats)
	addBackground(c, &background)
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		if once && c.Flags().Changed("interval") {
			return usagef("--once and --interval exclude each other: give one of them")
		}
		return nil
	}
	return c
}

func (a *app) lambdaSpeed() *cobra.Command {
	c, f := a.lambdaCommand(&cobra.Command{
		Use:   "speed",
		Short: "Keep the speed view: what the batch view does not cover yet",
		Example: `  lambdakappa lambda speed --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081 --dir /tmp/lambda

  # a mistake, to see what it costs; the batch layer has to make it too
  lambdakappa lambda speed … --deduplicate=false

  # another: to take no notice of batch runs; serve has to make it too
  lambdakappa lambda speed … --merge naive

  # another: a version that was deployed to the batch layer only
  lambdakappa lambda batch … --version v2
  lambdakappa lambda speed … --pin-version v1`,
	}, lambda.Speed)
	addViewRetention(c.Flags(), &f.cfg.ViewRetention)
	addDeduplicate(c.Flags(), &f.cfg.Mistakes.CountRepeats)
	addMerge(c.Flags(), &f.cfg.Mistakes.NaiveMerge)
	c.Flags().StringVar(&f.cfg.Mistakes.PinVersion, "pin-version", "",
		"make the mistake of going by this `version` whatever the batch layer's is")
	return c
}

func (a *app) lambdaServe() *cobra.Command {
	listen := ""
	c, f := a.lambdaCommand(&cobra.Command{
		Use:   "serve",
		Short: "Merge batch and speed view and answer over HTTP",
		Example: `  lambdakappa lambda serve --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081 --dir /tmp/lambda --listen 127.0.0.1:8080
  curl 'http://127.0.0.1:8080/v1/windows?car=car-00042&layer=batch'
  curl 'http://127.0.0.1:8080/v1/trips?car=car-00042'

  # a mistake, to see what it costs; the speed layer has to make it too
  lambdakappa lambda serve … --merge naive --listen 127.0.0.1:8080`,
	}, func(ctx context.Context, cfg lambda.Config) error {
		s, err := lambda.NewServing(ctx, cfg)
		if err != nil {
			return err
		}
		return a.serve(ctx, listen, s)
	})
	addViewRetention(c.Flags(), &f.cfg.ViewRetention)
	addMerge(c.Flags(), &f.cfg.Mistakes.NaiveMerge)
	addListen(c, &listen)
	return c
}
