package live

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"lambdakappa/internal/httpapi"
)

// How a side is looked at. The page shares the machine with what it shows, so it asks for as little as shows it.
const (
	statusEvery = 250 * time.Millisecond
	rowsEvery   = time.Second
	allRows     = 5               // every such look asks for all that is judged, the others for the newest
	judged      = 5 * time.Minute // windows that are judged begin in these last minutes
	newestRows  = time.Minute
	alertsOf    = time.Minute // that are counted
	flaggedFor  = 10 * time.Second
	watchedCars = 20
	visibleOver = 10 * time.Second
	askLimit    = 2 * time.Second // a part that stands still answers nobody
)

// An observer looks at one side, wherever it listens now, and keeps what it has seen last. It is safe for concurrent use.
type observer struct {
	side    string
	serving string // the part that answers
	stage   *stage
	referee *referee
	hub     *Hub

	mu      sync.Mutex
	addr    string
	client  *httpapi.Client
	seen    Side
	status  httpapi.Status // that it gave last
	pace    pace
	visible []sample
	byStart map[int64]verdict
	cars    []byte
}

// pace is how fast a position moves, between two looks.
type pace struct {
	at       time.Time
	position int64
	rate     float64 // events/s
}

func (p *pace) move(now time.Time, position int64) {
	if !p.at.IsZero() {
		p.rate = max(float64(position-p.position)/now.Sub(p.at).Seconds(), 0)
	}
	p.at, p.position = now, position
}

func newObserver(side, serving string, s *stage, r *referee, h *Hub) *observer {
	return &observer{
		side: side, serving: serving, stage: s, referee: r, hub: h,
		byStart: map[int64]verdict{}, cars: slices.Repeat([]byte{'.'}, s.cfg.Cars),
	}
}

// run looks until ctx ends.
func (o *observer) run(ctx context.Context) {
	var looking sync.WaitGroup
	looking.Go(func() { every(ctx, statusEvery, o.lookAtStatus) })
	n := 0
	looking.Go(func() {
		every(ctx, rowsEvery, func(ctx context.Context) {
			o.lookAtRows(ctx, n%allRows == 0)
			n++
		})
	})
	random := rand.New(rand.NewPCG(o.stage.cfg.Seed, 0x6c697665))
	for _, car := range random.Perm(o.stage.cfg.Cars)[:min(watchedCars, o.stage.cfg.Cars)] {
		looking.Go(func() { o.watchCar(ctx, car) })
	}
	looking.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.client != nil {
		o.client.Close()
	}
}

// every calls look at once and then again and again, as often as it can keep up with.
func every(ctx context.Context, interval time.Duration, look func(context.Context)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for ctx.Err() == nil {
		limited, cancel := context.WithTimeout(ctx, askLimit)
		look(limited)
		cancel()
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// api is a client of the side where it listens now; nil while it does not.
func (o *observer) api() *httpapi.Client {
	addr := o.stage.listens(o.serving)
	o.mu.Lock()
	defer o.mu.Unlock()
	if addr != o.addr {
		if o.client != nil {
			o.client.Close()
		}
		o.addr, o.client = addr, nil
		if addr != "" {
			o.client = httpapi.NewClient(addr)
		}
	}
	return o.client
}

// lookAtStatus notes how fresh the answers are and how far they reach.
func (o *observer) lookAtStatus(ctx context.Context) {
	status, ok := o.ask(ctx)
	now := time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen.Answers = ok
	if !ok { // somebody who wants an answer has the one from before, which grows older
		o.seen.FreshnessMS = newestAge(now, o.status)
		return
	}
	if o.status.Generation > 0 && status.Generation > o.status.Generation {
		_ = o.hub.Batch(Batch{At: now.UnixMilli(), Generation: status.Generation, Side: o.side})
	}
	o.status = status
	if now.Sub(o.pace.at) >= time.Second {
		o.pace.move(now, positionOf(status))
	}
	o.take(now)
}

func (o *observer) ask(ctx context.Context) (httpapi.Status, bool) {
	api := o.api()
	if api == nil {
		return httpapi.Status{}, false
	}
	s, err := api.Status(ctx)
	return s, err == nil
}

// take notes what the status says. o.mu is held.
func (o *observer) take(now time.Time) {
	s := o.status
	o.seen.Version, o.seen.Generation, o.seen.Lag = s.Version, s.Generation, s.Lag
	o.seen.FreshnessMS = newestAge(now, s)
	if o.side == Lambda {
		o.seen.BatchFreshnessMS = ageOf(now, s, func(p httpapi.PartitionStatus) int64 { return p.BatchNewest })
		o.seen.BoundaryAgeMS = o.seen.BatchFreshnessMS
	}
	o.seen.DroppedLate, o.seen.Duplicates, o.seen.DeadLetters = s.Counters.DroppedLate, s.Counters.Duplicates, 0
	for _, n := range s.Counters.DeadLetters {
		o.seen.DeadLetters += n
	}
}

func newestAge(now time.Time, s httpapi.Status) *float64 {
	return ageOf(now, s, func(p httpapi.PartitionStatus) int64 { return p.NewestAppend })
}

// ageOf is how old the newest event is, ms, on the worst partition; nil where a partition has none.
func ageOf(now time.Time, s httpapi.Status, newest func(httpapi.PartitionStatus) int64) *float64 {
	if len(s.Partitions) == 0 {
		return nil
	}
	oldest := newest(s.Partitions[0])
	for _, p := range s.Partitions {
		oldest = min(oldest, newest(p))
	}
	if oldest <= 0 {
		return nil
	}
	age := float64(now.Sub(time.UnixMilli(oldest)).Microseconds()) / 1e3
	return &age
}

func positionOf(s httpapi.Status) (sum int64) {
	for _, p := range s.Partitions {
		sum += p.Position
	}
	return sum
}

// batchLag is how many events the batch view does not cover yet.
func (o *observer) batchLag() (lag int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.status.Partitions {
		lag += p.EndOffset - p.BatchPosition
	}
	return lag
}

// now is the side as it was seen last.
func (o *observer) now() Side {
	o.mu.Lock()
	defer o.mu.Unlock()
	since := time.Now().Add(-visibleOver)
	o.visible = slices.DeleteFunc(o.visible, func(s sample) bool { return s.at.Before(since) })
	s := o.seen
	s.Visible = quantiles(o.visible)
	return s
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
