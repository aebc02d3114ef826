package live

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"lambdakappa/bench/oracle"
	"lambdakappa/bench/witness"
	carevent "lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// grace is how long after its last reading a window is left alone: answers take some milliseconds.
const grace = time.Second

// versions that can be deployed. The referee knows the truth of each all the time: nobody has to wait for it.
var versions = []string{"v1", "v2"}

// A referee computes the truths of the newest windows while the log grows, and holds rows against them. It reads the log
// with a reader of its own. It is safe for concurrent use.
type referee struct {
	rules carevent.Rules
	keep  time.Duration
	lag   atomic.Int64 // events that it has not read yet

	mu      sync.Mutex
	truths  map[string]truths        // by version
	newest  []int64                  // greatest event time, by partition
	touched map[view.WindowKey]int64 // wall clock, Unix ms, of readings that came within the grace
	behind  [partitions]int64
}

// truths are what is right under one version of the logic.
type truths struct {
	a *oracle.Fold // every reading, once
	b *oracle.Fold // without those that came too late
}

func newReferee(rules carevent.Rules, keep time.Duration) (*referee, error) {
	r := &referee{
		rules: rules, keep: keep, truths: map[string]truths{},
		newest: make([]int64, partitions), touched: map[view.WindowKey]int64{},
	}
	for _, version := range versions {
		cfg := oracle.Config{
			WindowMs: rules.Window, DisorderMs: rules.DisorderBound, LatenessMs: rules.AllowedLateness,
			SkewMs: rules.MaxFutureSkew, Version: version, Partitions: partitions,
		}
		a, errA := oracle.NewFold(cfg, []int64{math.MaxInt64, math.MaxInt64})
		b, errB := oracle.NewFold(cfg, []int64{0, 0})
		if errA != nil || errB != nil {
			return nil, fmt.Errorf("truth: %w", errA)
		}
		r.truths[version] = truths{a, b}
	}
	return r, nil
}

// follow reads the log as it grows, until ctx ends.
func (r *referee) follow(ctx context.Context, log *eventlog.Log) error {
	g, ctx := errgroup.WithContext(ctx)
	for p := range partitions {
		g.Go(func() error { return r.followPartition(ctx, log, p) })
	}
	if err := g.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

func (r *referee) followPartition(ctx context.Context, log *eventlog.Log, partition int) error {
	reader, err := log.Reader(ctx, eventlog.CarsTopic, partition, 0)
	if err != nil {
		return fmt.Errorf("referee: %w", err)
	}
	defer reader.Close()
	decoder := carevent.NewDecoder(log)
	for ctx.Err() == nil {
		batch, err := reader.Read(ctx, witness.Wait)
		if err != nil {
			return fmt.Errorf("referee: %w", err)
		}
		block, err := witness.Decode(decoder, partition, batch.Records, math.MaxInt64)
		if err != nil {
			return fmt.Errorf("referee: %w", err)
		}
		r.add(block, partition, batch.End-batch.Next)
	}
	return nil
}

func (r *referee) add(block []witness.Entry, partition int, behind int64) {
	now := time.Now().UnixMilli()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range block {
		r.addEntry(&block[i].Truth, now)
	}
	r.behind[partition] = behind
	r.lag.Store(r.behind[0] + r.behind[1])
}

func (r *referee) addEntry(e *oracle.Entry, now int64) {
	if e.Event != nil {
		if r.truths[versions[0]].a.Forgotten(e.Event.EventTime) {
			return // nobody answers for that any more
		}
		start := e.Event.EventTime / r.rules.Window * r.rules.Window
		r.touched[view.WindowKey{CarID: e.Event.CarID, Start: start}] = now
		if e.Event.EventTime-e.AppendTime <= r.rules.MaxFutureSkew {
			r.newest[e.Partition] = max(r.newest[e.Partition], e.Event.EventTime)
		}
	}
	for _, t := range r.truths {
		t.a.Add(*e)
		t.b.Add(*e)
	}
}

// forget drops what is older than what the page looks at, and the touches that are.
func (r *referee) forget() {
	now := time.Now().UnixMilli()
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, at := range r.touched {
		if at < now-2*grace.Milliseconds() {
			delete(r.touched, key)
		}
	}
	before := r.watermark() - r.keep.Milliseconds()
	for _, t := range r.truths {
		t.a.Forget(before)
		t.b.Forget(before)
	}
}

// watermark is how far event time is believed to be complete, on the worst partition.
func (r *referee) watermark() int64 {
	w := int64(math.MaxInt64)
	for _, newest := range r.newest {
		w = min(w, newest-r.rules.DisorderBound)
	}
	return w
}

// A verdict is what was found of one answer: of the windows that begin at a moment, how many are what.
type verdict struct {
	accuracy Accuracy
	mixed    int64
}

// judge holds rows, which are all that a side answers for windows that begin in [from, to), against the truths, by the start of
// the windows. Open windows, and those that a reading has just come for, are left out.
func (r *referee) judge(stamp string, rows []view.Window, from, to int64) map[int64]verdict {
	version, _, _ := strings.Cut(stamp, "+")
	answered := make(map[view.WindowKey]view.Window, len(rows))
	for _, w := range rows {
		answered[w.WindowKey] = w
	}
	now := time.Now().UnixMilli()
	found := map[int64]verdict{}
	r.mu.Lock()
	defer r.mu.Unlock()
	mine, ok := r.truths[version]
	if !ok {
		return nil
	}
	settled := func(k view.WindowKey) bool {
		return k.Start+r.rules.Window <= r.watermark() && now-r.touched[k] > grace.Milliseconds()
	}
	for want := range mine.a.Windows(from, to) {
		got, there := answered[want.WindowKey]
		delete(answered, want.WindowKey)
		if !settled(want.WindowKey) {
			continue
		}
		v := found[want.Start]
		v.count(mine, want, got, there)
		if there && got != want && r.isOthers(version, got) {
			v.mixed++
		}
		found[want.Start] = v
	}
	for key := range answered { // what the truth does not have
		if !settled(key) || mine.a.Forgotten(key.Start) {
			continue
		}
		v := found[key.Start]
		v.accuracy.Windows++
		v.accuracy.Other++
		found[key.Start] = v
	}
	return found
}

// isOthers reports whether a row is what another version would have made.
func (r *referee) isOthers(version string, got view.Window) bool {
	for other, t := range r.truths {
		if other == version {
			continue
		}
		a, inA := t.a.Window(got.WindowKey)
		b, inB := t.b.Window(got.WindowKey)
		if inA && got == a || inB && got == b {
			return true
		}
	}
	return false
}

// count says what a row is.
func (v *verdict) count(t truths, want, got view.Window, there bool) {
	v.accuracy.Windows++
	least, some := t.b.Window(want.WindowKey)
	switch {
	case there && got == want:
		v.accuracy.Exact++
	case !there && !some, there && some && got == least:
		v.accuracy.LacksLate++
	case !there || some && got.Readings < least.Readings:
		v.accuracy.Missing++
	case got.Readings > want.Readings:
		v.accuracy.Double++
	case got.Readings < want.Readings: // some of those that came too late are in it
		v.accuracy.LacksLate++
	default:
		v.accuracy.Other++
	}
}

// plus adds up.
func (a Accuracy) plus(b Accuracy) Accuracy {
	return Accuracy{
		Windows: a.Windows + b.Windows, Exact: a.Exact + b.Exact, LacksLate: a.LacksLate + b.LacksLate,
		Missing: a.Missing + b.Missing, Double: a.Double + b.Double, Other: a.Other + b.Other,
	}
}
