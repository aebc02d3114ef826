package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"lambdakappa/bench/doctor"
)

// doctor is the command "doctor".
func (a *app) doctor() *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say whether this machine is fit for the benchmark and the workshop, in half a minute",
		Long: `Look at Go, memory, disk, ports and timer, and find the rate of events that this machine sustains: both
architectures at once, on an embedded broker, every answer checked. Every check is a line with its verdict,
its figure and its remedy. The exit code is 1 when one has failed; with warnings it is 0.

The rate is kept in the user's cache folder (on Linux ~/.cache/lambdakappa/sustained.json): half of it is a
load that leaves room for a browser and an editor. Nothing else is left behind, also after Ctrl-C.`,
		Example: `  lambdakappa doctor

  # for a program
  lambdakappa doctor --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o := doctor.Options{Folder: ".", Temp: os.TempDir(), Stderr: a.stderr}
			if !asJSON {
				o.Found = func(found doctor.Check) { fmt.Fprintln(a.stdout, found) }
			}
			report, err := doctor.Examine(c.Context(), o)
			if err != nil {
				return fmt.Errorf("doctor was interrupted: %w", err)
			}
			if asJSON {
				if err := json.NewEncoder(a.stdout).Encode(report); err != nil {
					return err
				}
			}
			if failed := report.Failed(); len(failed) > 0 {
				return &codeError{exitFailed, "not fit, see " + strings.Join(failed, ", ")}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object in place of lines")
	return c
}
