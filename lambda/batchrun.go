package lambda

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"lambdakappa/internal/eventlog"
)

// Batch runs the batch layer every Interval until ctx ends. A run that fails leaves the old view
// in place, is reported and tried again at the next interval.
func Batch(ctx context.Context, cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	ticker := time.NewTicker(cfg.Interval)
	defer ticker.Stop()
	for {
		if _, err := RunBatch(ctx, cfg); err != nil && ctx.Err() == nil {
			cfg.notify("batch failed", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// RunBatch computes the batch view once from the master dataset as it is on disk and publishes it
// as the next generation.
func RunBatch(ctx context.Context, cfg Config) (Manifest, error) {
	if err := cfg.Validate(); err != nil {
		return Manifest{}, err
	}
	partitions, err := cfg.Log.Partitions(ctx, eventlog.CarsTopic)
	if err != nil {
		return Manifest{}, fmt.Errorf("batch: %w", err)
	}
	m, err := runBatch(ctx, cfg, partitions)
	if err != nil {
		return Manifest{}, fmt.Errorf("batch: %w", err)
	}
	return *m, nil
}

// runBatch is RunBatch without a log: all that the batch layer has to know of it is the number of
// partitions.
func runBatch(ctx context.Context, cfg Config, partitions int) (*Manifest, error) {
	for _, dir := range []string{cfg.viewsDir(), cfg.remainsDir()} {
		if err := removeLeftovers(dir, leftoverPrefix); err != nil {
			return nil, fmt.Errorf("remove leftovers: %w", err)
		}
	}
	run, err := cfg.planBatch(partitions)
	if err != nil {
		return nil, err
	}
	cfg.notify("batch run", "generation", run.manifest.Generation, "version", run.manifest.Version)
	started := time.Now()
	if err := run.each(ctx, (*batchPartition).read); err != nil {
		return nil, err
	}
	read := time.Now()
	if err := run.write(ctx, started, read); err != nil {
		return nil, errors.Join(err, os.RemoveAll(run.aside))
	}
	if cfg.ViewRetention > 0 {
		if err := run.trim(); err != nil {
			return nil, err
		}
	}
	m := &run.manifest
	cfg.notify("generation", "generation", m.Generation, "version", m.Version, "logic", m.Logic,
		"base", m.Base,
		"rows", m.Rows, "windows", m.Windows, "boundary", m.boundaries(),
		"trips", //bench:change view
		m.Trips, //bench:change view
		"read_ms", m.ReadMS, "write_ms", m.WriteMS, "columns", m.Columns, "remembered_bytes", run.remembered())
	return m, nil
}

// A batchRun is one run of the batch layer.
type batchRun struct {
	cfg        Config
	manifest   Manifest
	partitions []*batchPartition
	aside      string // the folder that becomes the generation's
}

// planBatch decides what the next run covers: everything that ingest has published so far. It
// goes on from the previous generation if that is asked for and possible.
func (c Config) planBatch(partitions int) (*batchRun, error) {
	previous, err := c.newestManifest()
	if err != nil {
		return nil, fmt.Errorf("read previous generation: %w", err)
	}
	master, err := c.scanMaster()
	if err != nil {
		return nil, err
	}
	left, err := c.readRemains()
	if err == nil {
		err = left.allow(c.Views, c.Rules)
	}
	if err != nil {
		return nil, fmt.Errorf("read remains: %w", err)
	}
	run := &batchRun{cfg: c, manifest: Manifest{
		Generation: 1, Version: c.Version, Views: c.Views, Rules: c.Rules, Logic: c.Logic,
		Mistake: c.Mistakes.ofBatch(),
	}}
	for p := range partitions {
		run.partitions = append(run.partitions, newBatchPartition(c, p, master[p], left))
		run.manifest.Columns = run.partitions[p].logic.names()
	}
	if left != nil { // its number is taken, also when somebody has removed the views
		run.manifest.Generation = left.Generation + 1
	}
	if previous == nil {
		return run, nil
	}
	run.manifest.Generation = max(run.manifest.Generation, previous.Generation+1)
	if c.Incremental && left == nil && run.continues(previous) {
		run.manifest.Base = previous.Generation
		for p, part := range run.partitions {
			part.continueFrom(previous, previous.Partitions[p])
		}
	}
	return run, nil
}

// continues reports whether the run can go on from a previous generation: the same logic and mistakes, and in
// every partition a file that begins where it ended.
func (r *batchRun) continues(previous *Manifest) bool {
	if previous.Version != r.cfg.Version || previous.Views != r.cfg.Views || previous.Rules != r.cfg.Rules ||
		previous.Mistake != r.manifest.Mistake ||
		len(previous.Partitions) != len(r.partitions) {
		return false
	}
	for p, part := range r.partitions {
		if !part.hasCut(previous.Partitions[p].Boundary) || previous.Partitions[p].KeptFrom > 0 {
			return false
		}
	}
	return true
}

// each runs f for all partitions, as many at a time as there are cores.
func (r *batchRun) each(ctx context.Context, f func(*batchPartition, context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, part := range r.partitions {
		group.Go(func() error { return f(part, ctx) })
	}
	return group.Wait()
}

// write writes the view aside and publishes it.
func (r *batchRun) write(ctx context.Context, started, read time.Time) error {
	if err := os.MkdirAll(r.cfg.viewsDir(), 0o755); err != nil {
		return err
	}
	aside, err := os.MkdirTemp(r.cfg.viewsDir(), leftoverPrefix)
	if err != nil {
		return err
	}
	r.aside = aside
	err = r.each(ctx, func(p *batchPartition, _ context.Context) error { return p.write(aside) })
	if err != nil {
		return err
	}
	r.summarize()
	r.manifest.ReadMS = read.Sub(started).Milliseconds()
	r.manifest.WriteMS = time.Since(read).Milliseconds()
	return r.cfg.publish(&r.manifest, aside)
}

// summarize adds up the partitions in the manifest.
func (r *batchRun) summarize() {
	m := &r.manifest
	for _, part := range r.partitions {
		m.Partitions = append(m.Partitions, part.manifest)
		m.Counters.Add(part.manifest.Counters)
		m.Rows += part.rows
		m.Windows += part.fold.windowsKept()
		m.Alerts += part.fold.alertsKept()
		m.Trips += part.fold.tripsKept() //bench:change view
	}
}
