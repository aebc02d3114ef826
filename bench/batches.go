package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// batchMoments are when batch runs begin, one in each slot of the time in which they can hand over.
func batchMoments(seed uint64, n int, from, until time.Duration) []time.Duration {
	random := rand.New(rand.NewPCG(seed, 0x6261746368))
	moments := make([]time.Duration, n)
	for i := range moments {
		slot := float64(until-from) / float64(n)
		moments[i] = from + time.Duration((float64(i)+random.Float64())*slot)
	}
	return moments
}

// runBatches runs the batch layer at planned moments after now; then, unless it is nil, is done after each.
func (x *execution) runBatches(
	ctx context.Context, lambda *arm, moments []time.Duration, then func(context.Context, generation) error,
) error {
	began := time.Now()
	for _, at := range moments {
		if err := waitUntil(ctx, began.Add(at)); err != nil {
			return err
		}
		g, err := lambda.batchOnce(ctx)
		if err != nil {
			return err
		}
		x.mark(fmt.Sprintf("batch %d", g.Generation), g.began, g.began.Add(g.wall))
		x.handedOver = append(x.handedOver, sumOf(g.Boundary))
		if then == nil {
			continue
		}
		if err := then(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

// checkHandOvers demands that enough batch runs moved the boundary.
func (x *execution) checkHandOvers(needed int) {
	lambda := x.sut.lambda()
	if lambda == nil {
		return
	}
	moved, last := 0, int64(0)
	for _, boundary := range x.handedOver {
		if boundary > last {
			moved, last = moved+1, boundary
		}
	}
	x.check(lambda.name, "hand-overs", moved >= needed, "%d inside the log, at %v events", moved, x.handedOver)
}
