package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lambdakappa/bench"
	"lambdakappa/datagen"
	"lambdakappa/internal/eventlog"
)

// leadTime is between the start of a generator and its first event, so that connecting does not
// make the first events late.
const leadTime = 2 * time.Second

// datagenFlags say what is generated and where it goes.
type datagenFlags struct {
	spec     datagen.Spec
	workload string
	start    timeFlag
	disturb  string
	input    string
	pace     bench.Pace

	csv, parquet string
	log          logFlags
}

func (a *app) datagen() *cobra.Command {
	f := &datagenFlags{spec: datagen.Workloads()[0].Spec}
	c := &cobra.Command{
		Use:   "datagen",
		Short: "Generate events of a fleet of cars: to the log, or to a file",
		Long: `Generate the readings of a fleet of cars, the same for the same flags on every machine, and send them
to the log at the moments when they are due, or write them to a file for other people's tools.

Named workloads (--workload; other flags change what they say):
` + workloadList() + `
Disturbances (--disturb name=value,…; all 0 by default): out-of-order, late, duplicates, conflicts,
malformed, skew, silent are shares of the readings from 0 to 1; silent-for, burst-every, burst-length are
durations; burst-factor is a factor.`,
		Example: `  lambdakappa datagen --rate 1000 --cars 1000 --duration 5m --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081
  lambdakappa datagen --workload waehner-100k --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081
  lambdakappa datagen --rate 100 --cars 100 --duration 1h --disturb late=0.01,duplicates=0.02 --parquet cars.parquet
  lambdakappa datagen --rate 100 --cars 10 --duration 1m --csv -
  lambdakappa datagen --rate 100 --cars 10 --duration 2m --schema-from 1m --parquet cars.parquet
  lambdakappa datagen --input csv:car-sensor-data.csv --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.runDatagen(c, f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.workload, "workload", "", "`name` of a workload to start from")
	flags.Uint64Var(&f.spec.Seed, "seed", f.spec.Seed, "of everything that is drawn")
	flags.IntVar(&f.spec.FirstCar, "first-car", 0, "`number` of the first car: fleets that share a log need names of their own")
	flags.IntVar(&f.spec.Cars, "cars", f.spec.Cars, "in the fleet")
	flags.Float64Var(&f.spec.Rate, "rate", f.spec.Rate, "readings per second, over the whole fleet")
	flags.DurationVar(&f.spec.Duration, "duration", f.spec.Duration, "of event time")
	flags.Var(&f.start, "start",
		"event time of the first reading; by default now (log) or 2026 (file)")
	flags.DurationVar(&f.spec.SchemaFrom, "schema-from", 0, //bench:change field
		"cars measure ambient_temp, and write version 2 of the schema, from this long after the start on, "+
			"such as 1m; 0 is never")
	flags.StringVar(&f.disturb, "disturb", "", "`name=value,...`: what goes wrong between car and log")
	flags.StringVar(&f.input, "input", "", "`csv:FILE` plays recorded input instead")
	flags.Float64Var(&f.pace.Speedup, "speedup", 1,
		"send that many times faster than intended; 0 as fast as the log takes it")
	flags.Var((*timeFlag)(&f.pace.LiveFrom), "live-from",
		"what is intended before it is history: sent at once, and not measured")
	flags.DurationVar(&f.pace.Shift, "shift", 0,
		"send that much later than intended: event time begins where --start says, whatever the time is")
	flags.StringVar(&f.csv, "csv", "", "write CSV to this `file`; - is stdout")
	flags.StringVar(&f.parquet, "parquet", "",
		"write Parquet, with truth labels, to this `file`; - is stdout")
	flags.StringVar(&f.log.cfg.Compression, "compression", "",
		"of the batches on the log: `zstd`; none by default")
	f.log.add(flags)
	flags.Lookup("brokers").Usage = "send to the log at this `host:port`, several with commas"
	flags.Lookup("schema-registry").Usage = "`URL` of the log's schema registry"
	return c
}

func workloadList() string {
	var b strings.Builder
	for _, w := range datagen.Workloads() {
		fmt.Fprintf(&b, "  %-13s %s\n", w.Name, w.About)
	}
	return b.String()
}

func (a *app) runDatagen(c *cobra.Command, f *datagenFlags) error {
	if err := f.check(c); err != nil {
		return err
	}
	source, closer, err := f.open(c)
	if err != nil {
		return err
	}
	defer closer.Close()
	ctx := c.Context()
	switch {
	case f.csv != "":
		return a.export(ctx, f.csv, source, datagen.WriteCSV)
	case f.parquet != "":
		return a.export(ctx, f.parquet, source, datagen.WriteParquet)
	default:
		return unlessEnded(ctx, a.publish(ctx, f, source))
	}
}

// check finds out whether the flags can work, and completes the spec.
func (f *datagenFlags) check(c *cobra.Command) error {
	if err := f.checkTarget(); err != nil {
		return err
	}
	if f.input != "" {
		return f.checkInput()
	}
	if err := f.completeSpec(c); err != nil {
		return err
	}
	return nameFlag(c, f.spec.Validate())
}

func (f *datagenFlags) checkTarget() error {
	targets := 0
	for _, given := range []bool{len(f.log.cfg.Brokers) > 0, f.csv != "", f.parquet != ""} {
		if given {
			targets++
		}
	}
	if targets != 1 {
		return usagef("datagen needs one target: --brokers, --csv or --parquet")
	}
	if f.pace.Speedup < 0 {
		return usagef("--speedup %v: must not be negative", f.pace.Speedup)
	}
	if f.pace.Shift != 0 && f.pace.Speedup != 1 {
		return usagef("--shift %s: takes --speedup 1, not %v", f.pace.Shift, f.pace.Speedup)
	}
	if c := f.log.cfg.Compression; c != "" && c != eventlog.Zstd {
		return usagef("--compression %q: takes %s", c, eventlog.Zstd)
	}
	if f.toLog() {
		return f.log.check()
	}
	return nil
}

func (f *datagenFlags) toLog() bool { return len(f.log.cfg.Brokers) > 0 }

func (f *datagenFlags) checkInput() error {
	if file, ok := strings.CutPrefix(f.input, "csv:"); !ok || file == "" {
		return usagef("--input %q: takes csv:FILE", f.input)
	}
	return nil
}

// completeSpec puts what was given on the command line over the named workload.
func (f *datagenFlags) completeSpec(c *cobra.Command) error {
	given, changed := f.spec, c.Flags().Changed
	if f.workload != "" {
		w, err := datagen.WorkloadNamed(f.workload)
		if err != nil {
			return nameFlag(c, err)
		}
		f.spec = w.Spec
	}
	for _, o := range []struct {
		flag string
		take func()
	}{
		{"seed", func() { f.spec.Seed = given.Seed }},
		{"first-car", func() { f.spec.FirstCar = given.FirstCar }},
		{"cars", func() { f.spec.Cars = given.Cars }},
		{"rate", func() { f.spec.Rate = given.Rate }},
		{"duration", func() { f.spec.Duration = given.Duration }},
		{"schema-from", func() { f.spec.SchemaFrom = given.SchemaFrom }}, //bench:change field
		{"start", func() { f.spec.Start = time.Time(f.start) }},
	} {
		if changed(o.flag) {
			o.take()
		}
	}
	if f.toLog() && !changed("start") {
		f.spec.Start = time.Now().Add(leadTime).Truncate(time.Millisecond)
	}
	if changed("disturb") {
		d, err := datagen.ParseDisturbances(f.disturb)
		if err != nil {
			return usagef("--disturb %s: %w", f.disturb, err)
		}
		f.spec.Disturbances = d
	}
	return nil
}

// open returns the events.
func (f *datagenFlags) open(c *cobra.Command) (datagen.Source, io.Closer, error) {
	if f.input == "" {
		return f.spec.Stream(), io.NopCloser(nil), nil
	}
	file, err := os.Open(strings.TrimPrefix(f.input, "csv:"))
	if err != nil {
		return nil, nil, usagef("--input: %w", err)
	}
	return datagen.ReadRecording(file), file, nil
}

// publish sends the events to the log and reports how that went.
func (a *app) publish(ctx context.Context, f *datagenFlags, source datagen.Source) error {
	log, _, err := f.log.open(ctx)
	if err != nil {
		return err
	}
	defer log.Close()
	notify := a.notify()
	notify("ready")
	done, err := bench.Publish(ctx, log, source, f.pace)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	notify("published", "events", done.Events, "seconds", done.Seconds, "lag_ms", done.Lag, "acked", done.Acked)
	return nil
}

// export writes the events to a file, or to stdout for "-". A file that is not complete is
// removed: nobody shall take half a workload for a whole one.
func (a *app) export(
	ctx context.Context, path string, source datagen.Source,
	write func(io.Writer, datagen.Source) (int64, error),
) error {
	interruptible := &stoppable{ctx: ctx, Source: source}
	if path == "-" {
		_, err := write(a.stdout, interruptible)
		return errors.Join(err, interruptible.err())
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write workload: %w", err)
	}
	rows, err := write(file, interruptible)
	err = errors.Join(err, interruptible.err(), file.Close())
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	a.notify()("written", "file", path, "rows", rows)
	return nil
}

// stoppable is a source that ends early when ctx does.
type stoppable struct {
	ctx context.Context
	datagen.Source
}

// Next implements datagen.Source.
func (s *stoppable) Next(p *datagen.Planned) bool { return s.ctx.Err() == nil && s.Source.Next(p) }

// err returns why the source ended before its time, nil when it did not.
func (s *stoppable) err() error {
	if recording, ok := s.Source.(*datagen.Recording); ok && recording.Err() != nil {
		return fmt.Errorf("read recorded input: %w", recording.Err())
	}
	if s.ctx.Err() != nil {
		return fmt.Errorf("interrupted: %w", s.ctx.Err())
	}
	return nil
}
