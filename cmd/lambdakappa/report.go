package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"lambdakappa/bench/report"
)

// redraw is the command "report".
func (a *app) redraw() *cobra.Command {
	splice, keep := "", ""
	c := &cobra.Command{
		Use:   "report RUN",
		Short: "Draw the report of a run again, from its summary.json",
		Example: `  lambdakappa report results/latest
  lambdakappa report results/latest --splice README.md

  # a full run that becomes the one that later runs are held against
  lambdakappa report results/latest --keep results/reference --splice README.md`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("report takes one folder of a run, such as results/latest")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.runReport(args[0], splice, keep) },
	}
	c.Flags().StringVar(&splice, "splice", "",
		"also put the results between the markers of this `file`")
	c.Flags().StringVar(&keep, "keep", "",
		"also write what is kept of a reference run into this `folder`: figures and verdicts, no lines over time")
	return c
}

func (a *app) runReport(named, splice, keep string) error {
	dir := report.Folder(named)
	s, err := report.Load(dir)
	if err != nil {
		return err
	}
	reference, err := referenceRun()
	if err != nil {
		return err
	}
	if err := report.Write(dir, s, reference); err != nil {
		return err
	}
	if keep != "" {
		if err := report.WriteReference(keep, dir, s); err != nil {
			return err
		}
		defer fmt.Fprintf(a.stdout, "kept in: %s\n", keep)
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
