package lambda

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"lambdakappa/event"
)

// A batchPartition is the part of a batch run that belongs to one partition. Partitions are
// independent: a car is in one of them.
type batchPartition struct {
	cfg       Config
	partition int
	chain     []segment // the whole master dataset of the partition
	fold      *batchFold
	logic     batchLogic // over fold
	manifest  PartManifest
	rows      int64 // that were read

	base int64 // generation to go on from; 0 is none
	from int   // index in chain of the first segment to fold
}

func newBatchPartition(c Config, partition int, segments []segment) *batchPartition {
	p := &batchPartition{
		cfg: c, partition: partition, fold: newBatchFold(c.Rules, c.Views),
		manifest: PartManifest{Watermark: event.NoWatermark},
	}
	p.fold.countRepeats = c.Mistakes.CountRepeats
	p.logic = batchLogics[c.Logic](p.fold, c.Version)
	if len(segments) > 0 {
		first := chainStart(segments)
		p.chain = longestChain(segments, first)
		p.manifest.Boundary = chainEnd(p.chain, first)
	}
	return p
}

// hasCut reports whether a segment begins, or the dataset ends, at the boundary of an earlier run.
func (p *batchPartition) hasCut(boundary int64) bool {
	if boundary == p.manifest.Boundary {
		return true
	}
	for _, s := range p.chain {
		if s.first == boundary {
			return true
		}
	}
	return false
}

// continueFrom makes the run go on from a previous generation that hasCut.
func (p *batchPartition) continueFrom(previous *Manifest, part PartManifest) {
	p.base = previous.Generation
	p.from = len(p.chain)
	for i, s := range p.chain {
		if s.first == part.Boundary {
			p.from = i
		}
	}
	boundary := p.manifest.Boundary
	p.manifest = part
	p.manifest.Counters = part.Counters.Clone()
	p.manifest.Boundary = boundary
}

// read folds the partition.
func (p *batchPartition) read(ctx context.Context) error {
	if p.base > 0 {
		if err := p.loadBase(); err != nil {
			return fmt.Errorf("load generation %d: %w", p.base, err)
		}
	}
	// First the facts of all files, which are in their metadata: only the watermark of the whole
	// tells which rows belong into the hand-over.
	facts := make([]segmentFacts, len(p.chain))
	for i := p.from; i < len(p.chain); i++ {
		if err := p.readFacts(p.chain[i], &facts[i]); err != nil {
			return err
		}
	}
	for i := p.from; i < len(p.chain); i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.readSegment(p.chain[i], &facts[i]); err != nil {
			return err
		}
	}
	p.dropForgottenReadings()
	if p.cfg.Mistakes.CountRepeats {
		p.fold.keepLastAlerts()
	}
	return p.judgeRepeats()
}

// loadBase takes over the state of the previous generation.
func (p *batchPartition) loadBase() error {
	dir := p.cfg.generationDir(p.base)
	part, err := loadBatchPart(dir, p.partition, p.cfg.Views)
	if err != nil {
		return err
	}
	p.fold.load(part)
	p.fold.handed, err = loadReadings(dir, p.partition, p.fold.car)
	return err
}

// readFacts takes the facts of a segment into the manifest.
func (p *batchPartition) readFacts(s segment, facts *segmentFacts) error {
	err := withParquet(s.path, func(f *parquetFile) (err error) {
		*facts, err = s.facts(f)
		return err
	})
	if err != nil {
		return err
	}
	m := &p.manifest
	m.NewestAppend = max(m.NewestAppend, facts.NewestAppend)
	m.Counters.Add(facts.Counters)
	if facts.rows() > 0 {
		m.Watermark = p.cfg.Rules.Advance(m.Watermark, facts.MaxEventTime)
	}
	return nil
}

// readSegment folds one file.
func (p *batchPartition) readSegment(s segment, facts *segmentFacts) error {
	return withParquet(s.path, func(f *parquetFile) error {
		if f.NumRows() != facts.rows() {
			return fmt.Errorf("%d rows, %d by its metadata", f.NumRows(), facts.rows())
		}
		p.rows += f.NumRows()
		p.fold.isOpen = nil
		if facts.rows() > 0 && !p.isForgotten(p.cfg.Rules.WindowStart(facts.MaxEventTime)) {
			p.fold.isOpen = func(t int64) bool { return !p.isForgotten(p.cfg.Rules.WindowStart(t)) }
		}
		return f.scan(p.logic.names(), p.logic.add)
	})
}

// isForgotten reports whether the stream has no use for the readings of a window at the boundary: it
// is closed, and the trips, where they are kept, have forgotten it as well.
func (p *batchPartition) isForgotten(windowStart int64) bool {
	w := p.manifest.Watermark
	if p.fold.trips != nil && !p.cfg.Rules.TripForgotten(windowStart, w) { //bench:change view forget
		return false
	}
	return p.cfg.Rules.Closed(windowStart, w)
}

// dropForgottenReadings drops the readings of the previous generation that the stream has no use for
// any more.
func (p *batchPartition) dropForgottenReadings() {
	p.fold.handed = slices.DeleteFunc(p.fold.handed, func(r handedReading) bool {
		return p.isForgotten(r.windowStart)
	})
}

// write writes the partition's files into dir.
func (p *batchPartition) write(dir string) error {
	order := p.fold.order()
	return errors.Join(
		p.fold.writeView(dir, p.partition, order),
		p.fold.writeTrips(dir, p.partition, order), //bench:change view
		p.fold.writeHandover(dir, p.partition, order))
}
