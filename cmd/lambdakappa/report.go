package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"lambdakappa/bench/report"
)

// redraw is the command "report".
func (a *app) redraw() *cobra.Command {
	splice := ""
	c := &cobra.Command{
		Use:   "report RUN",
		Short: "Draw the report of a run again, from its summary.json",
		Example: `  lambdakappa report results/latest
  lambdakappa report results/latest --splice README.md`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("report takes one folder of a run, such as results/latest")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.runReport(args[0], splice) },
	}
	c.Flags().StringVar(&splice, "splice", "",
		"also put the results between the markers of this `file`")
	return c
}

func (a *app) runReport(dir, splice string) error {
	s, err := report.Load(dir)
	if err != nil {
		return err
	}
	if err := report.Write(dir, s); err != nil {
		return err
	}
	if splice != "" {
		if err := report.Splice(splice, s); err != nil {
			return err
		}
		defer fmt.Fprintf(a.stdout, "spliced into: %s\n", splice)
	}
	report.Terminal(a.stdout, s)
	fmt.Fprintf(a.stdout, "report: %s\n", filepath.Join(dir, "report.html"))
	return nil
}
