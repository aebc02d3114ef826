package bench

import (
	"context"
	"fmt"
	"time"

	"lambdakappa/bench/result"
	"lambdakappa/internal/eventlog"
)

// A follower reads the log while it grows, because the log may forget what the truth has to know. One that
// follows nothing has ended from the start.
type follower struct {
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // valid when ended is closed
}

// followEvery is how often it reads: far more often than any log forgets.
const followEvery = 200 * time.Millisecond

// figureForgotten is how many events were sent that the log no longer has, for it keeps them no longer.
const figureForgotten = "events the log has forgotten"

// follow begins to keep what comes onto the log, where the log may forget it.
func (x *execution) follow(ctx context.Context, forgets bool) *follower {
	f := &follower{cancel: func() {}, ended: make(chan struct{})}
	if !forgets {
		close(f.ended)
		return f
	}
	ctx, f.cancel = context.WithCancel(ctx)
	go func() {
		defer close(f.ended)
		for f.err == nil && rest(ctx, followEvery) == nil {
			if err := x.keepUp(ctx); ctx.Err() == nil {
				f.err = err
			}
		}
	}()
	return f
}

// stop ends following. What was kept by then is whole from its first event on.
func (f *follower) stop() error {
	f.cancel()
	<-f.ended
	return f.err
}

// keepUp keeps all that is on the log now.
func (x *execution) keepUp(ctx context.Context) error {
	ends, err := x.sut.log.EndOffsets(ctx, eventlog.CarsTopic)
	if err != nil {
		return err
	}
	for partition, end := range ends {
		if err := x.past.read(ctx, x.sut.log, partition, x.past.from(partition), end); err != nil {
			return fmt.Errorf("keep what the log may forget: %w", err)
		}
	}
	return nil
}

// forgetLimit is how long a log may take to forget something, once all was sent: a cluster looks every
// log.retention.check.interval.ms.
const forgetLimit = 30 * time.Second

// awaitForgotten ends following, and waits until the log has forgotten something: else nothing was shown.
func (x *execution) awaitForgotten(ctx context.Context, f *follower, end []int64) error {
	if err := f.stop(); err != nil || len(x.input.Settings) == 0 {
		return err
	}
	if err := x.keepUp(ctx); err != nil {
		return err
	}
	var gone int64
	for late := time.Now().Add(forgetLimit); gone == 0 && time.Now().Before(late); {
		starts, err := x.sut.log.StartOffsets(ctx, eventlog.CarsTopic)
		if err != nil {
			return err
		}
		if gone = sumOf(starts); gone == 0 {
			if err := rest(ctx, followEvery); err != nil {
				return err
			}
		}
	}
	for _, r := range x.runs() {
		r.Figures = append(r.Figures, result.Figure{Name: figureForgotten, Value: float64(gone)})
		x.check(r.Arm, "the log forgets", gone > 0, "it holds all %d events %s after the last", sumOf(end), forgetLimit)
	}
	return nil
}
