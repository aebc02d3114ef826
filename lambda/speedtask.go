package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"lambdakappa/event"
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
	layer := &speedLayer{
		cfg: cfg, idle: map[int]*speedTask{},
		catchUp: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
	err := cfg.Log.RunGroup(ctx, speedGroup, eventlog.CarsTopic, layer.runTask)
	for _, t := range layer.idle {
		err = errors.Join(err, t.live.close())
	}
	return err
}

// A speedLayer is one process's share of the speed layer.
type speedLayer struct {
	cfg Config
	// catchUp holds one element for every step by which a next generation is catching up at this
	// moment: half of the cores are for the live ones.
	catchUp chan struct{}
	mu      sync.Mutex
	idle    map[int]*speedTask // partitions that were taken away, with their state as it was
}

// runTask processes one partition for as long as it is assigned to this process.
func (l *speedLayer) runTask(ctx context.Context, m *eventlog.Member, partition int) error {
	t, err := l.task(ctx, partition)
	if err == nil {
		l.cfg.notify("assigned", "component", "speed", "partition", partition,
			"generation", t.live.number, "position", t.live.Position)
		err = t.run(ctx, m)
		l.cfg.notify("released", "component", "speed", "partition", partition,
			"generation", t.live.number, "position", t.live.Position, "remembered_bytes", t.live.remembered())
		l.mu.Lock()
		l.idle[partition] = t
		l.mu.Unlock()
	}
	if err != nil {
		return fmt.Errorf("speed partition %d: %w", partition, err)
	}
	return nil
}

// task returns the task of a partition. A rebalance takes every partition away, and most come
// back within the second: their state is still here, and still right unless others went further.
func (l *speedLayer) task(ctx context.Context, partition int) (*speedTask, error) {
	began := time.Now()
	l.mu.Lock()
	t := l.idle[partition]
	delete(l.idle, partition)
	l.mu.Unlock()
	commits, err := l.cfg.Log.Committed(ctx, speedGroup, eventlog.CarsTopic)
	if err != nil {
		return nil, fmt.Errorf("read commit: %w", err)
	}
	said, err := readSaid(commits[partition])
	if err != nil {
		return nil, err
	}
	if t != nil {
		if t.live.Position >= said.offset {
			return t, nil
		}
		if err := t.live.close(); err != nil {
			return nil, err
		}
	}
	t = &speedTask{cfg: l.cfg, partition: partition, catchUp: l.catchUp, began: began}
	return t, t.start(ctx, said)
}

// A speedTask is the speed layer of one partition. Most of the time it keeps one generation up to
// date. After a batch run it has the next one built beside it, and changes over to it when serving
// can do without the old one.
type speedTask struct {
	cfg       Config
	partition int
	catchUp   chan struct{} // of the layer
	live      *generation
	next      *building // nil most of the time
	trail     *trail    // of the side topics

	// said is the position of the side outputs. It is all that the group commits, with the
	// generation that was reached.
	said       atomic.Pointer[said]
	committed  said
	reached    int64 // the newest generation that has reached the one before
	lastCommit time.Time
	lastPoll   time.Time

	began    time.Time // when this process was given the partition
	restored bool      // since then it has been where its predecessor has committed
}

// start begins with the newest generation from which nothing is lost: one whose boundary the side
// outputs have passed. (Usually that is the newest of all, or the one before it. If none is left
// it is generation 0, the whole log.) The next poll finds a newer one.
func (t *speedTask) start(ctx context.Context, from said) error {
	starts, err := t.cfg.Log.StartOffsets(ctx, eventlog.CarsTopic)
	if err != nil {
		return err
	}
	logStart := starts[t.partition]
	h, err := t.cfg.handoverFor(t.partition, from.offset, logStart)
	if err != nil {
		return err
	}
	// A gap between two generations cannot be: begin refuses it. What is lost here is what the side
	// outputs have to say, and, until the next batch run, the speed view where there is no batch view.
	goesOn := max(from.offset, logStart, h.boundary)
	t.cfg.noteLost("speed", t.partition, max(from.offset, 0), goesOn)
	from.offset = goesOn
	t.said.Store(&from)
	if t.live, err = t.cfg.begin(ctx, h, event.NewDecoder(t.cfg.Log)); err != nil {
		return err
	}
	t.trail = newTrail(h.rules, t.cfg.ViewRetention.Milliseconds())
	// No position is committed, so the first commit says at once what is reached.
	t.committed, t.reached = said{offset: -1}, t.live.number
	return nil
}

// handoverFor loads the newest hand-over whose boundary the side outputs have passed, said being how
// far they are. But the log goes on from none that is below its start, for it was cut. Then it is the
// oldest one beyond: the batch layer was ahead, and what is lost has been said by nobody. If there
// is none, it is the one below, which begin refuses.
func (c Config) handoverFor(partition int, said, logStart int64) (handover, error) {
	if c.Mistakes.NaiveMerge {
		return emptyHandover(c, partition), nil
	}
	generations, err := c.generations()
	if err != nil {
		return handover{}, err
	}
	wasCut := 0 < said && said < logStart
	var beyond *Manifest // the oldest one
	for _, g := range slices.Backward(generations) {
		m, err := c.loadManifest(g)
		if errors.Is(err, fs.ErrNotExist) {
			break // removed meanwhile, and so are the older ones
		}
		if err != nil {
			return handover{}, err
		}
		boundary := m.boundary(partition)
		if boundary > max(said, logStart) {
			beyond = m
			continue
		}
		if beyond != nil && boundary < logStart && (boundary > 0 || wasCut) {
			return c.loadHandover(beyond, partition)
		}
		h, err := c.loadHandover(m, partition)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		return h, err
	}
	if beyond != nil && wasCut {
		return c.loadHandover(beyond, partition)
	}
	return emptyHandover(c, partition), nil
}

// run keeps the speed view up to date until ctx ends. There is no orderly way to stop.
func (t *speedTask) run(ctx context.Context, m *eventlog.Member) error {
	defer t.abandonNext()
	for {
		t.live.sides.said = *t.said.Load()
		if err := t.live.step(ctx, pollInterval); err != nil {
			return err
		}
		t.advance()
		t.noteRestored()
		if t.next != nil && t.next.isDone() { // it stands still until it is the live one
			if err := t.changeOver(); err != nil {
				return err
			}
		}
		now := time.Now()
		if t.committed != *t.said.Load() && now.Sub(t.lastCommit) >= t.cfg.CommitInterval {
			if err := t.commit(ctx, m, now); err != nil {
				return err
			}
			if err := t.trail.trim(ctx, t.cfg.Log, t.partition, t.live.Watermark, t.cfg.notify); err != nil {
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

// noteRestored says once how long it took until all is known again that the task before has known: from here on it
// is work that nobody had done. Kappa is there when it has read its changelog.
func (t *speedTask) noteRestored() {
	if t.restored || t.live.Position < t.said.Load().offset {
		return
	}
	t.restored = true
	t.live.sides.trail = t.trail // what was said before is newer than the watermark so far says
	t.cfg.notify("restored", "component", "speed", "partition", t.partition,
		"generation", t.live.number, "position", t.live.Position,
		"ms", time.Since(t.began).Milliseconds())
}

// advance moves the position of the side outputs on, by what either generation has said. While
// their versions differ the position may change from one to the other and back: a restart then
// finds another version than its own, and some alerts come twice.
func (t *speedTask) advance() {
	now := t.said.Load().with(t.live.sides.grounds, t.live.boundary, t.live.durable)
	if t.next != nil && !t.next.silent {
		now = now.with(t.next.grounds, t.next.boundary, t.next.durable.Load())
	}
	if now != *t.said.Load() {
		t.said.Store(&now)
	}
}

// commitMetadata is what a commit says besides the position of the side outputs.
type commitMetadata struct {
	Generation int64 `json:"generation"` // that was reached
	grounds          // of what is complete
}

// readSaid returns the position of the side outputs that a commit says; -1 before the first.
func readSaid(c eventlog.Commit) (said, error) {
	if c.Offset < 0 {
		return said{offset: -1}, nil
	}
	var metadata commitMetadata
	if err := json.Unmarshal([]byte(c.Metadata), &metadata); err != nil {
		return said{}, fmt.Errorf("read commit: %w", err)
	}
	return said{c.Offset, metadata.grounds}, nil
}

func (t *speedTask) commit(ctx context.Context, m *eventlog.Member, at time.Time) error {
	now := *t.said.Load()
	metadata, err := json.Marshal(commitMetadata{t.reached, now.grounds})
	if err != nil {
		return fmt.Errorf("encode commit: %w", err)
	}
	err = m.Commit(ctx, t.partition, eventlog.Commit{Offset: now.offset, Metadata: string(metadata)})
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	t.committed, t.lastCommit = now, at
	return nil
}

// poll takes the steps from one generation to the next: have it built, and say that it has reached
// the live one. When all partitions have said so its building ends, and run makes it the live one.
func (t *speedTask) poll(ctx context.Context, m *eventlog.Member) error {
	switch {
	case t.cfg.Mistakes.NaiveMerge: // nobody hands over
	case t.next == nil:
		manifest, err := t.cfg.newestManifest()
		if err == nil && manifest != nil && manifest.Generation > t.live.number {
			t.buildNext(ctx, manifest)
		}
		return ignoreRemoved(err)
	case t.reached < t.next.number && t.next.durable.Load() >= t.live.durable &&
		t.said.Load().offset >= t.next.boundary:
		t.reached = t.next.number
		if err := t.commit(ctx, m, time.Now()); err != nil {
			return err
		}
		t.next.reached.Store(true)
	}
	return nil
}

// ignoreRemoved forgives that a generation is no longer there: there are newer ones by then.
func ignoreRemoved(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// changeOver makes the next generation the live one, after its building has ended, and has it say what the one
// before has not come to.
func (t *speedTask) changeOver() error {
	next := t.next
	t.next = nil
	if next.err != nil {
		return ignoreRemoved(errors.Join(next.err, next.close()))
	}
	t.cfg.notify("retired", "component", "speed", "partition", t.partition,
		"generation", t.live.number)
	err := t.live.close()
	t.live = next.generation
	t.trail.rules = t.live.rules
	if t.restored {
		t.live.sides.trail = t.trail
	}
	if next.silent {
		t.live.sides.takeOver(*t.said.Load())
	}
	if t.live.sides.len() > 0 { // what it has kept is said with its next flush, and not acknowledged before
		t.live.durable = t.live.boundary
	}
	return err
}

// abandonNext drops the generation that is being built; it is built again.
func (t *speedTask) abandonNext() {
	if t.next == nil {
		return
	}
	t.next.cancel()
	<-t.next.done
	_ = t.next.close() // of a connection that is not needed any more
	t.next, t.reached = nil, t.live.number
}
