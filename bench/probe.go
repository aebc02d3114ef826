package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sort"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"lambdakappa/datagen"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// How much is asked during a latency measurement. The driver shares the cores with what it
// measures, so the sample is as small as the percentiles allow: 200 cars at 2 Hz give p99 after
// 2.5 s and p99.9 after 25 s.
const (
	sampledCars    = 200
	queriesPerSec  = 1_000
	queryAskers    = 64 // that many point queries may be under way; more are late and count as such
	blockingWait   = time.Second
	notThereYet    = 5 * time.Millisecond // pause before a car without a row is asked again
	alertsPerSec   = 50
	alertPollEvery = time.Millisecond
)

// A latencies is what the probes of one arm collect. Histograms of ns.
type latencies struct {
	mu      sync.Mutex
	visible *hdrhistogram.Histogram
	query   *hdrhistogram.Histogram
	alert   *hdrhistogram.Histogram
	slowest slowest  // of visible
	unseen  []string // scheduled readings and alerts that were never visible
	wrong   int      // samples <= 0: an answer before its question
	failed  error

	visibleAt, queryAt []timed // samples one by one: latency changes on the way
}

// timed is a sample with its intended moment.
type timed struct{ at, ns int64 } // Unix ns, ns

// A slowest is the reading that took longest: whoever wonders about a maximum looks there first.
type slowest struct {
	reading string
	ns      int64
	at      time.Duration // its intended moment, from the start of the run
}

func newLatencies() *latencies {
	return &latencies{visible: newHistogram(), query: newHistogram(), alert: newHistogram()}
}

// sample notes the time from an intended moment until now.
func (l *latencies) sample(h *hdrhistogram.Histogram, intended int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	took := time.Now().UnixNano() - intended
	l.note(h, took)
	if h == l.query {
		l.queryAt = append(l.queryAt, timed{intended, took})
	}
}

func (l *latencies) note(h *hdrhistogram.Histogram, ns int64) {
	if ns <= 0 {
		l.wrong++
	}
	record(h, ns)
}

// fail keeps the first failure of a probe that was not simply ended.
func (l *latencies) fail(err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		l.failed = fmt.Errorf("probe: %w", err)
	}
}

// probes ask one arm while the generator sends, until the context that they were started with ends.
type probes struct {
	client *httpapi.Client
	spec   datagen.Spec
	live   time.Time    // readings that are intended before it are history, and not waited for
	alerts []view.Alert // that will be raised, by event time: a seeded sample
	cars   int          // that are watched, at most
	arms   int          // that are asked at the same time; they share the number of questions
	got    *latencies
	wg     sync.WaitGroup
}

// start starts all probes. Every question has an intended moment, so a slow answer delays none.
func (p *probes) start(ctx context.Context) {
	random := rand.New(rand.NewPCG(p.spec.Seed, 0x70726f6265))
	for _, car := range random.Perm(p.spec.Cars)[:min(p.cars/p.arms, p.spec.Cars)] {
		p.wg.Go(func() { p.watchCar(ctx, car) })
	}
	p.startQueries(ctx, random.Uint64())
	p.wg.Go(func() { p.watchAlerts(ctx) })
}

// wait returns when all probes have ended.
func (p *probes) wait() { p.wg.Wait() }

// readingsOf is how many readings a car sends.
func readingsOf(s datagen.Spec, car int) int64 {
	all, cars := s.Events(), int64(s.Cars)
	n := all / cars
	if int64(car) < all%cars {
		n++
	}
	return n
}

// history is the last reading of a car before the live part begins, and the first where all is live.
func (p *probes) history(car int) int64 {
	all, live := int(readingsOf(p.spec, car)), p.live.UnixNano()
	n := sort.Search(all, func(seq int) bool { return p.spec.Intended(car, int64(seq)) >= live })
	return int64(max(n-1, 0))
}

// watchCar asks blocking queries of one car until its last reading is visible. The first reading
// has no seq before it to ask after, so samples begin with the second.
func (p *probes) watchCar(ctx context.Context, car int) {
	id, last, seen := datagen.CarID(car), readingsOf(p.spec, car)-1, p.history(car)
	for seen < last {
		answer, found, err := p.client.Latest(ctx, id, seen, blockingWait, "")
		now := time.Now().UnixNano()
		if err != nil {
			p.got.fail(err)
			break
		}
		if !found {
			pause(ctx, notThereYet)
			continue
		}
		for _, seq := range answer.Visible {
			p.missed(car, seen, seq-1) // they came before it and are not there
			p.saw(car, seq, now)
			seen = max(seen, seq)
		}
	}
	p.missed(car, seen, last)
}

// saw notes a reading that is visible now.
func (p *probes) saw(car int, seq, now int64) {
	intended := p.spec.Intended(car, seq)
	p.got.mu.Lock()
	defer p.got.mu.Unlock()
	p.got.note(p.got.visible, now-intended)
	p.got.visibleAt = append(p.got.visibleAt, timed{intended, now - intended})
	if took := now - intended; took > p.got.slowest.ns {
		p.got.slowest = slowest{
			reading: fmt.Sprintf("%s/%d", datagen.CarID(car), seq), ns: took,
			at: time.Unix(0, intended).Sub(p.live),
		}
	}
}

// missed notes every reading that was never visible as the rest of the run.
func (p *probes) missed(car int, seen, last int64) {
	if seen >= last {
		return
	}
	now := time.Now().UnixNano()
	p.got.mu.Lock()
	defer p.got.mu.Unlock()
	for seq := seen + 1; seq <= last; seq++ {
		p.got.unseen = append(p.got.unseen, fmt.Sprintf("%s/%d", datagen.CarID(car), seq))
		p.got.note(p.got.visible, max(now-p.spec.Intended(car, seq), 1))
	}
}

// startQueries asks point queries of random cars at a fixed rate while the generator sends.
func (p *probes) startQueries(ctx context.Context, seed uint64) {
	every := time.Second / queriesPerSec * time.Duration(p.arms)
	begin := p.live.Add(time.Second) // every car has a row by then
	n := int(max(p.spec.Start.Add(p.spec.Duration).Sub(begin), 0) / every)
	for asker := range queryAskers {
		random := rand.New(rand.NewPCG(seed, uint64(asker)))
		p.wg.Go(func() {
			for i := asker; i < n && ctx.Err() == nil; i += queryAskers {
				p.query(ctx, begin.Add(time.Duration(i)*every), random.IntN(p.spec.Cars))
			}
		})
	}
}

func (p *probes) query(ctx context.Context, at time.Time, car int) {
	if waitUntil(ctx, at) != nil {
		return
	}
	if _, _, err := p.client.Latest(ctx, datagen.CarID(car), -1, 0, ""); err != nil {
		p.got.fail(err)
		return
	}
	p.got.sample(p.got.query, at.UnixNano())
}

// watchAlerts waits for every sampled alert, from the intended send of its reading until its row
// is in an answer.
func (p *probes) watchAlerts(ctx context.Context) {
	for _, a := range p.alerts {
		intended := p.intendedOf(a)
		if intended < p.live.UnixNano() {
			continue
		}
		if waitUntil(ctx, time.Unix(0, intended)) != nil {
			return
		}
		p.wg.Go(func() { p.watchAlert(ctx, a, intended) })
	}
}

// watchAlert blocks until the reading is visible, which costs one question, and then asks for the
// alert's row, which should be there.
func (p *probes) watchAlert(ctx context.Context, a view.Alert, intended int64) {
	if a.Seq > 0 {
		if _, _, err := p.client.Latest(ctx, a.CarID, a.Seq-1, blockingWait, ""); err != nil {
			p.got.fail(err)
			return
		}
	}
	for ctx.Err() == nil {
		rows, _, err := p.client.Alerts(ctx, httpapi.Range{From: a.EventTime, To: a.EventTime + 1, Car: a.CarID})
		if err != nil {
			p.got.fail(err)
			return
		}
		if len(rows) > 0 {
			p.got.sample(p.got.alert, intended)
			return
		}
		pause(ctx, alertPollEvery)
	}
	p.got.mu.Lock()
	p.got.unseen = append(p.got.unseen, fmt.Sprintf("alert of %s/%d", a.CarID, a.Seq))
	p.got.mu.Unlock()
}

func (p *probes) intendedOf(a view.Alert) int64 {
	var car int
	_, _ = fmt.Sscanf(a.CarID, "car-%d", &car) // the driver's own spec named it
	return p.spec.Intended(car, a.Seq)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
