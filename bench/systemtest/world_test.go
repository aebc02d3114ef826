package systemtest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lambdakappa/bench/oracle"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/kappa"
	"lambdakappa/view"
)

// Short waits: what is tested is the answers, and every wait is one of the suite's.
const (
	linger         = time.Millisecond
	commitInterval = 5 * time.Millisecond
)

// patience is how long both sides may take for one command. It is there to end a test that
// hangs; nothing is asserted about time.
const patience = 30 * time.Second

// tick is how often a state is asked for that is waited for.
const tick = 2 * time.Millisecond

// A world is one log, both sides on it, and what was put on the log.
type world struct {
	ctx        context.Context
	cfg        eventlog.Config
	log        *eventlog.Log
	sides      []*side
	rules      event.Rules
	keep       int64 // ms of event time behind the watermark that rows are kept; 0 is everything
	version    string
	deployed   bool     // in the place of another one
	views      view.Set // that are served
	sinceStart view.Set // that every event was judged for as it came
	partitions int

	encoder *event.Encoder
	decoder *event.Decoder
	sent    map[oracle.Position]eventlog.Record
	entries []oracle.Entry
	ends    []int64
}

// settings are what "open" may say.
type settings struct {
	prefix      string // of the log's names: worlds may share a broker
	dir         string // for Lambda's files
	partitions  int
	window      time.Duration
	gap         time.Duration
	version     string
	views       view.Set
	incremental bool
	retention   time.Duration // of rows; 0 keeps everything
	guarantee   string        // of Kappa; "" is its default
	mistake     string        // that both sides make on purpose, if they can

	notify func(side, fact string, fields ...any) // is told what components say; may be nil
}

// heard is who is told what the components of a side say.
func (s settings) heard(side string) func(fact string, fields ...any) {
	if s.notify == nil {
		return nil
	}
	return func(fact string, fields ...any) { s.notify(side, fact, fields...) }
}

func defaultSettings() settings {
	return settings{
		partitions: 1, window: 10 * time.Second, gap: 30 * time.Second, version: "v1", views: view.All,
	}
}

// openWorld creates the topics and starts every component of both sides.
func openWorld(ctx context.Context, cfg eventlog.Config, s settings) (*world, error) {
	cfg.Prefix += s.prefix
	rules := event.DefaultRules()
	rules.Window, rules.TripGap = s.window.Milliseconds(), s.gap.Milliseconds()
	w := &world{
		ctx: ctx, cfg: cfg, rules: rules, version: s.version, partitions: s.partitions,
		views: s.views, sinceStart: s.views, keep: s.retention.Milliseconds(),
		sent: map[oracle.Position]eventlog.Record{}, ends: make([]int64, s.partitions),
	}
	w.sides = []*side{
		newSide(&lambdaSystem{
			rules: rules, version: s.version, views: s.views, dir: filepath.Join(s.dir, "lambda"),
			incremental: s.incremental, retention: s.retention, notify: s.heard("lambda"),
			mistakes: lambdaMistakes[s.mistake],
		}, cfg),
		newSide(&kappaSystem{
			rules: rules, version: s.version, views: s.views, dir: filepath.Join(s.dir, "kappa"),
			notify: s.heard("kappa"), mistakes: kappaMistakes[s.mistake],
			guarantee: kappa.Guarantee(s.guarantee), retention: s.retention,
		}, cfg),
	}
	var err error
	if w.log, err = eventlog.Open(ctx, cfg); err != nil {
		return nil, err
	}
	if err := w.createLog(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	for _, side := range w.sides {
		for _, part := range side.parts() {
			if err := side.start(part); err != nil {
				return nil, errors.Join(err, w.close())
			}
		}
	}
	return w, nil
}

func (w *world) createLog() error {
	cars := eventlog.TopicSpec{Name: eventlog.CarsTopic, Partitions: w.partitions}
	if err := w.log.CreateTopics(w.ctx, cars); err != nil {
		return err
	}
	ids, err := w.log.RegisterSchemas(w.ctx, event.Subject, event.Schemas[:]...)
	if err != nil {
		return err
	}
	w.encoder, w.decoder = event.NewEncoder(ids...), event.NewDecoder(w.log)
	for _, side := range w.sides {
		if err := side.createTopics(w.ctx, w.log, w.partitions); err != nil {
			return err
		}
	}
	return nil
}

// close ends every component.
func (w *world) close() error {
	var errs []error
	for _, side := range w.sides {
		errs = append(errs, side.stop())
	}
	return errors.Join(append(errs, w.log.Close())...)
}

// side returns the side of that name.
func (w *world) side(name string) (*side, error) {
	i := slices.IndexFunc(w.sides, func(s *side) bool { return s.name() == name })
	if i < 0 {
		return nil, fmt.Errorf("side %q: there are lambda and kappa", name)
	}
	return w.sides[i], nil
}

// send puts events on the log, one a line of "send", and returns their positions. Nobody else
// appends to the log, so a position is known before the event is there: a line may say "again"
// of a line before it.
func (w *world) send(lines []string) ([]oracle.Position, error) {
	first := slices.Clone(w.ends)
	byPartition := make([][]eventlog.Record, w.partitions)
	var places []oracle.Position
	for _, line := range lines {
		r, err := w.recordOf(line)
		if err != nil {
			return nil, err
		}
		partition := eventlog.PartitionOf(r.Key, w.partitions)
		at := oracle.Position{Partition: partition, Offset: w.ends[partition]}
		w.sent[at] = r
		w.ends[partition]++
		if err := w.remember(at, r); err != nil {
			return nil, err
		}
		places = append(places, at)
		byPartition[partition] = append(byPartition[partition], r)
	}
	for partition, records := range byPartition {
		if len(records) == 0 {
			continue
		}
		offset, err := w.log.Append(w.ctx, eventlog.CarsTopic, partition, records)
		if err != nil {
			return nil, err
		}
		if offset != first[partition] {
			return nil, fmt.Errorf("sent to offset %d of partition %d, not %d", offset, partition, first[partition])
		}
	}
	return places, nil
}

func (w *world) recordOf(line string) (eventlog.Record, error) {
	if place, again := strings.CutPrefix(line, "again "); again {
		var at oracle.Position
		if _, err := fmt.Sscanf(place, "%d/%d", &at.Partition, &at.Offset); err != nil {
			return eventlog.Record{}, fmt.Errorf("line %q: want again PARTITION/OFFSET", line)
		}
		r, known := w.sent[at]
		if !known {
			return r, fmt.Errorf("line %q: nothing was sent there", line)
		}
		return r, nil
	}
	d, err := parseDraft(line)
	if err != nil {
		return eventlog.Record{}, err
	}
	return d.record(w.encoder)
}

// remember adds an event to what the oracle will be told.
func (w *world) remember(at oracle.Position, r eventlog.Record) error {
	entry := oracle.Entry{
		Partition: at.Partition, Offset: at.Offset, AppendTime: r.AppendTime,
		Fingerprint: event.Fingerprint(r.Value),
	}
	var e event.CarSensor
	var reject *event.Reject
	switch err := w.decoder.Decode(r.Key, r.Value, &e); {
	case err == nil:
		entry.Event = &e
	case errors.As(err, &reject):
		entry.Reject = reject.Reason
	default:
		return err
	}
	w.entries = append(w.entries, entry)
	return nil
}

// oracle knows the log so far.
func (w *world) oracle() (*oracle.Oracle, error) {
	o, err := oracle.New(oracle.Config{
		WindowMs: w.rules.Window, DisorderMs: w.rules.DisorderBound,
		LatenessMs: w.rules.AllowedLateness, SkewMs: w.rules.MaxFutureSkew,
		Version: w.version, Partitions: w.partitions,
		Trips: w.views.Has(view.Trips), TripGapMs: w.rules.TripGap, IntervalMs: w.rules.ReadingInterval,
	})
	if err != nil {
		return nil, err
	}
	for _, e := range w.entries {
		o.Add(e)
	}
	return o, nil
}

// await asks until done, a component fails, or patience ends. The error that comes with "not yet"
// says what is missing.
func (w *world) await(what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	for {
		ok, missing := done()
		if ok {
			return nil
		}
		for _, side := range w.sides {
			if err := side.healthy(); err != nil {
				return fmt.Errorf("wait for %s: %w", what, err)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: not within %s: %w", what, patience, missing)
		case <-time.After(tick):
		}
	}
}
