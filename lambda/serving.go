package lambda

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
)

// Serving answers from a pair: the batch view of one generation, and the speed view that goes on
// where it ends. While the next generation is loaded and materialised it answers from the old
// pair, and swaps the pair in one step once the new one has reached what was served.
// It implements [httpapi.Answers].
type Serving struct {
	cfg        Config
	partitions int
	live       atomic.Pointer[pair]    // every answer comes from one load of this pointer
	ends       atomic.Pointer[[]int64] // of the input, as of the last look
	offsets    []int64                 // of the speed view to read next; each is its follower's own

	lease *lease // taken at the start, so that nothing is removed that is being loaded

	mu   sync.Mutex      // guards what follows, and which pair is live; not the rows
	next map[int64]*pair // newer generations on their way to be live; nil is one that is gone

	answering bool // the pair that was live may have been asked: it was not only passed over at the start
}

var _ httpapi.Answers = (*Serving)(nil)

// A pair is the batch view and the speed view of one generation.
type pair struct {
	manifest *Manifest // of generation 0, the empty batch view, it says nothing
	parts    []*part
	appeared time.Time     // when serving found it
	goal     []int64       // position of each part of the live pair when this one appeared
	loaded   bool          // the batch view is there
	dropped  chan struct{} // closed when another pair has taken its place

	stamped atomic.Pointer[httpapi.Stamp] // what answers say that they come from
}

func (c Config) newPair(m *Manifest, partitions int) *pair {
	p := &pair{manifest: m, dropped: make(chan struct{})}
	p.stampAs(&progress{})
	for i := range partitions {
		part := newPart(m, i)
		part.keep = c.ViewRetention.Milliseconds()
		part.moves(part.progress.Watermark)
		p.parts = append(p.parts, part)
	}
	return p
}

// NewServing returns a serving that holds everything as it stands now: whatever was answered
// before a restart is answered again.
func NewServing(ctx context.Context, cfg Config) (s *Serving, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s = &Serving{cfg: cfg, next: map[int64]*pair{}}
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	s.partitions = len(*s.ends.Load())
	s.offsets = make([]int64, s.partitions)
	zero := cfg.newPair(&Manifest{Version: cfg.Version, Views: cfg.Views, Rules: cfg.Rules}, s.partitions)
	zero.setBatches(make([]*batchPart, s.partitions))
	s.live.Store(zero)

	if s.lease, err = cfg.takeLease(); err != nil {
		return nil, err
	}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(err, s.lease.release())
	}
	return s, nil
}

// begin makes the pair live that is as far as any on disk. If loading takes longer than the lease
// lasts, and what was to be loaded is removed meanwhile, it begins again with what there is then.
func (s *Serving) begin(ctx context.Context) error {
	for removed := true; removed; {
		if err := s.lease.renew(held{}); err != nil {
			return err
		}
		if err := s.nominate(); err != nil {
			return err
		}
		if err := s.load(ctx); err != nil {
			return err
		}
		s.skipOutdated()
		var err error
		if removed, err = s.loadBatches(true); err != nil {
			return err
		}
	}
	s.swap()
	s.mu.Lock()
	s.answering = true
	s.mu.Unlock()
	return s.lease.renew(s.held())
}

// look looks up where the input ends.
func (s *Serving) look(ctx context.Context) error {
	ends, err := s.cfg.Log.EndOffsets(ctx, eventlog.CarsTopic)
	if err != nil {
		return fmt.Errorf("find the end of the log: %w", err)
	}
	s.ends.Store(&ends)
	return nil
}

// load materialises the speed view up to where its topic ends now.
func (s *Serving) load(ctx context.Context) error {
	ends, err := s.cfg.Log.EndOffsets(ctx, SpeedViewTopic)
	if err != nil {
		return fmt.Errorf("find the end of %s: %w", SpeedViewTopic, err)
	}
	g, ctx := errgroup.WithContext(ctx)
	for partition := range s.offsets {
		g.Go(func() error { return s.follow(ctx, partition, ends[partition]) })
	}
	return g.Wait()
}

// Run keeps the answers up to date until ctx ends; then it returns nil. It is called once.
func (s *Serving) Run(ctx context.Context) error {
	err := s.keepUp(ctx)
	if ctx.Err() != nil {
		err = nil
	}
	return errors.Join(err, s.lease.release())
}

func (s *Serving) keepUp(ctx context.Context) error {
	g, work := errgroup.WithContext(ctx)
	for partition := range s.offsets {
		g.Go(func() error { return s.follow(work, partition, math.MaxInt64) })
	}
	g.Go(func() error {
		return every(work, pollInterval, func() error {
			if err := s.nominate(); err != nil {
				return err
			}
			if _, err := s.loadBatches(false); err != nil {
				return err
			}
			s.swap()
			return nil
		})
	})
	g.Go(func() error {
		return every(work, endsAge, func() error {
			_ = s.look(work) // while the broker is away, answers do without, and ends stay as they were
			return nil
		})
	})
	g.Go(func() error { return s.renew(work) })
	return g.Wait()
}

// renew keeps the lease up to date, in a goroutine of its own: loading a batch view may take
// longer than a lease lasts.
func (s *Serving) renew(ctx context.Context) error {
	var said held
	var last time.Time
	return every(ctx, pollInterval, func() error {
		now := s.held()
		if now == said && time.Since(last) < leaseEvery {
			return nil
		}
		said, last = now, time.Now()
		return s.lease.renew(now)
	})
}

// endsAge is how old the end offsets of the status may get.
const endsAge = 500 * time.Millisecond

// every calls f again and again until ctx ends or f fails.
func every(ctx context.Context, interval time.Duration, f func() error) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := f(); err != nil {
			return err
		}
	}
}

// follow materialises one partition of the speed view up to an offset of its topic.
func (s *Serving) follow(ctx context.Context, partition int, until int64) (err error) {
	if s.offsets[partition] >= until {
		return nil
	}
	reader, err := s.cfg.Log.CompactedReader(ctx, SpeedViewTopic, partition, s.offsets[partition])
	if err != nil {
		return fmt.Errorf("materialise %s: %w", SpeedViewTopic, err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	var row speedRow
	for s.offsets[partition] < until {
		batch, err := reader.Read(ctx, time.Second)
		if err != nil {
			return fmt.Errorf("materialise %s: %w", SpeedViewTopic, err)
		}
		if err := s.take(partition, batch.Records, &row); err != nil {
			return fmt.Errorf("materialise %s/%d: %w", SpeedViewTopic, partition, err)
		}
		s.offsets[partition] = batch.Next
	}
	return nil
}

// take hands every run of records of one generation to its pair. A pair that is on its way may
// be ready by that.
func (s *Serving) take(partition int, records []eventlog.Record, row *speedRow) error {
	if s.cfg.Mistakes.NaiveMerge {
		return s.takeOverlapping(partition, records, row)
	}
	for len(records) > 0 {
		n, generation := generationRun(records)
		p, err := s.pair(generation)
		if err != nil {
			return err
		}
		if p != nil {
			part := p.parts[partition]
			progressed, err := part.take(records[:n], row)
			if err != nil {
				return err
			}
			if progressed {
				p.stampAs(&part.progress) // nobody else writes it
			}
			if progressed && p != s.live.Load() {
				s.swap()
			}
		}
		records = records[n:]
	}
	return nil
}

// generationRun returns how many of the first records are of one generation, and of which.
func generationRun(records []eventlog.Record) (n int, generation int64) {
	generation = rowGeneration(&records[0])
	for n = 1; n < len(records) && rowGeneration(&records[n]) == generation; n++ {
	}
	return n, generation
}
