package systemtest

import (
	"context"
	"fmt"
	"time"

	"lambdakappa/bench/oracle"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/lambda"
	"lambdakappa/view"
)

// lambdaSystem is Lambda to the suite.
type lambdaSystem struct {
	rules       event.Rules
	version     string
	views       view.Set
	dir         string
	incremental bool
	retention   time.Duration
	notify      func(fact string, fields ...any)
	mistakes    lambda.Mistakes
}

// lambdaMistakes are the mistakes that "open" may ask for.
var lambdaMistakes = map[string]lambda.Mistakes{
	"count-repeats": {CountRepeats: true},
	"naive-merge":   {NaiveMerge: true},
	"pin-v1":        {PinVersion: "v1"},
}

func (l *lambdaSystem) name() string    { return "lambda" }
func (l *lambdaSystem) parts() []string { return []string{"ingest", "speed", servingPart} }

// config is the configuration of the version of now.
func (l *lambdaSystem) config() lambda.Config {
	cfg := lambda.DefaultConfig()
	cfg.Rules, cfg.Version, cfg.Views = l.rules, l.version, l.views
	cfg.Dir, cfg.Incremental, cfg.ViewRetention = l.dir, l.incremental, l.retention
	cfg.Linger, cfg.CatchUpLinger, cfg.CommitInterval = linger, linger, commitInterval
	cfg.Notify = l.notify
	cfg.Mistakes = l.mistakes
	cfg.RollInterval = 20 * time.Millisecond // a master file is there soon after its events
	return cfg
}

func (l *lambdaSystem) createTopics(ctx context.Context, log *eventlog.Log, partitions int) error {
	return l.config().CreateTopics(ctx, log, partitions)
}

func (l *lambdaSystem) run(part string) (component, error) {
	cfg := l.config()
	switch part {
	case "ingest":
		return func(ctx context.Context, p *process) error {
			cfg.Log = p.log
			return lambda.Ingest(ctx, cfg)
		}, nil
	case "speed":
		return func(ctx context.Context, p *process) error {
			cfg.Log = p.log
			return lambda.Speed(ctx, cfg)
		}, nil
	case servingPart:
		return serve(func(ctx context.Context, log *eventlog.Log) (answering, error) {
			cfg.Log = log
			return lambda.NewServing(ctx, cfg)
		}), nil
	}
	return nil, fmt.Errorf("lambda has no %s", part)
}

func (l *lambdaSystem) batch(ctx context.Context, log *eventlog.Log) error {
	cfg := l.config()
	cfg.Log = log
	_, err := lambda.RunBatch(ctx, cfg)
	return err
}

// deploy: the next batch run has the new version and the views, and the speed layer follows it.
func (l *lambdaSystem) deploy(version string, views view.Set) map[string]component {
	l.version, l.views = version, views
	return nil
}

func (l *lambdaSystem) sideTopics() (deadLetters, late string) {
	return lambda.DeadLettersTopic, lambda.LateTopic
}

// owes: below the boundary Lambda knows no lateness, from there on it is judged like Kappa.
func (l *lambdaSystem) owes(o *oracle.Oracle, boundary []int64) oracle.Answer {
	return o.Lambda(boundary)
}
