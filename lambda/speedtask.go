package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"lambdakappa/internal/eventlog"
)

// pollInterval is how often the speed layer looks for a new generation of the batch view, and for
// the others having reached it: a directory listing, and a small request to the broker.
const pollInterval = 50 * time.Millisecond

// Speed keeps the speed view up to date until ctx ends, one task per partition.
func Speed(ctx context.Context, cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	layer := &speedLayer{cfg: cfg, idle: map[int]*speedTask{}}
	err := cfg.Log.RunGroup(ctx, speedGroup, eventlog.CarsTopic, layer.runTask)
	for _, t := range layer.idle {
		err = errors.Join(err, t.close())
	}
	return err
}

// A speedLayer is one process's share of the speed layer.
type speedLayer struct {
	cfg  Config
	mu   sync.Mutex
	idle map[int]*speedTask // partitions that were taken away, with their state as it was
}

// runTask processes one partition for as long as it is assigned to this process.
func (l *speedLayer) runTask(ctx context.Context, m *eventlog.Member, partition int) error {
	t, err := l.task(ctx, partition)
	if err == nil {
		l.cfg.notify("assigned", "component", "speed", "partition", partition,
			"generation", t.live.number, "position", t.live.Position)
		err = t.run(ctx, m)
		l.mu.Lock()
		l.idle[partition] = t
		l.mu.Unlock()
	}
	if errors.Is(err, eventlog.ErrNotMember) {
		<-ctx.Done() // a rebalance has begun that this process has not heard of yet; it will
		return nil
	}
	if err != nil {
		return fmt.Errorf("speed partition %d: %w", partition, err)
	}
	return nil
}

// task returns the task of a partition. A rebalance takes every partition away, and most come
// back within the second: their state is still here, and still right unless others went further.
func (l *speedLayer) task(ctx context.Context, partition int) (*speedTask, error) {
	l.mu.Lock()
	t := l.idle[partition]
	delete(l.idle, partition)
	l.mu.Unlock()
	commits, err := l.cfg.Log.Committed(ctx, speedGroup, eventlog.CarsTopic)
	if err != nil {
		return nil, fmt.Errorf("read commit: %w", err)
	}
	sides := commits[partition].Offset
	if t != nil {
		if t.live.Position >= sides {
			return t, nil
		}
		if err := t.close(); err != nil {
			return nil, err
		}
	}
	t = &speedTask{cfg: l.cfg, partition: partition}
	return t, t.start(ctx, sides)
}

// A speedTask is the speed layer of one partition. Most of the time it keeps one generation up to
// date. After a batch run it builds the next one beside it, and drops the old one when serving
// can do without: when the new one has reached the old one's position, in every partition.
type speedTask struct {
	cfg       Config
	partition int
	live      *generation
	next      *generation // being built; nil most of the time

	// sides is the position of the side outputs: what offsets below it had to say is acknowledged.
	// It is all that the group commits, with the generation that was reached.
	sides      int64
	committed  int64
	reached    int64 // the newest generation that has reached the one before
	lastCommit time.Time
	lastPoll   time.Time
}

// start begins with the newest generation from which nothing is lost: one whose boundary the side
// outputs have passed. (Usually that is the newest of all, or the one before it. If none is left
// it is generation 0, the whole log.) The next poll finds a newer one.
func (t *speedTask) start(ctx context.Context, sides int64) error {
	starts, err := t.cfg.Log.StartOffsets(ctx, eventlog.CarsTopic)
	if err != nil {
		return err
	}
	t.sides = max(sides, starts[t.partition])
	h, err := t.cfg.handoverBefore(t.partition, t.sides)
	if err != nil {
		return fmt.Errorf("load hand-over: %w", err)
	}
	if h.generation == 0 {
		h.boundary = starts[t.partition] // the log may have been cut before anyone read it
	}
	if t.live, err = t.cfg.begin(ctx, h); err != nil {
		return err
	}
	t.committed, t.reached = sides, t.live.number
	return nil
}

// handoverBefore loads the newest hand-over whose boundary is at or below the given offset.
func (c Config) handoverBefore(partition int, offset int64) (handover, error) {
	generations, err := c.generations()
	if err != nil {
		return handover{}, err
	}
	for i := len(generations) - 1; i >= 0; i-- {
		m, err := c.loadManifest(generations[i])
		if errors.Is(err, fs.ErrNotExist) {
			break // removed meanwhile, and so are the older ones
		}
		if err != nil {
			return handover{}, err
		}
		if m.boundary(partition) <= offset {
			return c.loadHandover(m, partition)
		}
	}
	return emptyHandover(c, partition), nil
}

// run keeps the speed view up to date until ctx ends. There is no orderly way to stop.
func (t *speedTask) run(ctx context.Context, m *eventlog.Member) error {
	for {
		if err := t.stepBoth(ctx); err != nil {
			return err
		}
		t.advance()
		now := time.Now()
		if t.committed != t.sides && now.Sub(t.lastCommit) >= t.cfg.CommitInterval {
			if err := t.commit(ctx, m, now); err != nil {
				return err
			}
		}
		if now.Sub(t.lastPoll) >= pollInterval {
			t.lastPoll = now
			if err := t.poll(ctx, m); err != nil {
				return err
			}
		}
	}
}

// stepBoth moves both generations on, by turns. While the next one has much to read the live one
// does not wait for events; at the end of the log they wait in turn.
func (t *speedTask) stepBoth(ctx context.Context) error {
	t.live.sides.from = t.sides
	if t.next == nil {
		return t.live.step(ctx, pollInterval)
	}
	t.next.sides.from = t.sides
	if err := t.next.step(ctx, time.Millisecond); err != nil {
		return err
	}
	if t.next.behind > 0 {
		return t.live.step(ctx, 0)
	}
	return t.live.step(ctx, t.cfg.Linger)
}

// advance moves the position of the side outputs on. A generation has said everything from its
// boundary on (or found it said), so it can take over where the position has passed its boundary.
func (t *speedTask) advance() {
	for _, g := range []*generation{t.live, t.next} {
		if g != nil && g.boundary <= t.sides {
			t.sides = max(t.sides, g.durable)
		}
	}
}

// commitMetadata is what a commit says besides the position of the side outputs.
type commitMetadata struct {
	Generation int64 `json:"generation"` // that was reached
}

func (t *speedTask) commit(ctx context.Context, m *eventlog.Member, now time.Time) error {
	metadata, err := json.Marshal(commitMetadata{t.reached})
	if err != nil {
		return fmt.Errorf("encode commit: %w", err)
	}
	err = m.Commit(ctx, t.partition, eventlog.Commit{Offset: t.sides, Metadata: string(metadata)})
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	t.committed, t.lastCommit = t.sides, now
	return nil
}

// poll takes the steps from one generation to the next.
func (t *speedTask) poll(ctx context.Context, m *eventlog.Member) error {
	switch {
	case t.next == nil:
		return t.beginNext(ctx)
	case t.reached < t.next.number:
		if t.next.durable < t.live.durable || t.sides < t.next.boundary {
			return nil
		}
		t.reached = t.next.number
		return t.commit(ctx, m, time.Now())
	default:
		return t.retireLive(ctx)
	}
}

// beginNext begins to build the newest generation if there is a newer one.
func (t *speedTask) beginNext(ctx context.Context) error {
	manifest, err := t.cfg.newestManifest()
	if err != nil || manifest == nil || manifest.Generation <= t.live.number {
		return ignoreRemoved(err)
	}
	h, err := t.cfg.loadHandover(manifest, t.partition)
	if err != nil {
		return ignoreRemoved(err)
	}
	next, err := t.cfg.begin(ctx, h)
	if err != nil {
		return err
	}
	t.next = next
	return nil
}

// ignoreRemoved forgives that a generation is no longer there: there are newer ones by then.
func ignoreRemoved(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// retireLive drops the old generation when all partitions have reached the next one, and removes
// from the speed view what is older than both: a serving layer that lags, or starts now, finds
// the old one complete, and the new one that replaces it.
func (t *speedTask) retireLive(ctx context.Context) error {
	commits, err := t.cfg.Log.Committed(ctx, speedGroup, eventlog.CarsTopic)
	if err != nil {
		return fmt.Errorf("read commits: %w", err)
	}
	for _, c := range commits {
		var metadata commitMetadata
		if c.Offset < 0 || json.Unmarshal([]byte(c.Metadata), &metadata) != nil ||
			metadata.Generation < t.next.number {
			return nil
		}
	}
	before := make([]int64, len(commits)) // deleting before 0 deletes nothing
	before[t.partition] = min(t.live.Build, t.next.Build)
	if err := t.cfg.Log.DeleteRecords(ctx, SpeedViewTopic, before); err != nil {
		return fmt.Errorf("trim speed view: %w", err)
	}
	t.cfg.notify("retired", "component", "speed", "partition", t.partition,
		"generation", t.live.number)
	err = t.live.close()
	t.live, t.next = t.next, nil
	return err
}

// close ends both generations.
func (t *speedTask) close() error {
	var err error
	for _, g := range []*generation{t.live, t.next} {
		if g != nil {
			err = errors.Join(err, g.close())
		}
	}
	return err
}
