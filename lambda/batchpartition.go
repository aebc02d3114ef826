package lambda

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// A batchPartition is the part of a batch run that belongs to one partition. Partitions are
// independent: a car is in one of them.
type batchPartition struct {
	cfg       Config
	partition int
	segments  []segment // the master dataset of the partition, as it is on disk
	chain     []segment // those that the run covers
	fold      *batchFold
	logic     batchLogic // over fold
	manifest  PartManifest
	rows      int64 // that were read

	base int64 // generation to go on from; 0 is none
	from int   // index in chain of the first segment to fold

	remains *remains    // of files that were removed; nil when none was
	rest    partRemains // those of this partition
	cut     *cut        // where the files begin that are left after this run; nil when all are
}

func newBatchPartition(c Config, partition int, segments []segment, r *remains) *batchPartition {
	rest := r.of(partition)
	p := &batchPartition{
		cfg: c, partition: partition, fold: newBatchFold(c.Rules, c.Views), segments: segments,
		manifest: PartManifest{
			Boundary: rest.End, Watermark: rest.Watermark, NewestAppend: rest.NewestAppend,
			Counters: rest.Counters.Clone(), KeptFrom: rest.KeptFrom,
		},
		remains: r, rest: rest,
	}
	p.fold.countRepeats = c.Mistakes.CountRepeats
	p.logic = batchLogics[c.Logic](p.fold, c.Version)
	if len(segments) > 0 {
		first := rest.first(segments)
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
	firstKept, err := p.keep(facts)
	if err != nil {
		return err
	}
	for i := p.from; i < len(p.chain); i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if i == firstKept {
			p.cutBefore(facts[:i])
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

// keep decides what the view keeps, takes over the remains, and returns the index of the first file that may hold a
// reading of a time that is answered: -1 when all files stay. It is at most the last file, by whose end ingest
// knows where to go on.
func (p *batchPartition) keep(facts []segmentFacts) (firstKept int, err error) {
	keep, rules := p.cfg.ViewRetention.Milliseconds(), p.cfg.Rules
	from := max(p.manifest.KeptFrom, rules.KeptFrom(p.manifest.Watermark, keep))
	from = rules.WindowStart(from + rules.Window - 1) // files may have been removed by windows of another length
	p.manifest.KeptFrom, p.fold.keptFrom = from, from
	if p.rest.End > 0 {
		if err := p.remains.load(p.cfg, p.partition, p.fold); err != nil {
			return 0, fmt.Errorf("load remains: %w", err)
		}
	}
	if keep == 0 || len(p.chain) == 0 {
		return -1, nil
	}
	for firstKept < len(facts)-1 && facts[firstKept].MaxEventTime < p.manifest.KeptFrom {
		firstKept++ // one without rows is older than everything
	}
	return firstKept, nil
}

// cutBefore notes what the first files leave behind when they are removed.
func (p *batchPartition) cutBefore(facts []segmentFacts) {
	left := p.rest
	left.Counters = p.rest.Counters.Clone()
	left.KeptFrom = p.manifest.KeptFrom
	for i := range facts {
		left.add(p.cfg.Rules, &facts[i])
	}
	p.cut = p.fold.cutHere(left)
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
