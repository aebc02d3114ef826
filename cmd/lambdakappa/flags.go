package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/proc"
	"lambdakappa/view"
)

// logFlags say where the log is.
type logFlags struct {
	cfg        eventlog.Config
	security   securityFlags
	partitions int
	retention  time.Duration
}

func (f *logFlags) add(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.cfg.Brokers, "brokers", nil,
		"`host:port` of the log, several with commas (required)")
	flags.StringVar(&f.cfg.Registry, "schema-registry", "", "`URL` of the schema registry (required)")
	flags.StringVar(&f.cfg.Prefix, "prefix", "",
		"put before every topic and group `name`, so that several runs can share a cluster")
	flags.StringToStringVar(&f.cfg.Dial, "dial", nil,
		"`broker=proxy`, both host:port, several with commas: dial the proxy (or tunnel) in its place")
	flags.Lookup("dial").DefValue = ""
	f.security.add(flags)
	flags.StringVar(&f.cfg.Client, "client", eventlog.KafkaGo,
		"that appends: kafka-go, or franz-go, whose producer is idempotent")
	flags.StringVar((*string)(&f.cfg.Assignment), "assignment", string(eventlog.Eager),
		"of partitions to the processes of a group: eager, or cooperative; the same for all of them")
	flags.DurationVar(&f.cfg.SessionTimeout, "session-timeout", eventlog.DefaultSessionTimeout,
		"a group gives up a process that says nothing for so long; the brokers say how short that may be (Kafka: 6s by default)")
	flags.IntVar(&f.partitions, "partitions", 4, "number of partitions of the input topic, when it has to be created")
	flags.DurationVar(&f.retention, "log-retention", 0,
		"the broker deletes events that were appended longer ago, when the input topic has to be created; 0 keeps all")
}

func (f *logFlags) check() error {
	switch {
	case len(f.cfg.Brokers) == 0:
		return usagef("--brokers is missing: give the host:port of the log, " +
			`such as "lambdakappa broker" prints it`)
	case f.cfg.Registry == "":
		return usagef("--schema-registry is missing: give its URL, " +
			`such as "lambdakappa broker" prints it`)
	case f.partitions < 1:
		return usagef("--partitions %d: must be above 0", f.partitions)
	case f.retention < 0:
		return usagef("--log-retention %s: must not be negative; 0 keeps all", f.retention)
	}
	for _, broker := range f.cfg.Brokers {
		if _, _, err := net.SplitHostPort(broker); err != nil {
			return usagef("--brokers %s: takes host:port, several with commas", broker)
		}
	}
	var err error
	if f.cfg.Security, err = f.security.security(); err != nil {
		return err
	}
	return f.checkDial()
}

func (f *logFlags) checkDial() error {
	for broker, instead := range f.cfg.Dial {
		for _, addr := range []string{broker, instead} {
			if _, _, err := net.SplitHostPort(addr); err != nil {
				return usagef("--dial %s=%s: takes host:port=host:port, such as kafka-1:9092=127.0.0.1:19092",
					broker, instead)
			}
		}
	}
	return nil
}

// open connects to the log and returns the number of partitions of the input, which is created
// when it does not exist: components may be started in any order.
func (f *logFlags) open(ctx context.Context) (*eventlog.Log, int, error) {
	log, err := eventlog.Open(ctx, f.cfg)
	if err != nil {
		return nil, 0, err
	}
	partitions, err := f.input(ctx, log)
	if err != nil {
		_ = log.Close()
		return nil, 0, fmt.Errorf("open the input: %w", err)
	}
	return log, partitions, nil
}

func (f *logFlags) input(ctx context.Context, log *eventlog.Log) (int, error) {
	if n, err := log.Partitions(ctx, eventlog.CarsTopic); n > 0 || err != nil {
		return n, err
	}
	spec := eventlog.TopicSpec{Name: eventlog.CarsTopic, Partitions: f.partitions}
	if f.retention > 0 {
		spec.Settings = eventlog.Forgetting(f.retention)
	}
	if err := log.CreateTopics(ctx, spec); err != nil {
		return 0, err
	}
	return f.partitions, nil
}

// addRules adds the flags of the rules of time; both sides and the oracle need the same.
func addRules(flags *pflag.FlagSet, r *event.Rules) {
	flags.Var((*milliseconds)(&r.Window), "window", "length of a window, in event time")
	flags.Var((*milliseconds)(&r.DisorderBound), "disorder-bound",
		"the watermark trails the greatest event time by this")
	flags.Var((*milliseconds)(&r.AllowedLateness), "allowed-lateness",
		"a window takes updates for this long behind the watermark")
	flags.Var((*milliseconds)(&r.MaxFutureSkew), "max-future-skew",
		"an event may be this far ahead of its append time")
	flags.Var((*milliseconds)(&r.TripGap), "trip-gap",
		"a trip has no hole that is wider than this, in event time")
	flags.Var((*milliseconds)(&r.ReadingInterval), "reading-interval",
		"how often a car is meant to send: what a speed counts for in a distance")
}

// addViews adds the flag that says what is kept; all components of a side get the same.
func addViews(flags *pflag.FlagSet, s *view.Set) {
	flags.Var((*viewsFlag)(s), "views",
		"`list` of views to keep: windows,alerts or windows,alerts,trips")
}

// viewsFlag is a flag that takes names of views with commas.
type viewsFlag view.Set

func (v *viewsFlag) String() string { return view.Set(*v).String() }

// Type is the word for the value in the help.
func (v *viewsFlag) Type() string { return "views" }

// Set implements pflag.Value.
func (v *viewsFlag) Set(text string) error {
	set, err := view.ParseSet(text)
	*v = viewsFlag(set)
	return err
}

// addLingers adds the flags that trade latency for work; both sides have the same.
func addLingers(flags *pflag.FlagSet, linger, catchUp, commit *time.Duration) {
	flags.DurationVar(linger, "linger", *linger, "view updates are collected for so long")
	flags.DurationVar(catchUp, "catch-up-linger", *catchUp,
		"the same, while far behind the end of the log")
	flags.DurationVar(commit, "commit-interval", *commit, "between commits of the position")
}

// addViewRetention adds the flag that says how long rows are kept; all components of a side get the same.
func addViewRetention(flags *pflag.FlagSet, keep *time.Duration) {
	flags.DurationVar(keep, "view-retention", 0,
		"drop rows this far behind the watermark, in event time; 0 keeps all; the same for all components")
}

// addRolls adds the flags of what writes Parquet; both sides have the same.
func addRolls(c *cobra.Command, interval *time.Duration, rows *int) {
	c.Flags().DurationVar(interval, "roll-interval", *interval,
		"close a file this long after its first event")
	c.Flags().IntVar(rows, "roll-rows", *rows, "close a file that has so many rows")
}

// addDeduplicate adds the flag that makes a component count what comes twice; both sides have it.
func addDeduplicate(flags *pflag.FlagSet, countRepeats *bool) {
	flags.VarPF((*unless)(countRepeats), "deduplicate", "",
		"count a reading once; =false makes the mistake of counting it as often as it comes").
		NoOptDefVal = "true"
}

// unless is a flag that is true by default and sets the opposite.
type unless bool

func (u *unless) String() string { return strconv.FormatBool(!bool(*u)) }

// Type is the word for the value in the help.
func (u *unless) Type() string { return "bool" }

// Set implements pflag.Value.
func (u *unless) Set(text string) error {
	yes, err := strconv.ParseBool(text)
	*u = unless(!yes)
	return err
}

// addMerge adds the flag that says where the views of Lambda's layers meet.
func addMerge(flags *pflag.FlagSet, naive *bool) {
	flags.Var((*merge)(naive), "merge",
		"`how` the layers meet: boundary, or naive, which makes the mistake of adding views that overlap")
}

// merge is a flag that takes boundary or naive.
type merge bool

func (m *merge) String() string {
	if *m {
		return "naive"
	}
	return "boundary"
}

// Type is the word for the value in the help.
func (m *merge) Type() string { return "string" }

// Set implements pflag.Value.
func (m *merge) Set(text string) error {
	*m = text == "naive"
	if text != "naive" && text != "boundary" {
		return errors.New("neither boundary nor naive")
	}
	return nil
}

// milliseconds is a flag that takes a duration in whole milliseconds.
type milliseconds int64

func (m *milliseconds) String() string { return (time.Duration(*m) * time.Millisecond).String() }

// Type is the word for the value in the help.
func (m *milliseconds) Type() string { return "duration" }

// Set implements pflag.Value.
func (m *milliseconds) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d%time.Millisecond != 0 {
		return errors.New("not a duration in whole milliseconds")
	}
	*m = milliseconds(d.Milliseconds())
	return nil
}

// flagError says what a flag takes when its value cannot be read.
func flagError(_ *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return &usageError{err}
	}
	f := invalid.GetFlag()
	_, about := pflag.UnquoteUsage(f)
	return usagef("--%s %q: takes %s (%s)", f.Name, invalid.GetValue(), takes(f.Value.Type()), about)
}

// takes says in words what a type of flag takes.
func takes(kind string) string {
	switch kind {
	case "int":
		return "a whole number"
	case "uint64":
		return "a whole number from 0"
	case "float64":
		return "a number"
	case "duration":
		return "a duration in whole milliseconds, such as 10s or 5m"
	case "views":
		return "windows,alerts or windows,alerts,trips"
	case "time":
		return "a time in RFC 3339, such as 2026-11-22T23:30:00Z"
	default:
		return "a " + kind
	}
}

// nameFlag makes a usage error of what a Validate function says. Those begin with the name of
// what is wrong ("max future skew 40s: must be below …"); where c has a flag of that name, the
// user is told the flag.
func nameFlag(c *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	text, name := err.Error(), ""
	c.Flags().VisitAll(func(f *pflag.Flag) {
		words := strings.ReplaceAll(f.Name, "-", " ")
		if strings.HasPrefix(strings.ReplaceAll(text, "-", " "), words) && len(f.Name) > len(name) {
			name = f.Name
		}
	})
	if name != "" {
		text = "--" + name + text[len(name):]
	}
	return &usageError{fmt.Errorf("%s", text)}
}

// timeFlag is a flag that takes a moment.
type timeFlag time.Time

func (t *timeFlag) String() string {
	if time.Time(*t).IsZero() {
		return ""
	}
	return time.Time(*t).Format(time.RFC3339Nano)
}

// Type is the word for the value in the help.
func (t *timeFlag) Type() string { return "time" }

// Set implements pflag.Value.
func (t *timeFlag) Set(text string) error {
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return errors.New("not a time in RFC 3339")
	}
	*t = timeFlag(moment)
	return nil
}

// addBackground adds the flag of work that nobody waits for.
func addBackground(c *cobra.Command, background *bool) {
	c.Flags().BoolVar(background, "background", false,
		"give way to other processes of this machine, for as long as it runs")
}

// inBackground gives way if that is asked for.
func inBackground(background bool) error {
	if !background {
		return nil
	}
	return proc.Background()
}

// addListen adds the flag of components that answer over HTTP.
func addListen(c *cobra.Command, listen *string) {
	c.Flags().StringVar(listen, "listen", "127.0.0.1:0",
		"`host:port` to answer on; port 0 takes a free one, printed as the fact \"listening\"")
}
