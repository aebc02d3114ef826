package live

import (
	"context"
	"slices"
	"time"

	"lambdakappa/datagen"
)

// sample is how long a reading took to be in an answer, and when that was seen.
type sample struct {
	at time.Time
	ms float64
}

// watchCar asks blocking queries of one car, and notes how long each of its readings took to be in an answer, whatever
// happened meanwhile.
func (o *observer) watchCar(ctx context.Context, car int) {
	id, seen := datagen.CarID(car), int64(-1)
	for ctx.Err() == nil {
		api := o.api()
		if api == nil {
			pause(ctx, statusEvery)
			continue
		}
		limited, cancel := context.WithTimeout(ctx, askLimit)
		answer, found, err := api.Latest(limited, id, max(seen, 0), time.Second, "")
		cancel()
		now := time.Now()
		if err != nil || !found {
			pause(ctx, statusEvery)
			continue
		}
		for _, seq := range answer.Visible {
			if seen >= 0 {
				o.saw(now, now.Sub(time.Unix(0, o.stage.fleet.Intended(car, seq))))
			}
		}
		seen = max(seen, answer.LastSeq)
	}
}

func (o *observer) saw(at time.Time, took time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.visible = append(o.visible, sample{at, float64(took.Microseconds()) / 1e3})
}

// quantiles are of the nearest rank: the samples are few.
func quantiles(samples []sample) Visible {
	if len(samples) == 0 {
		return Visible{}
	}
	ms := make([]float64, len(samples))
	for i, s := range samples {
		ms[i] = s.ms
	}
	slices.Sort(ms)
	rank := func(q float64) float64 { return ms[min(int(q*float64(len(ms))), len(ms)-1)] }
	return Visible{P50: rank(0.5), P99: rank(0.99), N: int64(len(ms))}
}
