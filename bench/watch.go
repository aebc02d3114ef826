package bench

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"lambdakappa/bench/accuracy"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// lookEvery is how often the answers are looked at while a run goes on. Correctness scenarios send
// about twenty times as fast as the cars do, so a look is two seconds of event time: the disorder
// bound.
const lookEvery = 100 * time.Millisecond

// every window is asked for in every lookAround-th look, and when a generation has changed; otherwise
// those that were open at the look before or were closed a short time before it: the others cannot have
// changed since. After an outage that is much, for the watermark has stood still for so long.
const lookAround = 10

// recent is how far behind the watermark of the look before windows are asked for in every look, beyond
// the allowed lateness.
const recent = time.Minute

// lookLimit is how long one look may take: a component that stands still answers nobody.
const lookLimit = 2 * time.Second

// A watcher looks at the answers of an arm while a run goes on. It has a client of its own, since the
// arm's is another one after a crash.
type watcher struct {
	*arm
	log      *eventlog.Log
	began    time.Time
	lateness time.Duration
	watch    accuracy.Watch
	answered accuracy.Moment // of the last look that was answered; without watermarks before the first
	addr     string
	client   *httpapi.Client
}

// watchArms looks at every arm until it is told to stop; then nobody looks any more.
func (x *execution) watchArms(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var looking sync.WaitGroup
	x.past.kept = true // every event is asked for again
	for _, r := range x.runs() {
		a := x.sut.arms[r.Arm]
		w := &watcher{
			arm: a, log: x.sut.log, began: x.began,
			lateness: time.Duration(x.scenario.rules.AllowedLateness) * time.Millisecond,
		}
		x.watchers = append(x.watchers, w)
		looking.Go(func() { w.run(ctx) })
	}
	return func() {
		cancel()
		looking.Wait()
	}
}

func (w *watcher) run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		w.look(ctx, n%lookAround == 0)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	if w.client != nil {
		w.client.Close()
	}
}

// look notes one moment: where the log is, what the arm says about its answers, and the rows. What
// does not come, since somebody was killed, is a moment in which nobody answered.
func (w *watcher) look(run context.Context, around bool) {
	ctx, cancel := context.WithTimeout(run, lookLimit)
	defer cancel()
	m := accuracy.Moment{At: time.Since(w.began)}
	m.Log, _ = w.log.EndOffsets(ctx, eventlog.CarsTopic)
	status, ok := w.status(ctx)
	m.Silent = !ok
	if ok {
		m.Boundary, m.Watermark, m.Generation = boundaries(status), watermarks(status), status.Generation
	}
	asked := httpapi.All()
	if !around {
		asked.From = w.changedFrom(m.Generation)
	}
	var rows []view.Window
	if ok {
		var err error
		if rows, _, err = w.client.Windows(ctx, asked); err != nil {
			m.Silent, ok = true, false
		}
	}
	if run.Err() != nil {
		return
	}
	i := w.watch.Look(m)
	if ok {
		w.answered = m
		w.watch.Windows.See(i, rows, func(k view.WindowKey) bool { return k.Start >= asked.From })
	}
}

// status asks the arm, wherever it listens now.
func (w *watcher) status(ctx context.Context) (httpapi.Status, bool) {
	if addr := w.listens(); addr != w.addr {
		if w.client != nil {
			w.client.Close()
		}
		w.addr, w.client = addr, nil
		if addr != "" {
			w.client = httpapi.NewClient(addr)
		}
	}
	if w.client == nil {
		return httpapi.Status{}, false
	}
	s, err := w.client.Status(ctx)
	return s, err == nil
}

// listens is where the arm's serving component said last that it listens; "" before it has, and while it
// has no process: between a kill and the next start.
func (a *arm) listens() string {
	return a.serving().Listens()
}

// changedFrom is the start of the windows that can have changed since the last look that was answered:
// all of them in another generation, else those that were open then or closed a short time before.
func (w *watcher) changedFrom(generation int64) int64 {
	least := slices.Min(append(slices.Clone(w.answered.Watermark), math.MaxInt64))
	if generation != w.answered.Generation || least == math.MaxInt64 || least < 0 {
		return math.MinInt64
	}
	return least - (w.lateness + recent).Milliseconds()
}

func watermarks(s httpapi.Status) []int64 {
	return perPartition(s, func(p httpapi.PartitionStatus) int64 { return p.Watermark })
}
