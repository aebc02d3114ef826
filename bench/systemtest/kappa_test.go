package systemtest

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"lambdakappa/bench/oracle"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/kappa"
	"lambdakappa/view"
)

// kappaSystem is Kappa to the suite.
type kappaSystem struct {
	rules    event.Rules
	version  string
	views    view.Set
	dir      string // of the sink
	archive  string // where a replay finds history; "" is the log
	notify   func(fact string, fields ...any)
	mistakes kappa.Mistakes

	guarantee kappa.Guarantee // "" is its default
	retention time.Duration
}

// kappaMistakes are the mistakes that "open" may ask for, as far as Kappa can make them.
var kappaMistakes = map[string]kappa.Mistakes{"count-repeats": {CountRepeats: true}}

func (k *kappaSystem) name() string    { return "kappa" }
func (k *kappaSystem) parts() []string { return []string{"processor", servingPart} }

// config is the configuration of the version of now.
func (k *kappaSystem) config() kappa.Config {
	cfg := kappa.DefaultConfig()
	cfg.Rules, cfg.Version, cfg.Views = k.rules, k.version, k.views
	cfg.Mistakes = k.mistakes
	cfg.ViewRetention = k.retention
	cfg.Guarantee = cmp.Or(k.guarantee, cfg.Guarantee)
	cfg.Linger, cfg.CatchUpLinger, cfg.CommitInterval = linger, linger, commitInterval
	cfg.Notify = k.notify
	return cfg
}

func (k *kappaSystem) createTopics(ctx context.Context, log *eventlog.Log, partitions int) error {
	return k.config().CreateTopics(ctx, log, partitions)
}

func (k *kappaSystem) run(part string) (component, error) {
	cfg := k.config()
	switch part {
	case "processor":
		return func(ctx context.Context, p *process) error {
			cfg.Log = p.log
			return kappa.Process(ctx, cfg)
		}, nil
	case "sink": // behind the pipeline: started by who needs it
		cfg.Dir, cfg.RollInterval = k.dir, 20*time.Millisecond
		return func(ctx context.Context, p *process) error {
			cfg.Log = p.log
			return kappa.Sink(ctx, cfg)
		}, nil
	case servingPart:
		return serve(func(ctx context.Context, log *eventlog.Log) (answering, error) {
			cfg.Log = log
			return kappa.NewServing(ctx, cfg)
		}), nil
	}
	return nil, fmt.Errorf("kappa has no %s", part)
}

func (k *kappaSystem) batch(context.Context, *eventlog.Log) error { return nil }

// deploy replays the log with the new version, or for more views; the replay becomes the processor.
func (k *kappaSystem) deploy(version string, views view.Set) map[string]component {
	k.version, k.views = version, views
	cfg := k.config()
	cfg.Archive = k.archive
	return map[string]component{
		"processor": func(ctx context.Context, p *process) error {
			cfg.Log = p.log
			return kappa.Replay(ctx, cfg, time.Time{}, time.Time{})
		},
	}
}

func (k *kappaSystem) sideTopics() (deadLetters, late string) {
	return kappa.DeadLettersTopic, kappa.LateTopic
}

// owes: Kappa judges every event once, in log order.
func (k *kappaSystem) owes(o *oracle.Oracle, _ []int64) oracle.Answer { return o.TruthB() }
