package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lambdakappa/event"
	"lambdakappa/internal/fleetreport"
)

// fleetReportFlags say what is reported and how.
type fleetReportFlags struct {
	dir, day, format, out string
	interval              milliseconds
}

func (a *app) fleetReport() *cobra.Command {
	f := &fleetReportFlags{interval: milliseconds(event.DefaultRules().ReadingInterval)}
	c := &cobra.Command{
		Use:   "fleet-report",
		Short: "Report on the fleet day by day, from what either side has archived",
		Long: `Report on the fleet day by day: readings, distance, speed, the worst tyre, the hottest engine, the weakest
battery, for every car and for all of them. It is a batch application behind either architecture: it
reads the events that 'lambda ingest' or 'kappa sink' has archived, and needs neither log nor serving.

A reading counts once, whenever it arrived, on the day (UTC) on which it was measured. The report says
up to which offsets and append time it is complete.`,
		Example: `  lambdakappa fleet-report --dir /tmp/lambda
  lambdakappa fleet-report --dir /tmp/archive --day 2026-11-22 --format csv
  lambdakappa fleet-report --dir /tmp/archive --format json --out report.json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return unlessEnded(c.Context(), a.runFleetReport(c.Context(), f))
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.dir, "dir", "", "`folder` of Lambda, or of Kappa's sink (required)")
	flags.StringVar(&f.day, "day", "", "this `day` alone, such as 2026-11-22")
	flags.StringVar(&f.format, "format", "text", "`name`: "+strings.Join(fleetreport.Formats, ", "))
	flags.StringVar(&f.out, "out", "", "write to this `file`, and say so; by default to stdout")
	flags.Var(&f.interval, "reading-interval", "how often a car sends: what a speed counts for in a distance")
	return c
}

func (f *fleetReportFlags) check() error {
	if f.dir == "" {
		return usagef("--dir is missing: give the folder of 'lambda ingest' or of 'kappa sink'")
	}
	if !slices.Contains(fleetreport.Formats, f.format) {
		return usagef("--format %q: must be one of %s", f.format, strings.Join(fleetreport.Formats, ", "))
	}
	if _, err := time.Parse(time.DateOnly, f.day); f.day != "" && err != nil {
		return usagef("--day %q: takes a day, such as 2026-11-22", f.day)
	}
	if f.interval <= 0 {
		return usagef("--reading-interval %s: must be above 0", f.interval.String())
	}
	return nil
}

func (a *app) runFleetReport(ctx context.Context, f *fleetReportFlags) error {
	began := time.Now()
	r, err := fleetreport.Make(ctx, f.dir, time.Duration(f.interval)*time.Millisecond)
	if err != nil {
		return fmt.Errorf("fleet report: %w", err)
	}
	if f.day != "" {
		if err := r.Only(f.day); err != nil {
			return fmt.Errorf("fleet report: %w", err)
		}
	}
	if f.out == "" {
		return r.Write(a.stdout, f.format)
	}
	if err := writeReport(r, f.out, f.format); err != nil {
		return fmt.Errorf("fleet report: %w", err)
	}
	a.notify()("written", "file", f.out, "readings", r.Readings, "days", len(r.Days),
		"files", r.Files, "bytes_read", r.BytesRead, "complete", r.Complete.AppendTime,
		"age_ms", time.Since(r.Complete.AppendTime).Milliseconds(),
		"ms", time.Since(began).Milliseconds())
	return nil
}

// writeReport writes a file; one that is not complete is removed.
func writeReport(r *fleetreport.Report, path, format string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(r.Write(file, format), file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
