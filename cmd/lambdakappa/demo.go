package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"lambdakappa/bench"
	"lambdakappa/bench/doctor"
	"lambdakappa/bench/live"
)

func (a *app) demo() *cobra.Command {
	cfg := live.DefaultConfig()
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show both architectures at work on a live page, with buttons that really do it",
		Long: `Start a broker, a generator and all parts of both architectures as processes of this machine, and serve a page
that shows them at work: events on their way, how fresh and how right the answers of either side are against a truth that is
computed beside them, and buttons that send late, double and broken events, kill and restart parts, take the broker away and
deploy another version of the logic.

It runs for as long as you like: log, views and master dataset keep the last ten minutes (--keep). Ctrl-C ends everything and
removes what it has written. Nothing but this machine can reach the page unless --listen says so. Where 'lambdakappa doctor'
has found that half of what this machine sustains is less than the page's own rate, it takes that half.`,
		Example: `  lambdakappa demo
  lambdakappa demo --rate 500                 # for a small laptop
  lambdakappa demo --listen 0.0.0.0:8090      # for the room: everybody who reaches this machine may press the buttons`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !c.Flags().Changed("rate") {
				cfg.Rate = a.gentleRate(cfg.Rate)
			}
			return a.runDemo(c, cfg)
		},
	}
	flags := c.Flags()
	flags.StringVar(&cfg.Listen, "listen", cfg.Listen, "`host:port` of the page; port 0 takes a free one; by default "+
		live.DefaultListen+", or a free one where that is taken")
	flags.Float64Var(&cfg.Rate, "rate", cfg.Rate, "events per second")
	flags.IntVar(&cfg.Cars, "cars", 0, "in the fleet; by default as many as events per second")
	flags.DurationVar(&cfg.Interval, "interval", cfg.Interval, "between the starts of two batch runs, to begin with")
	flags.DurationVar(&cfg.Keep, "keep", cfg.Keep, "how far back log, views and master dataset go")
	flags.StringVar(&cfg.Dir, "dir", "", "new or empty `folder` for data and logs; by default a temporary one")
	flags.Uint64Var(&cfg.Seed, "seed", cfg.Seed, "of the cars")
	return c
}

// gentleRate is the page's own rate, or half of what this machine sustains where doctor has found that to be
// less: a browser runs beside it.
func (a *app) gentleRate(own float64) float64 {
	half, known := a.half()
	if !known || half >= own {
		return own
	}
	a.sayHalf(half)
	return half
}

// half is half of the rate that doctor has found this machine to sustain, when it was asked.
func (a *app) half() (eventsPerSecond float64, known bool) {
	sustained, _, known := doctor.Sustained()
	return float64(sustained / 2), known
}

// sayHalf says that doctor's word is taken.
func (a *app) sayHalf(half float64) {
	_, when, _ := doctor.Sustained()
	fmt.Fprintf(a.stderr, "%.0f events/s, half of what 'lambdakappa doctor' has found on %s; --rate takes others\n",
		half, when.Format(time.DateOnly))
}

func (a *app) runDemo(c *cobra.Command, cfg live.Config) error {
	cfg.Revision, cfg.Broker = revision(), bench.EmbeddedBroker()
	cfg.Say = func(format string, args ...any) { fmt.Fprintf(a.stderr, format+"\n", args...) }
	if err := nameFlag(c, cfg.Validate()); err != nil {
		return err
	}
	return live.Run(c.Context(), cfg, func(address string, room []string) {
		fmt.Fprintf(a.stdout, "%s\n", address)
		for _, others := range room {
			fmt.Fprintf(a.stderr, "for the room: %s\n", others)
		}
		fmt.Fprintf(a.stderr, "the page is at %s; Ctrl-C ends it\n", address)
	})
}
