package main

import (
	"context"

	"github.com/spf13/cobra"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/redrive"
)

// redrive belongs to neither side: both have the same dead letters and read the same log.
func (a *app) redrive() *cobra.Command {
	var flags logFlags
	var repairs []string
	cfg := redrive.Config{Rules: event.DefaultRules()}
	c := &cobra.Command{
		Use:   "redrive --dead-letters TOPIC",
		Short: "Repair dead letters and append them to the log again, each at most once",
		Long: `Read the dead letters of a side, repair what can be repaired, and append it to the input log again with
its original append time. Both sides read it there: within the allowed lateness it counts at once; after
that, Lambda counts it with the next batch run, and Kappa with a replay that allows more lateness. What
was re-driven before, from the letters of either side, is left out. At the end it prints one fact:

  {"time":"…","event":"redriven","letters":12,"redriven":9,"already":2,"left":{"malformed":1}}

Repairs (--repair, several with commas); without any, what the decoder takes by now is re-driven:
  schema=99:1  the writer gave schema id 99 for 1
  header       the payload is the body alone, without magic byte and schema id
  magic        the first byte is wrong
  clock        the clock was ahead: the event took place when it was appended`,
		Example: `  lambdakappa redrive --dead-letters kappa.dead-letters --repair clock,schema=99:1 --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081
  lambdakappa redrive --dead-letters lambda.dead-letters --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if err := flags.check(); err != nil {
				return err
			}
			if cfg.Letters == "" {
				return usagef("--dead-letters is missing: give the topic of a side's, such as kappa.dead-letters")
			}
			if cfg.Repairs, err = redrive.Parse(repairs); err != nil {
				return &usageError{err}
			}
			return unlessEnded(c.Context(), a.runRedrive(c.Context(), flags, cfg))
		},
	}
	flags.add(c.Flags())
	c.Flags().StringVar(&cfg.Letters, "dead-letters", "", "`topic` to read (required)")
	c.Flags().StringSliceVar(&repairs, "repair", nil, "`ways` to make good what was refused; see above")
	c.Flags().Var((*milliseconds)(&cfg.Rules.MaxFutureSkew), "max-future-skew",
		"an event may be this far ahead of its append time, as the sides have it")
	return c
}

func (a *app) runRedrive(ctx context.Context, flags logFlags, cfg redrive.Config) error {
	log, err := eventlog.Open(ctx, flags.cfg)
	if err != nil {
		return err
	}
	defer log.Close()
	cfg.Log = log
	done, err := redrive.Run(ctx, cfg)
	if err != nil {
		return err
	}
	a.notify()("redriven", "letters", done.Letters, "redriven", done.Redriven,
		"already", done.Already, "left", done.Left)
	return nil
}
