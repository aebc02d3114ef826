package doctor

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// timing is what a machine makes of short times.
type timing struct {
	resolution time.Duration // least step of the clock
	late       time.Duration // median of how much too long a sleep of nap was
	latest     time.Duration // at p99, sleeps and ticks
}

const (
	nap  = time.Millisecond
	naps = 200
	tick = 5 * time.Millisecond
)

// lateLimit is how late a generator may be at p99 before a run of the benchmark says nothing about latency.
const lateLimit = 5 * time.Millisecond

func checkTimer(ctx context.Context, _ Options) Check { return judgeTimer(measureTimer(ctx)) }

func measureTimer(ctx context.Context) timing {
	t := timing{resolution: time.Hour}
	for last, n := time.Now(), 0; n < 100_000; n++ {
		now := time.Now()
		if step := now.Sub(last); step > 0 {
			t.resolution = min(t.resolution, step)
		}
		last = now
	}
	var late []time.Duration
	for n := 0; n < naps && ctx.Err() == nil; n++ {
		began := time.Now()
		time.Sleep(nap)
		late = append(late, time.Since(began)-nap)
	}
	slices.Sort(late)
	if len(late) == 0 {
		return t // interrupted
	}
	t.late = late[len(late)/2]
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for last, n := time.Now(), 0; n < naps/2 && ctx.Err() == nil; n++ {
		<-ticker.C
		now := time.Now()
		late, last = append(late, now.Sub(last)-tick), now
	}
	slices.Sort(late)
	t.latest = late[len(late)*99/100]
	return t
}

func judgeTimer(t timing) Check {
	c := Check{Name: "timer", Verdict: OK}
	c.Says = fmt.Sprintf("a sleep of %s is %s too long, %s at p99; the clock moves in steps of %s",
		nap, t.late.Round(10*time.Microsecond), t.latest.Round(10*time.Microsecond), t.resolution)
	switch {
	case t.late > lateLimit:
		c.Verdict, c.Remedy = Warning, "the timer is coarse: answers are right all the same, latencies mean nothing; "+
			"plug the machine in and choose its fastest energy mode"
	case t.latest > lateLimit:
		c.Verdict, c.Remedy = Warning, "others take the processor: end them, or latencies will be void"
	}
	return c
}
