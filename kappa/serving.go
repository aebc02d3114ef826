package kappa

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
	"lambdakappa/view"
)

// Serving materialises the live version's changelog in memory and answers from it. While a replay
// builds another version, it materialises that one as well, and cuts over when it has caught up.
// It implements [httpapi.Answers].
type Serving struct {
	cfg  Config
	live atomic.Pointer[materialised] // every answer comes from one load of this pointer
	ends atomic.Pointer[[]int64]      // of the input, as of the last look

	mu   sync.Mutex    // guards who is live and who is next; not the rows
	next *materialised // on its way to be live; nil when none is
}

var _ httpapi.Answers = (*Serving)(nil)

// materialised is one view, as far as serving has read its changelog.
type materialised struct {
	name    string // see [Config.ViewName]
	version string
	views   view.Set
	parts   []*part
	offsets []int64       // changelog offsets to read next; each is its follower's own
	dropped chan struct{} // closed when another view has taken its place
	stop    context.CancelFunc

	announced int64 // see [standing]; of one that was a candidate

	stamped atomic.Pointer[httpapi.Stamp] // what answers say that they come from
}

func (c Config) newMaterialised(name string, partitions int) *materialised {
	m := &materialised{
		name: name, offsets: make([]int64, partitions), dropped: make(chan struct{}),
		stop: func() {},
	}
	m.version, m.views = readName(name)
	m.stampAs(&progress{})
	for range partitions {
		p := newPart()
		p.retention = retention{rules: c.Rules, keep: c.ViewRetention.Milliseconds()}
		m.parts = append(m.parts, p)
	}
	return m
}

// NewServing returns a serving that holds the whole live view as it stands now: whatever was
// answered before a restart is answered again. The live view is what the control topic says;
// when nothing was ever live, it is that of cfg, and becomes what the control topic says.
func NewServing(ctx context.Context, cfg Config) (*Serving, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	now, err := readControl(ctx, cfg.Log)
	if err != nil {
		return nil, err
	}
	if now.live == "" {
		now.live = cfg.ViewName()
		if err := goLive(ctx, cfg.Log, now.live, ""); err != nil {
			return nil, err
		}
	}
	s := &Serving{cfg: cfg}
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	m := cfg.newMaterialised(now.live, len(*s.ends.Load()))
	if err := s.load(ctx, m); err != nil {
		return nil, err
	}
	s.live.Store(m)
	cfg.notify("live", "version", m.version, "view", m.name)
	return s, nil
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

// load materialises a view up to where its changelog ends now.
func (s *Serving) load(ctx context.Context, m *materialised) error {
	ends, err := s.cfg.Log.EndOffsets(ctx, ChangelogTopic(m.name))
	if err != nil {
		return fmt.Errorf("find the end of %s: %w", ChangelogTopic(m.name), err)
	}
	g, ctx := errgroup.WithContext(ctx)
	for partition := range m.parts {
		g.Go(func() error { return s.follow(ctx, m, partition, ends[partition]) })
	}
	return g.Wait()
}

// Run keeps the answers up to date until ctx ends; then it returns nil. It is called once.
func (s *Serving) Run(ctx context.Context) error {
	g, work := errgroup.WithContext(ctx)
	start := func(m *materialised) {
		following, stop := context.WithCancel(work)
		m.stop = stop
		for partition := range m.parts {
			g.Go(func() error { return s.keepUp(following, m, partition) })
		}
	}
	start(s.live.Load())
	g.Go(func() error { return s.lookOut(work) })
	g.Go(func() error {
		return watchControl(work, s.cfg.Log, func(now standing) error {
			if m := s.nominate(now); m != nil {
				start(m)
			}
			return nil
		})
	})
	return unlessEnded(ctx, g.Wait())
}

// endsAge is how old the end offsets of the status may get.
const endsAge = 500 * time.Millisecond

// lookOut looks up where the input ends, again and again.
func (s *Serving) lookOut(ctx context.Context) error {
	tick := time.NewTicker(endsAge)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		_ = s.look(ctx) // while the broker is away, answers do without, and ends stay as they were
	}
}

// keepUp follows one partition of a view until the view is dropped.
func (s *Serving) keepUp(ctx context.Context, m *materialised, partition int) error {
	err := s.follow(ctx, m, partition, math.MaxInt64)
	if err == nil || ctx.Err() != nil {
		return nil
	}
	// Another serving may have cut over before this one; then the old changelog may be gone. The
	// view stands still until this serving has caught up as well.
	now, controlErr := readControl(ctx, s.cfg.Log)
	gone := now.candidate != m.name || now.announced != m.announced
	if controlErr == nil && now.live != m.name && gone {
		return nil
	}
	return err
}

// follow materialises one partition of a view up to a changelog offset, or until it is frozen.
func (s *Serving) follow(
	ctx context.Context, m *materialised, partition int, until int64,
) (err error) {
	topic := ChangelogTopic(m.name)
	if m.offsets[partition] >= until {
		return nil
	}
	reader, err := s.cfg.Log.CompactedReader(ctx, topic, partition, m.offsets[partition])
	if err != nil {
		return fmt.Errorf("materialise %s: %w", topic, err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	for m.offsets[partition] < until {
		batch, err := reader.Read(ctx, idleWait)
		if err != nil {
			return fmt.Errorf("materialise %s: %w", topic, err)
		}
		progressed, frozen, err := m.parts[partition].take(batch.Records)
		if err != nil {
			return fmt.Errorf("materialise %s/%d: %w", topic, partition, err)
		}
		if frozen {
			return nil
		}
		m.offsets[partition] = batch.Next
		if progressed {
			m.stampAs(&m.parts[partition].progress) // nobody else writes it
			if err := s.cutOver(ctx, m); err != nil {
				return err
			}
		}
	}
	return nil
}
