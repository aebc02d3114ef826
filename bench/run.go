package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lambdakappa/bench/cluster"
	"lambdakappa/bench/ledger"
	"lambdakappa/bench/report"
	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
	"lambdakappa/internal/eventlog"
	"lambdakappa/results"
)

// Run runs the scenarios one after the other and leaves a results folder. The summary is returned
// (and is on disk) with whatever was measured, also beside an error and after Ctrl-C.
//
// A wrong answer is no error of Run: ask the summary. An error means that the benchmark itself
// could not go on.
func Run(ctx context.Context, o Options) (*result.Summary, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := o.findNodes(); err != nil {
		return nil, err
	}
	if err := o.findCluster(ctx); err != nil {
		return nil, err
	}
	if o.Resume != "" {
		f, earlier, err := resumed(o)
		if err != nil {
			return nil, err
		}
		return runIn(ctx, o, f, earlier)
	}
	f, err := newFolder(o.Out, folderName(o), time.Now())
	if err != nil {
		return nil, err
	}
	return runIn(ctx, o, f, nil)
}

// runIn is Run into a folder that was created for it, or goes on with what is there from earlier.
func runIn(ctx context.Context, o Options, f *folder, earlier *result.Summary) (*result.Summary, error) {
	asked, err := o.asked()
	if err != nil {
		return nil, err
	}
	d, err := newDriver(o, f, asked, earlier)
	if err != nil {
		return nil, err
	}
	err = d.run(ctx)
	return d.summary, errors.Join(err, d.finish())
}

// findNodes takes the brokers of a cluster on this machine.
func (o *Options) findNodes() error {
	if o.Cluster == "" {
		return nil
	}
	c, err := cluster.Find(o.Cluster)
	if err != nil {
		return fmt.Errorf("%w; start one with 'lambdakappa kafka up'", err)
	}
	o.Brokers = c.Brokers()
	return nil
}

// findCluster makes sure that a cluster of the user's can be reached, and has what a run needs, before
// anything is begun.
func (o *Options) findCluster(ctx context.Context) error {
	if len(o.Brokers) == 0 {
		return nil
	}
	log, err := eventlog.Open(ctx, eventlog.Config{Brokers: o.Brokers, Registry: o.Registry, Security: o.Security})
	if err != nil {
		return err
	}
	err = log.Probe(ctx)
	if err == nil {
		o.kafka, err = describeCluster(ctx, log)
	}
	return errors.Join(err, log.Close())
}

// describeCluster says what can be known of a cluster: how many brokers it has, and of what kind.
func describeCluster(ctx context.Context, log *eventlog.Log) (string, error) {
	version, err := log.Version(ctx)
	if err != nil {
		return "", err
	}
	brokers, err := log.Brokers(ctx)
	return fmt.Sprintf("%d brokers, %s by the requests that they answer", len(brokers), version), err
}

// A driver is one invocation of the benchmark.
type driver struct {
	opt      Options
	asked    []*Scenario
	scenario *Scenario // that is being run
	folder   *folder
	progress *progress
	summary  *result.Summary
	began    time.Time
	before   float64         // seconds of earlier parts, when an invocation is resumed
	numbers  map[string]int  // runs so far, by scenario and arm: names folders
	controls map[string]cost // control runs so far, by workload

	reference *result.Summary // the committed run; nil when there is none
}

func newDriver(o Options, f *folder, asked []*Scenario, earlier *result.Summary) (*driver, error) {
	d := &driver{
		opt: o, asked: asked, folder: f, began: time.Now(),
		progress: newProgress(o, asked), summary: newSummary(o, f),
		numbers: map[string]int{}, controls: map[string]cost{},
	}
	if earlier != nil {
		d.restore(earlier)
	}
	if raw := results.Reference(); raw != nil {
		var err error
		if d.reference, err = report.Parse("reference run", raw); err != nil {
			return nil, err
		}
	}
	d.summary.Interrupted = true // until everything has ended: a driver may die without a word
	if err := d.writeMachine(); err != nil {
		return nil, err
	}
	return d, d.save()
}

func (d *driver) run(ctx context.Context) error {
	for _, s := range d.asked {
		if s.procedure == nil {
			continue
		}
		d.scenario = s
		d.progress.scenario(s, d.opt)
		if err := s.procedure.run(ctx, d, s); err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("interrupted in scenario %s: %w", s.Name, context.Cause(ctx))
			}
			return fmt.Errorf("scenario %s: %w", s.Name, err)
		}
	}
	d.summary.Interrupted = false
	return nil
}

// add notes a finished run and writes the summary, so that what was measured is kept whatever
// comes next.
func (d *driver) add(r result.Run) error {
	d.summary.Runs = append(d.summary.Runs, r)
	return d.save()
}

func (d *driver) save() error {
	d.summary.Seconds = d.before + time.Since(d.began).Seconds()
	d.summary.Scenarios = d.claims()
	return d.folder.writeSummary(d.summary)
}

// claims holds every scenario, those of the project and the user's own, against what was measured so
// far.
func (d *driver) claims() []result.Scenario {
	var all []result.Scenario
	asked := map[string]*scenarios.Scenario{} // by file: the command line may have given it more arms
	for _, s := range d.asked {
		asked[s.File()] = s.Scenario
	}
	for _, q := range scenarios.Builtin() {
		if own := asked[q.File()]; own != nil {
			q = own
		}
		delete(asked, q.File())
		all = append(all, d.claim(q))
	}
	for _, s := range d.asked {
		if own := asked[s.File()]; own != nil {
			all = append(all, d.claim(own))
		}
	}
	return all
}

// claim holds one scenario against what was measured, and against what the reference run has decided.
func (d *driver) claim(q *scenarios.Scenario) result.Scenario {
	judged := ledger.Judge(q, d.summary)
	ledger.Refer(&judged, d.reference)
	return judged
}

// finish removes the run data, writes what stands beside the summary and draws the report. The run
// data goes first: on a disk that has filled up, the rest then has room.
func (d *driver) finish() error {
	d.progress.close()
	var err error
	if !d.opt.Keep {
		err = d.folder.removeWork()
	}
	written := errors.Join(d.save(), d.folder.writeSamples(d.summary))
	if written == nil {
		written = report.Write(d.folder.path, d.summary, d.reference)
	}
	err = errors.Join(err, written, d.folder.markLatest())
	d.printSummary()
	return err
}
