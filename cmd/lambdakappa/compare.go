package main

import (
	"github.com/spf13/cobra"

	"lambdakappa/bench/report"
)

// compare is the command "compare".
func (a *app) compare() *cobra.Command {
	all := false
	c := &cobra.Command{
		Use:   "compare BEFORE AFTER",
		Short: "Say what changed from one run to another",
		Long: `Say what changed from one run to another: answers, verdicts, and figures with their 95 % intervals.

A figure differs when its whole interval lies on one side of "no change" and its middle is beyond 10 %. It takes
four runs of each: a quick run repeats most scenarios once, a full one (bench --profile full) six times. What has
fewer is undecided, and counted apart: neither as a difference nor as none.`,
		Example: `  lambdakappa compare results/20261122T201500Z-quick results/latest

  # what this machine does other than the one of the reference run
  lambdakappa compare results/reference results/latest

  # what a change of the source did to one question
  lambdakappa bench --scenario freshness --repetitions 6    # before, and again after the change
  lambdakappa compare results/20261122T201500Z-freshness results/latest

  # every figure, those that do not differ as well
  lambdakappa compare --all results/before results/after`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("compare takes two folders of runs: the one before and the one after")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			before, err := report.Load(args[0])
			if err != nil {
				return err
			}
			after, err := report.Load(args[1])
			if err != nil {
				return err
			}
			report.Differences(a.stdout, before, after, all)
			return nil
		},
	}
	c.Flags().BoolVar(&all, "all", false, "print every figure, those that do not differ as well")
	return c
}
