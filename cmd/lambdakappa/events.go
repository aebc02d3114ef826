package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/eventout"
	"lambdakappa/kappa"
	"lambdakappa/lambda"
)

// eventsFlags say which events are asked for, and what becomes of them; both sides have the same.
type eventsFlags struct {
	from, to timeFlag
	count    bool
	output   string
	skew     milliseconds
}

func (f *eventsFlags) add(c *cobra.Command) {
	flags := c.Flags()
	f.skew = milliseconds(event.DefaultRules().MaxFutureSkew)
	flags.Var(&f.from, "from", "events measured at this time or later (required)")
	flags.Var(&f.to, "to", "and before this one (required)")
	flags.BoolVar(&f.count, "count", false,
		"print how many, a hash of the set, and bytes read and wanted, instead of the events")
	flags.StringVar(&f.output, "output", "",
		"write to this `file`: .ndjson, .arrow or .parquet; by default NDJSON to stdout")
	flags.Var(&f.skew, "max-future-skew", "an event may be this far ahead of its append time")
}

func (f *eventsFlags) check() error {
	switch from, to := time.Time(f.from), time.Time(f.to); {
	case from.IsZero():
		return usagef("--from is missing: give a time, such as 2026-11-22T23:30:00Z")
	case to.IsZero():
		return usagef("--to is missing: give a time, such as 2026-11-22T23:45:00Z")
	case !from.Before(to):
		return usagef("--from must be before --to")
	case f.count && f.output != "":
		return usagef("--count and --output exclude each other: give one of them")
	}
	if f.output == "" {
		return nil
	}
	if _, err := eventout.NewWriter(io.Discard, f.output); err != nil {
		return usagef("--output: %w", err)
	}
	return nil
}

func (f *eventsFlags) rules() event.Rules {
	rules := event.DefaultRules()
	rules.MaxFutureSkew = int64(f.skew)
	return rules
}

// A finding hands on all events that are asked for, and says what that took: fields of the fact.
type finding func(ctx context.Context, each func(*event.CarSensor) error) (cost []any, err error)

// runEvents finds the events and puts them where they are wanted.
func (a *app) runEvents(ctx context.Context, f *eventsFlags, find finding) error {
	began, summary := time.Now(), eventout.NewSummary()
	out, closeOut, err := f.open(a.stdout)
	if err != nil {
		return err
	}
	cost, err := find(ctx, func(e *event.CarSensor) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if out == nil {
			return summary.Add(e)
		}
		return errors.Join(summary.Add(e), out.Write(e))
	})
	if err = closeOut(err); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	if f.count || f.output != "" {
		a.notify()("events", append([]any{
			"events", summary.Events, "hash", summary.Hash.String(), "bytes_wanted", summary.Bytes,
			"ms", time.Since(began).Milliseconds(),
		}, cost...)...)
	}
	return nil
}

// open returns the writer, nil for none, and what to call at the end with the error until then. A
// file that is not complete is removed: nobody shall take half of the events for all.
func (f *eventsFlags) open(stdout io.Writer) (eventout.Writer, func(error) error, error) {
	if f.count {
		return nil, func(err error) error { return err }, nil
	}
	to, name, done := stdout, ".ndjson", func(err error) error { return err }
	if f.output != "" {
		file, err := os.Create(f.output)
		if err != nil {
			return nil, nil, fmt.Errorf("write events: %w", err)
		}
		to, name = file, f.output
		done = func(err error) error {
			if err = errors.Join(err, file.Close()); err != nil {
				err = errors.Join(err, os.Remove(f.output))
			}
			return err
		}
	}
	buffer := bufio.NewWriterSize(to, 1<<16)
	out, err := eventout.NewWriter(buffer, name)
	return out, func(err error) error {
		if err == nil {
			err = errors.Join(out.Close(), buffer.Flush())
		}
		return done(err)
	}, err
}

func (a *app) lambdaEvents() *cobra.Command {
	f, cfg := &eventsFlags{}, lambda.DefaultConfig()
	c := &cobra.Command{
		Use:   "events",
		Short: "Find the events of a time in the master dataset",
		Long: `Find all events that were measured in a range of time, however late they arrived, as they were appended:
duplicates are included, dead letters are not. Only files, pages and columns that hold wanted rows are
read. What ingest has not written yet is not found; needs no log.`,
		Example: `  lambdakappa lambda events --dir /tmp/lambda --from 2026-11-22T23:30:00Z --to 2026-11-22T23:31:00Z
  lambdakappa lambda events --dir /tmp/lambda --from 2026-11-22T23:30:00Z --to 2026-11-22T23:31:00Z --count
  lambdakappa lambda events --dir /tmp/lambda --from 2026-11-22T23:30:00Z --to 2026-11-22T23:31:00Z --output minute.parquet`,
		Args: cobra.NoArgs,
	}
	f.add(c)
	c.Flags().StringVar(&cfg.Dir, "dir", "", "`folder` of 'lambda ingest', or of 'kappa sink' (required)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if cfg.Dir == "" {
			return usagef("--dir is missing: give the folder of 'lambda ingest'")
		}
		if err := f.check(); err != nil {
			return err
		}
		cfg.Rules = f.rules()
		find := func(ctx context.Context, each func(*event.CarSensor) error) ([]any, error) {
			read, err := lambda.Events(ctx, cfg, time.Time(f.from), time.Time(f.to), each)
			return []any{
				"bytes_read", read.Bytes, "events_read", read.Events, "files", read.Files, "ends", read.Ends,
			}, err
		}
		return unlessEnded(c.Context(), a.runEvents(c.Context(), f, find))
	}
	return c
}

func (a *app) kappaEvents() *cobra.Command {
	f, log, late := &eventsFlags{}, &logFlags{}, time.Duration(-1)
	c := &cobra.Command{
		Use:   "events",
		Short: "Find the events of a time in the log",
		Long: `Find all events that were measured in a range of time, as they were appended: duplicates are included,
dead letters are not. The log is read from where the earliest of them can be to its end, since no rule
says how late an event may arrive. --late ends it sooner: after that, events that arrive later than
--late behind the range are not found.`,
		Example: `  lambdakappa kappa events --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081 --from 2026-11-22T23:30:00Z --to 2026-11-22T23:31:00Z
  lambdakappa kappa events … --from 2026-11-22T23:30:00Z --to 2026-11-22T23:31:00Z --late 1h --count
  lambdakappa kappa events … --from 2026-11-22T23:30:00Z --to 2026-11-22T23:31:00Z --output minute.parquet`,
		Args: cobra.NoArgs,
	}
	f.add(c)
	log.add(c.Flags())
	_ = c.Flags().MarkHidden("partitions") // it creates none
	c.Flags().DurationVar(&late, "late", late,
		"nothing arrives later than this; by default the log is read to its end")
	c.Flags().Lookup("late").DefValue = "0s" // the help leaves it out
	c.RunE = func(c *cobra.Command, _ []string) error {
		if late < 0 && c.Flags().Changed("late") {
			return usagef("--late %s: must not be negative", late)
		}
		if err := log.check(); err != nil {
			return err
		}
		if err := f.check(); err != nil {
			return err
		}
		return unlessEnded(c.Context(), a.runKappaEvents(c.Context(), f, log, late))
	}
	return c
}

func (a *app) runKappaEvents(
	ctx context.Context, f *eventsFlags, flags *logFlags, late time.Duration,
) error {
	log, err := eventlog.Open(ctx, flags.cfg)
	if err != nil {
		return err
	}
	defer log.Close()
	cfg := kappa.DefaultConfig()
	cfg.Log, cfg.Rules = log, f.rules()
	return a.runEvents(ctx, f, func(
		ctx context.Context, each func(*event.CarSensor) error,
	) ([]any, error) {
		read, err := kappa.Events(ctx, cfg, time.Time(f.from), time.Time(f.to), late, each)
		return []any{"bytes_read", read.Bytes, "events_read", read.Events, "ends", read.Ends}, err
	})
}
