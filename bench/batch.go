package bench

import (
	"context"
	"fmt"
	"time"

	"lambdakappa/bench/supervise"
	"lambdakappa/internal/httpapi"
)

// batchPart is Lambda's batch layer, which scenarios run once at planned moments or all the time.
var batchPart = part{name: "lambda batch", patient: true}

// coverLimit is how long it may take until a batch covers the whole log: ingest closes its files
// after some seconds, then one batch run reads them.
const coverLimit = 60 * time.Second

// coverEvery is the pause between two attempts: ingest needs the cores too.
const coverEvery = 500 * time.Millisecond

// A generation is what a batch run reports about itself.
type generation struct {
	Generation int64    `json:"generation"`
	Rows       int64    `json:"rows"`
	Boundary   []int64  `json:"boundary"`
	Columns    []string `json:"columns"`
	ReadMS     float64  `json:"read_ms"`
	WriteMS    float64  `json:"write_ms"`

	wall  time.Duration // from the start of its process to its end
	began time.Time
}

// took is how long the run itself took, ms.
func (g generation) took() float64 { return g.ReadMS + g.WriteMS }

// batchOnce runs the batch layer once, by a process of its own with further arguments, while the
// broker is there.
func (a *arm) batchOnce(ctx context.Context, more ...string) (generation, error) {
	a.batching.Lock()
	defer a.batching.Unlock()
	a.sut.brokerUp.RLock()
	defer a.sut.brokerUp.RUnlock()
	began := time.Now()
	c, err := a.launchBatch(append([]string{"--once"}, more...)...)
	if err != nil {
		return generation{}, err
	}
	c.ExpectEnd()
	p := c.Process()
	if err := c.Settled(ctx); err != nil {
		return generation{}, err
	}
	g := generation{wall: time.Since(began), began: began}
	found, ok := p.Facts.Await(ctx, "generation", p.Exited)
	if !ok {
		return g, fmt.Errorf("%s --once: published nothing", batchPart.name)
	}
	return g, found.Into(&g)
}

// launchBatch starts one more process of the batch layer.
func (a *arm) launchBatch(more ...string) (*supervise.Component, error) {
	s := a.sut
	return s.supervisor.Launch(batchPart.name, s.env(), s.partArgs(a, batchPart, more...)...)
}

// generations are what a running batch layer has published so far.
func (a *arm) generations() ([]generation, error) {
	c := a.parts[batchPart.name]
	if c == nil {
		return nil, nil
	}
	found, _, _ := c.Process().Facts.Since("generation", 0)
	all := make([]generation, len(found))
	for i, f := range found {
		if err := f.Into(&all[i]); err != nil {
			return nil, err
		}
		all[i].wall = time.Duration((all[i].ReadMS + all[i].WriteMS) * float64(time.Millisecond))
		all[i].began = f.At.Add(-all[i].wall)
	}
	return all, nil
}

// cover runs batches until one covers the log up to end and is served.
func (a *arm) cover(ctx context.Context, end []int64) (httpapi.Status, error) {
	late := time.Now().Add(coverLimit)
	for {
		g, err := a.batchOnce(ctx)
		if err != nil {
			return httpapi.Status{}, err
		}
		if atLeast(g.Boundary, end) {
			return settle(ctx, a.api.Status, coverLimit, covered(end))
		}
		pause(ctx, coverEvery)
		if time.Now().After(late) {
			return httpapi.Status{}, fmt.Errorf("no batch covered the log within %s: boundary %v, end %v",
				coverLimit, g.Boundary, end)
		}
	}
}
