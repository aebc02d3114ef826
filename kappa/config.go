package kappa

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// Config is what every component of Kappa is given. Start from [DefaultConfig].
type Config struct {
	Log     *eventlog.Log
	Rules   event.Rules
	Version string   // of the logic, "v1" and later
	Views   view.Set // what is kept; with Version it names the view, its changelog and its group

	// Input is the topic that a processor reads, a copy of the log, see [Republish]; "" is the log
	// itself.
	Input string

	// Archive is where a replay finds the history before the log's, see archivereplay.go: the Dir of
	// a sink, or of Lambda. "" is to read the log alone.
	//
	//bench:only kappa-archived
	Archive string

	// Guarantee is what a crash of a processor may do to what it writes. Whoever reads what it has
	// written needs no other setting.
	Guarantee Guarantee

	Linger         time.Duration // view updates wait this long for company while near the log's end
	CatchUpLinger  time.Duration // and this long while far behind: a window is rewritten less often
	CommitInterval time.Duration // between commits of the position: what a crash has to read again

	// ViewRetention is how far behind the watermark, in event time, rows are kept by serving, and in the
	// changelog and the side topics: see retention.go and trail.go. 0 keeps everything. Processor and
	// serving are given the same.
	ViewRetention time.Duration

	//bench:only kappa-archived
	Dir string // of the sink alone: holds master/ and windows/, see archive.go
	//bench:only kappa-archived
	ArchiveWindows bool // windows/ is written as well, for who wants closed windows and not events
	//bench:only kappa-archived
	RollInterval time.Duration // an archive file is closed at the latest this long after its first row
	//bench:only kappa-archived
	RollRows int // or when it has this many rows

	Mistakes Mistakes // to be made on purpose; none by default

	// Notify is told facts of operation, such as "restored"; fields are alternating names and
	// values. It may be nil. Components never log.
	Notify func(fact string, fields ...any)

	// fault is called at every step whose crash would matter; tests let it fail there.
	fault func(step string) error

	unsynced bool // nothing is made durable: for tests that lose no power
}

// DefaultConfig is the configuration of the benchmark, without Log.
func DefaultConfig() Config {
	return Config{
		Rules:          event.DefaultRules(),
		Version:        "v1",
		Views:          view.All,
		Guarantee:      AtLeastOnce,
		Linger:         5 * time.Millisecond,
		CatchUpLinger:  500 * time.Millisecond,
		CommitInterval: 200 * time.Millisecond,
		ArchiveWindows: true,            //bench:only kappa-archived
		RollInterval:   2 * time.Second, //bench:only kappa-archived
		//bench:only kappa-archived
		RollRows: 1 << 18, // 10 MB of compressed pages in memory per partition
	}
}

// Validate returns an error that names the first field that cannot work.
func (c Config) Validate() error {
	if c.Log == nil {
		return fmt.Errorf("log: must be given")
	}
	if err := checkVersion(c.Version); err != nil {
		return err
	}
	if c.RollRows <= 0 { //bench:only kappa-archived
		return fmt.Errorf("roll rows %d: must be above 0", c.RollRows)
	}
	if err := c.Views.Validate(); err != nil {
		return err
	}
	if err := c.Guarantee.validate(); err != nil {
		return err
	}
	if c.Archive != "" && c.Guarantee == ExactlyOnce { //bench:only kappa-archived
		return fmt.Errorf("archive: is read %s; a replay of the log, or of 'kappa republish', can be %s",
			AtLeastOnce, ExactlyOnce)
	}
	if c.Archive != "" && c.ViewRetention > 0 { //bench:only kappa-archived
		return fmt.Errorf("archive: a view of it keeps everything; give no view retention")
	}
	for _, f := range []struct {
		name  string
		value time.Duration
	}{
		{"roll interval", c.RollInterval}, //bench:only kappa-archived
		{"linger", c.Linger},
		{"catch-up linger", c.CatchUpLinger},
		{"commit interval", c.CommitInterval},
	} {
		if f.value <= 0 {
			return fmt.Errorf("%s %s: must be above 0", f.name, f.value)
		}
	}
	if err := c.Rules.Validate(); err != nil {
		return err
	}
	return c.Rules.CheckRetention(c.ViewRetention.Milliseconds())
}

func checkVersion(version string) error {
	if _, known := logicOf(version); known {
		return nil
	}
	var names []string
	for _, l := range logics {
		names = append(names, l.version)
	}
	return fmt.Errorf("version %q: must be one of %s", version, strings.Join(names, ", "))
}

// input is the topic that a processor reads.
func (c Config) input() string { return cmp.Or(c.Input, eventlog.CarsTopic) }

func (c Config) notify(fact string, fields ...any) {
	if c.Notify != nil {
		c.Notify(fact, fields...)
	}
}

// noteLost says that the log has forgotten [from, start) before a component has read it, and that it
// goes on without. Where a view that is there already would have a gap, that is an error instead.
func (c Config) noteLost(component string, partition int, from, start int64) {
	if from < start {
		c.notify("lost", "component", component, "version", c.Version, "partition", partition, "from", from, "to", start)
	}
}

// step gives tests a place to crash.
func (c Config) step(name string) error {
	if c.fault == nil {
		return nil
	}
	return c.fault(name)
}

// The topics that Kappa writes besides the changelogs; all but the control topic have as many
// partitions as the input, and what belongs to an input partition is in the partition of the
// same number.
const (
	DeadLettersTopic = "kappa.dead-letters"
	LateTopic        = "kappa.late"
	AlertsTopic      = "kappa.alerts"
	ControlTopic     = "kappa.control" // which version is live, see control.go
)

// ChangelogTopic is the topic of one view (see [Config.ViewName]): written by its processor, read by
// serving and by the processor itself when it restores its state.
func ChangelogTopic(name string) string { return "kappa.changelog." + name }

// group is the consumer group of one view's processor: a replay beside the live view has a position
// of its own.
func group(name string) string { return "kappa-" + name }

// CreateTopics creates the topics of Kappa for an input of the given number of partitions and
// for one view (see [Config.ViewName]).
func CreateTopics(ctx context.Context, log *eventlog.Log, partitions int, name string) error {
	return createTopics(ctx, log, partitions, name, nil)
}

// CreateTopics creates the topics of Kappa for an input of the given number of partitions, and for the view and
// the retention of the configuration.
func (c Config) CreateTopics(ctx context.Context, log *eventlog.Log, partitions int) error {
	var settings map[string]string
	if c.ViewRetention > 0 {
		settings = eventlog.Short()
	}
	return createTopics(ctx, log, partitions, c.ViewName(), settings)
}

// createTopics creates the topics, with settings of those that a retention trims. The control topic is never
// trimmed: its records are few, and what they say holds until the next.
func createTopics(
	ctx context.Context, log *eventlog.Log, partitions int, name string, settings map[string]string,
) error {
	return log.CreateTopics(ctx,
		eventlog.TopicSpec{Name: DeadLettersTopic, Partitions: partitions, Trimmed: true, Settings: settings},
		eventlog.TopicSpec{Name: LateTopic, Partitions: partitions, Trimmed: true, Settings: settings},
		eventlog.TopicSpec{Name: AlertsTopic, Partitions: partitions, Settings: settings},
		eventlog.TopicSpec{Name: ControlTopic, Partitions: 1, Compacted: true},
		eventlog.TopicSpec{Name: ChangelogTopic(name), Partitions: partitions, Trimmed: true, Settings: settings},
	)
}
