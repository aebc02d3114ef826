package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// A building is the next generation on its way, in a goroutine of its own: loading a hand-over
// and reading the log from the boundary on must not hold up the live generation. It ends when
// serving can do without the live one.
type building struct {
	number    int64
	grounds   grounds
	boundary  int64
	liveBuild int64                 // where the live generation begins in the speed view
	said      *atomic.Pointer[said] // the task's position of the side outputs
	silent    bool                  // the live generation says what this one would: it has the same logic

	catchUp chan struct{} // of the layer, see speedLayer
	decoder *event.Decoder

	durable atomic.Int64 // the generation's; -1 before it has begun
	reached atomic.Bool  // the task has committed that the generation has reached the live one
	cancel  context.CancelFunc
	done    chan struct{} // closed at the end; then the rest may be read

	generation *generation // nil when it has not begun
	err        error
}

// buildNext begins to build the generation of a manifest.
func (t *speedTask) buildNext(ctx context.Context, m *Manifest) {
	ctx, cancel := context.WithCancel(ctx)
	b := &building{
		number: m.Generation, grounds: grounds{t.cfg.Mistakes.speedVersion(m.Version), m.Views, m.Rules}, boundary: m.boundary(t.partition),
		liveBuild: t.live.Build, said: &t.said, catchUp: t.catchUp,
		decoder: t.live.decoder.Clone(), // so that the registry need not be there again
		cancel:  cancel, done: make(chan struct{}),
	}
	b.silent = b.grounds == t.live.sides.grounds
	b.durable.Store(-1)
	t.next = b
	go func() {
		defer close(b.done)
		defer cancel()
		b.err = b.run(ctx, t.cfg, m, t.partition)
	}()
}

func (b *building) isDone() bool {
	select {
	case <-b.done:
		return true
	default:
		return false
	}
}

// run builds until the generation is wanted as the live one.
func (b *building) run(ctx context.Context, cfg Config, m *Manifest, partition int) error {
	err := b.takeTurn(ctx, func() error {
		h, err := cfg.loadHandover(m, partition)
		if err == nil {
			b.generation, err = cfg.begin(ctx, h, b.decoder)
		}
		return err
	})
	if err != nil {
		return err
	}
	g := b.generation
	g.sides.held = b.silent
	for lastLook := time.Now(); ; {
		g.sides.said = *b.said.Load()
		if err := b.step(ctx); err != nil {
			return err
		}
		b.durable.Store(g.durable)
		if now := time.Now(); b.reached.Load() && now.Sub(lastLook) >= pollInterval {
			lastLook = now
			if all, err := b.isWanted(ctx, cfg); all || err != nil {
				return err
			}
		}
	}
}

// step takes the generation a step further.
func (b *building) step(ctx context.Context) error {
	if b.generation.behind == 0 {
		return b.generation.step(ctx, pollInterval)
	}
	return b.takeTurn(ctx, func() error { return b.generation.step(ctx, 0) })
}

// takeTurn does a piece of catching up. What the live generation has done since the boundary has to
// be done again, and answers wait for the live one alone. So the next ones of all partitions take
// turns, and rest after each.
func (b *building) takeTurn(ctx context.Context, piece func() error) error {
	select {
	case b.catchUp <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.catchUp }()
	began := time.Now()
	if err := piece(); err != nil {
		return err
	}
	return rest(ctx, time.Since(began))
}

// restLimit is how long work in the background rests at most, so that one that is far behind does
// not stay there.
const restLimit = 20 * time.Millisecond

// rest leaves the cores to others for twice as long as a piece of work took.
func rest(ctx context.Context, took time.Duration) error {
	select {
	case <-time.After(min(2*took, restLimit)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// isWanted reports whether the generation can take the place of the live one: all partitions have
// reached it, and every serving process has loaded the batch view that it goes on from.
func (b *building) isWanted(ctx context.Context, cfg Config) (bool, error) {
	if loaded, err := cfg.allLoaded(b.number); !loaded || err != nil {
		return false, err
	}
	return b.allReached(ctx, cfg)
}

// allReached reports whether all partitions have reached the generation. Then it removes from the
// speed view what is older than the live generation: a serving that lags, or starts now, finds
// that one complete, and the next one that replaces it.
//
// A trim that fails because a broker is slow or away is told, and made up for at the next hand-over.
func (b *building) allReached(ctx context.Context, cfg Config) (bool, error) {
	commits, err := cfg.Log.Committed(ctx, speedGroup, eventlog.CarsTopic)
	if err != nil {
		return false, fmt.Errorf("read commits: %w", err)
	}
	for _, c := range commits {
		var metadata commitMetadata
		if c.Offset < 0 || json.Unmarshal([]byte(c.Metadata), &metadata) != nil ||
			metadata.Generation < b.number {
			return false, nil
		}
	}
	before := make([]int64, len(commits)) // deleting before 0 deletes nothing
	before[b.generation.partition] = min(b.liveBuild, b.generation.Build)
	err = cfg.Log.DeleteRecords(ctx, SpeedViewTopic, before)
	if errors.Is(err, eventlog.ErrRefused) || ctx.Err() != nil {
		return false, fmt.Errorf("trim speed view: %w", err)
	}
	if err != nil {
		cfg.notify("trim failed", "topic", SpeedViewTopic, "partition", b.generation.partition, "error", err.Error())
	}
	return true, nil
}

// close gives up what the generation holds, if it has begun.
func (b *building) close() error {
	if b.generation == nil {
		return nil
	}
	return b.generation.close()
}
