package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"lambdakappa/internal/eventlog"
	"lambdakappa/kappa"
)

func (a *app) kappa() *cobra.Command {
	c := a.group("kappa", "The components of Kappa, each a process",
		a.kappaProcess(), a.kappaReplay(), a.kappaServe(), a.kappaSink(), a.kappaEvents(), a.kappaRepublish())
	c.Long = `Kappa: process keeps the view of every event as it comes, in a changelog topic; serve materialises the
changelog and answers; replay builds the view of another version beside the live one, and takes over;
sink archives events and closed windows as Parquet, for batch applications and for history that the log
does not keep; events finds the events of a time. See 'go doc ./kappa'.`
	c.Example = `  lambdakappa kappa process --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081`
	return c
}

// kappaFlags are what all components of Kappa have in common.
type kappaFlags struct {
	log logFlags
	cfg kappa.Config
}

// kappaCommand returns a command with the common flags; run gets the complete configuration.
func (a *app) kappaCommand(
	c *cobra.Command, run func(context.Context, kappa.Config) error,
) (*cobra.Command, *kappaFlags) {
	f := &kappaFlags{cfg: kappa.DefaultConfig()}
	f.log.add(c.Flags())
	addRules(c.Flags(), &f.cfg.Rules)
	addLingers(c.Flags(), &f.cfg.Linger, &f.cfg.CatchUpLinger, &f.cfg.CommitInterval)
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

func (f *kappaFlags) check(c *cobra.Command) error {
	if err := f.log.check(); err != nil {
		return err
	}
	cfg := f.cfg
	cfg.Log = new(eventlog.Log) // the real one is opened when the command line is right
	return nameFlag(c, cfg.Validate())
}

func (a *app) kappaProcess() *cobra.Command {
	c, f := a.kappaCommand(&cobra.Command{
		Use:   "process",
		Short: "Keep the view of every event as it comes",
		Example: `  lambdakappa kappa process --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081

  # a second one takes over half of the partitions
  lambdakappa kappa process --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081

  # rows, alerts and position in one transaction: a crash leaves all of them or none
  lambdakappa kappa process … --guarantee exactly-once

  # a mistake, to see what it costs
  lambdakappa kappa process … --deduplicate=false`,
	}, kappa.Process)
	addViewRetention(c.Flags(), &f.cfg.ViewRetention)
	addDeduplicate(c.Flags(), &f.cfg.Mistakes.CountRepeats)
	addInput(c, &f.cfg)
	addGuarantee(c, &f.cfg.Guarantee)
	return c
}

// addGuarantee adds the flag of processors.
func addGuarantee(c *cobra.Command, g *kappa.Guarantee) {
	c.Flags().StringVar((*string)(g), "guarantee", string(*g),
		"at-most-once, at-least-once, or exactly-once with transactions of the log; the same for all processes of a version")
}

// addInput adds the flag of processors that may read a copy of the log.
func addInput(c *cobra.Command, cfg *kappa.Config) {
	c.Flags().StringVar(&cfg.Input, "input", "",
		"read this `topic`, a copy of the log that 'kappa republish' keeps; by default the log itself")
}

func (a *app) kappaReplay() *cobra.Command {
	var from, to timeFlag
	background := false
	c, f := a.kappaCommand(&cobra.Command{
		Use:   "replay",
		Short: "Build the view of a version from the log's history, and take over",
		Long: `Build the view of a version from the log's history beside the live one, and take over when it has caught
up. Partitions are worked on side by side; for more, start more of these with the same --version, here
or on other machines: they share the partitions, and cut over once.`,
		Example: `  lambdakappa kappa replay --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081 --version v2
  lambdakappa kappa replay … --version v2 --from 2026-11-22T00:00:00Z

  # add a view that 'kappa process --version v1 --views windows,alerts' does not keep
  lambdakappa kappa replay … --version v1 --views windows,alerts,trips

  # history from the archive of 'kappa sink' (or the --dir of 'lambda ingest'), the rest from the log
  lambdakappa kappa replay … --version v2 --archive /tmp/archive

  # history from a copy of the log, such as 'kappa republish' makes
  lambdakappa kappa replay … --version v2 --input cars.again

  # a mistake, to see what it costs
  lambdakappa kappa replay … --version v2 --deduplicate=false

  # beside a live view on one machine: slower, and queries do not notice. Afterwards, start
  # 'kappa process --version v2' and stop this
  lambdakappa kappa replay … --version v2 --background`,
	}, func(ctx context.Context, cfg kappa.Config) error {
		if err := inBackground(background); err != nil {
			return err
		}
		return kappa.Replay(ctx, cfg, time.Time(from), time.Time(to))
	})
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		if !c.Flags().Changed("version") {
			return usagef("--version is missing: name the version to build, such as v2")
		}
		if f.cfg.Archive != "" && (c.Flags().Changed("from") || c.Flags().Changed("to")) {
			return usagef("--archive and --from or --to exclude each other: " +
				"an archive is read from its start to the end of the log")
		}
		return nil
	}
	addInput(c, &f.cfg)
	addViewRetention(c.Flags(), &f.cfg.ViewRetention)
	c.Flags().StringVar(&f.cfg.Archive, "archive", "",
		"begin with the events in this `folder` of 'kappa sink', and go on with the log where they end")
	addDeduplicate(c.Flags(), &f.cfg.Mistakes.CountRepeats)
	addGuarantee(c, &f.cfg.Guarantee)
	c.Flags().Var(&from, "from", "begin at this append time; by default with the log")
	c.Flags().Var(&to, "to", "end at this append time; by default go on as the live processor")
	addBackground(c, &background)
	return c
}

func (a *app) kappaServe() *cobra.Command {
	listen := ""
	c, f := a.kappaCommand(&cobra.Command{
		Use:   "serve",
		Short: "Materialise the live view and answer over HTTP",
		Example: `  lambdakappa kappa serve --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081 --listen 127.0.0.1:8080
  curl 'http://127.0.0.1:8080/v1/cars/car-00042/windows/latest'
  curl 'http://127.0.0.1:8080/v1/trips?car=car-00042'`,
	}, func(ctx context.Context, cfg kappa.Config) error {
		s, err := kappa.NewServing(ctx, cfg)
		if err != nil {
			return err
		}
		return a.serve(ctx, listen, s)
	})
	addViewRetention(c.Flags(), &f.cfg.ViewRetention)
	addListen(c, &listen)
	return c
}

func (a *app) kappaSink() *cobra.Command {
	background := false
	c, f := a.kappaCommand(&cobra.Command{
		Use:   "sink",
		Short: "Archive events and closed windows, as Parquet",
		Long: `Append the events of the log, and the windows that the live version has closed, to Parquet files, each
event and each window exactly once. Events lie in the layout of Lambda's master dataset
(docs/archive-layout.md), windows in a folder per version. Give it the same rules as 'kappa process'. Who
reads events alone, as 'fleet-report' and 'kappa replay' do, needs no windows: --windows=false.`,
		Example: `  lambdakappa kappa sink --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081 --dir /tmp/archive
  lambdakappa kappa sink … --roll-interval 1m --roll-rows 1000000
  lambdakappa kappa sink … --windows=false`,
	}, func(ctx context.Context, cfg kappa.Config) error {
		if err := inBackground(background); err != nil {
			return err
		}
		return kappa.Sink(ctx, cfg)
	})
	c.PreRunE = func(*cobra.Command, []string) error {
		if f.cfg.Dir == "" {
			return usagef("--dir is missing: give the folder of the archive")
		}
		return nil
	}
	c.Flags().StringVar(&f.cfg.Dir, "dir", "", "`folder` of the archive (required)")
	c.Flags().BoolVar(&f.cfg.ArchiveWindows, "windows", f.cfg.ArchiveWindows, "archive closed windows as well as events")
	addRolls(c, &f.cfg.RollInterval, &f.cfg.RollRows)
	addBackground(c, &background)
	return c
}

func (a *app) kappaRepublish() *cobra.Command {
	topic, rate, follow := "", 0.0, false
	c, f := a.kappaCommand(&cobra.Command{
		Use:   "republish",
		Short: "Write an archive back into the log, for a replay to read",
		Long: `Write the history of an archive back into a topic of its own: the log again, offset for offset, with append
and intended times, and dead letters in their places. Then 'kappa replay --input' reads it. With --follow
it goes on with the log where the archive ends, until it is stopped: a replay can then take over. When it
is started again it goes on where the topic ends.

The copy costs the log the room of the history, and its bandwidth: --rate limits the latter.`,
		Example: `  lambdakappa kappa republish --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081 --archive /tmp/archive --topic cars.again
  lambdakappa kappa republish … --archive /tmp/archive --topic cars.again --rate 50000 --follow
  lambdakappa kappa replay … --version v2 --input cars.again`,
	}, func(ctx context.Context, cfg kappa.Config) error {
		return kappa.Republish(ctx, cfg, topic, rate, follow)
	})
	c.PreRunE = func(*cobra.Command, []string) error {
		switch {
		case f.cfg.Archive == "":
			return usagef("--archive is missing: give the folder of 'kappa sink'")
		case topic == "":
			return usagef("--topic is missing: name the topic to write, such as cars.again")
		case rate < 0:
			return usagef("--rate %v: must not be negative", rate)
		}
		return nil
	}
	c.Flags().StringVar(&f.cfg.Archive, "archive", "", "`folder` of 'kappa sink' (required)")
	c.Flags().StringVar(&topic, "topic", "", "`name` of the topic to write (required)")
	c.Flags().Float64Var(&rate, "rate", 0, "events per second at most; 0 as fast as the log takes them")
	c.Flags().BoolVar(&follow, "follow", false, "go on with the log where the archive ends")
	return c
}
