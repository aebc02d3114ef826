package lambda

import (
	"context"
	"fmt"
	"strings"
	"time"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// Config is what every component of Lambda is given. Start from [DefaultConfig].
type Config struct {
	Log     *eventlog.Log
	Rules   event.Rules
	Version string   // of the logic, "v1" and later; the batch layer's version leads, speed follows it
	Views   view.Set // what is kept; the batch layer's leads as well
	Dir     string   // holds master/ and views/; shared by all components

	Logic       string        // of the batch layer, "columns" or "events", see batchlogic.go
	Incremental bool          // a batch run continues from the previous view where it can
	Interval    time.Duration // between the starts of two batch runs

	// ViewRetention is how far behind the watermark, in event time, rows are kept by serving and batch layer, files
	// of the master dataset, and records of the side topics: see retention.go, remains.go and trail.go. 0 keeps
	// everything. All components are given the same.
	ViewRetention time.Duration

	RollInterval time.Duration // a master file is closed at the latest this long after its first event
	RollRows     int           // or when it has this many rows

	Linger         time.Duration // view updates wait this long for company while near the log's end
	CatchUpLinger  time.Duration // and this long while far behind: a window is rewritten less often
	CommitInterval time.Duration // between commits of the side outputs' position

	Mistakes Mistakes // to be made on purpose; none by default

	// Notify is told facts of operation, such as "generation"; fields are alternating names and
	// values. It may be nil. Components never log.
	Notify func(fact string, fields ...any)

	// fault is called at every step whose crash would matter; tests let it fail there.
	fault func(step string) error

	unsynced bool // nothing is made durable: for tests that lose no power
}

// DefaultConfig is the configuration of the benchmark, without Log and Dir.
func DefaultConfig() Config {
	return Config{
		Rules:          event.DefaultRules(),
		Version:        "v1",
		Views:          view.All,
		Logic:          ByColumns,
		Interval:       10 * time.Second,
		RollInterval:   2 * time.Second,
		RollRows:       1 << 18, // 10 MB of compressed pages in memory per partition
		Linger:         5 * time.Millisecond,
		CatchUpLinger:  500 * time.Millisecond,
		CommitInterval: 200 * time.Millisecond,
	}
}

// Validate returns an error that names the first field that cannot work.
func (c Config) Validate() error {
	if c.Log == nil {
		return fmt.Errorf("log: must be given")
	}
	if c.Dir == "" {
		return fmt.Errorf("dir: must be given")
	}
	if err := checkVersion(c.Version); err != nil {
		return err
	}
	if err := checkVersion(c.Mistakes.speedVersion(c.Version)); err != nil {
		return fmt.Errorf("pin %w", err)
	}
	if err := checkLogic(c.Logic); err != nil {
		return err
	}
	if err := c.Views.Validate(); err != nil {
		return err
	}
	if c.RollRows <= 0 {
		return fmt.Errorf("roll rows %d: must be above 0", c.RollRows)
	}
	for _, f := range []struct {
		name  string
		value time.Duration
	}{
		{"interval", c.Interval},
		{"roll interval", c.RollInterval},
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
	if c.ViewRetention > 0 && c.Incremental {
		return fmt.Errorf("incremental: takes no view retention, under which a run over everything is bounded")
	}
	if c.ViewRetention > 0 && c.Mistakes.NaiveMerge {
		return fmt.Errorf("merge naive: keeps everything; give no view retention")
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

func (c Config) notify(fact string, fields ...any) {
	if c.Notify != nil {
		c.Notify(fact, fields...)
	}
}

// noteLost says that the log has forgotten [from, start) before a component has read it, and that it
// goes on without. Where a view that is there already would have a gap, that is an error instead.
func (c Config) noteLost(component string, partition int, from, start int64) {
	if from < start {
		c.notify("lost", "component", component, "partition", partition, "from", from, "to", start)
	}
}

// step gives tests a place to crash.
func (c Config) step(name string) error {
	if c.fault == nil {
		return nil
	}
	return c.fault(name)
}

// The topics that Lambda writes; each has as many partitions as the input, and what belongs to
// an input partition is in the partition of the same number.
const (
	DeadLettersTopic = "lambda.dead-letters" // written by ingest
	LateTopic        = "lambda.late"         // written by the speed layer
	AlertsTopic      = "lambda.alerts"       // written by the speed layer
	SpeedViewTopic   = "lambda.speed-view"   // from the speed layer to serving
)

// The consumer groups.
const (
	ingestGroup = "lambda-ingest"
	speedGroup  = "lambda-speed"
)

// CreateTopics creates the topics of Lambda for an input of the given number of partitions.
func CreateTopics(ctx context.Context, log *eventlog.Log, partitions int) error {
	return createTopics(ctx, log, partitions, nil)
}

// CreateTopics creates the topics of Lambda for an input of the given number of partitions, and for the retention
// of the configuration.
func (c Config) CreateTopics(ctx context.Context, log *eventlog.Log, partitions int) error {
	var settings map[string]string
	if c.ViewRetention > 0 {
		settings = eventlog.Short()
	}
	return createTopics(ctx, log, partitions, settings)
}

// createTopics creates the topics, with settings of those that a retention trims.
func createTopics(ctx context.Context, log *eventlog.Log, partitions int, settings map[string]string) error {
	return log.CreateTopics(ctx,
		eventlog.TopicSpec{Name: DeadLettersTopic, Partitions: partitions, Trimmed: true, Settings: settings},
		eventlog.TopicSpec{Name: LateTopic, Partitions: partitions, Trimmed: true, Settings: settings},
		eventlog.TopicSpec{Name: AlertsTopic, Partitions: partitions, Settings: settings},
		eventlog.TopicSpec{Name: SpeedViewTopic, Partitions: partitions, Trimmed: true, Settings: settings},
	)
}
