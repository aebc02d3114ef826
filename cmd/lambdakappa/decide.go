package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"lambdakappa/bench/decide"
	"lambdakappa/bench/report"
	"lambdakappa/bench/result"
	"lambdakappa/results"
)

// decide is the command "decide".
func (a *app) decide() *cobra.Command {
	given := map[string]*float64{}
	c := &cobra.Command{
		Use:   "decide [RUN]",
		Short: "Compute the trade-off for your own numbers, from what a run has measured",
		Long: `Compute the trade-off for your own numbers, from what a run has measured: cores, disks, changes and a price, each with
its arithmetic, an interval, and what it does not say. Without RUN, the committed reference run is taken.`,
		Example: `  lambdakappa decide --rate 50000 --history 365 --interval 1440

  # with your prices, and what people cost you
  lambdakappa decide --core 0.04 --disk 0.08 --files 0.023 --changes 2 --people-lambda 3000 --people-kappa 2000

  # measured on your machine, for an hour and more: lines take a full profile
  lambdakappa bench --profile full --scenario always-on,freshness,replay,retention,bugfix,ceiling
  lambdakappa decide results/latest --rate 50000`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("decide takes one folder of a run, such as results/latest")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.runDecide(args, given) },
	}
	for _, i := range decide.Inputs() {
		given[i.Name] = floatFlag(c, i)
	}
	return c
}

// floatFlag asks for an input in the unit in which people say it.
func floatFlag(c *cobra.Command, i decide.Input) *float64 {
	about := i.Label
	if i.Unit != "" {
		about += ", in `" + i.Unit + "`"
	}
	return c.Flags().Float64(i.Name, i.Default, about)
}

func (a *app) runDecide(args []string, given map[string]*float64) error {
	in := decide.Numbers{}
	for _, i := range decide.Inputs() {
		x := *given[i.Name]
		if !(x >= i.Least && x <= i.Most) {
			return usagef("--%s %v: takes %v to %v %s", i.Name, x, i.Least, i.Most, i.Unit)
		}
		in[i.Name] = x * i.InUnit
	}
	s, err := measuredRun(args)
	if err != nil {
		return err
	}
	model, err := decide.Measure(s)
	if err != nil {
		return fmt.Errorf("%w; without a folder, the committed reference run is taken", err)
	}
	model.Print(a.stdout, in)
	return nil
}

// measuredRun is the run that was named, or the reference run.
func measuredRun(args []string) (*result.Summary, error) {
	if len(args) == 1 {
		return report.Load(args[0])
	}
	s, err := referenceRun()
	if s == nil && err == nil {
		return nil, usagef("there is no reference run: name a folder, such as results/latest")
	}
	return s, err
}

// referenceRun is the committed run that others are held against; nil when there is none.
func referenceRun() (*result.Summary, error) {
	raw := results.Reference()
	if raw == nil {
		return nil, nil
	}
	return report.Parse("the reference run", raw)
}
