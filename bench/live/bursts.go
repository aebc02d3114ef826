package live

import (
	"context"
	"fmt"
	"slices"
	"time"

	"lambdakappa/datagen"
)

func (b *buttons) inject(kind string) (string, error) {
	if !b.stage.running(brokerPart) {
		return "", notNow("the broker is away: wait until it is back")
	}
	if !b.hold(kind) {
		return "", notNow("one of these is being sent already: wait until it is over")
	}
	fleet, more, text := b.fleetOf(kind)
	b.burstBegins(kind)
	b.begin([]string{kind}, "", text, []string{"rate"}, func(ctx context.Context) (string, error) {
		defer b.burstEnds(kind)
		c, err := b.stage.supervisor.Launch("burst", partEnv, b.stage.generatorArgs(fleet, more...)...)
		if err != nil {
			return "", err
		}
		c.ExpectEnd()
		defer b.stage.supervisor.Forget(c)
		if err := c.Settled(ctx); err != nil {
			return "", err
		}
		return text + ": over", nil
	})
	return text, nil
}

// fleetOf is the fleet that a burst comes from: it has names of its own, so that its readings are nobody else's.
func (b *buttons) fleetOf(kind string) (datagen.Spec, []string, string) {
	cfg := b.stage.cfg
	b.mu.Lock()
	b.fleets = (b.fleets + 1) % burstFleets
	first := firstBurstCar + b.fleets*mostCars
	b.mu.Unlock()
	f := datagen.Spec{
		Seed: cfg.Seed + uint64(first), FirstCar: first, Cars: max(cfg.Cars/4, 1), Rate: max(cfg.Rate/4, 1), Duration: burstFor,
		Start: time.Now().Add(leadTime).Truncate(time.Millisecond),
	}
	switch kind {
	case Late:
		f.Duration, f.Start = lateSpan, time.Now().Add(-lateBy-lateSpan).Truncate(time.Millisecond)
		return f, []string{"--speedup", "0"}, fmt.Sprintf("%d cars send %d readings that are more than a minute old", f.Cars, f.Events())
	case Duplicates:
		f.Duplicates = 0.5
		return f, nil, fmt.Sprintf("%d cars send every second reading twice", f.Cars)
	case Poison:
		f.Malformed, f.Skew = 0.3, 0.1
		return f, nil, fmt.Sprintf("of %d cars' readings, three in ten cannot be decoded and one in ten has a clock that is ahead", f.Cars)
	default:
		f.Cars, f.Rate = cfg.Cars, cfg.Rate*(spikeFactor-1)
		return f, nil, fmt.Sprintf("%d times as many events", spikeFactor)
	}
}

func (b *buttons) burstBegins(kind string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bursts = append(b.bursts, kind)
}

func (b *buttons) burstEnds(kind string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bursts = slices.DeleteFunc(b.bursts, func(one string) bool { return one == kind })
}

// burstNow is what began to be sent last beside the fleet; "" for nothing.
func (b *buttons) burstNow() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.bursts) == 0 {
		return ""
	}
	return b.bursts[len(b.bursts)-1]
}
