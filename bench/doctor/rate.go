package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/dustin/go-humanize"

	"lambdakappa/bench"
)

// rateAmple is the rate whose half is what the live page takes by itself.
const rateAmple = 4000

// checkRate measures the rate that this machine sustains, and keeps it.
func checkRate(ctx context.Context, o Options) (Check, int) {
	measure := o.sustain
	if measure == nil {
		measure = sustain
	}
	found, err := measure(ctx, o)
	if ctx.Err() != nil {
		return Check{}, 0
	}
	c := judgeRate(found, err)
	rate := int(found.Held)
	if err != nil {
		rate = 0
	}
	if err := keep(o.file, rate); err != nil {
		c.Says += fmt.Sprintf(", which could not be kept (%v)", err)
		if c.Verdict == OK {
			c.Verdict, c.Remedy = Warning, "give the live page a --rate"
		}
	}
	return c, rate
}

// sustain runs the benchmark's search in a folder that is gone afterwards.
func sustain(ctx context.Context, o Options) (found bench.Sustained, err error) {
	fmt.Fprintf(o.Stderr, "finding the rate that this machine sustains, %.0f s at most\n", rateTime.Seconds())
	dir, err := os.MkdirTemp(o.Temp, "lambdakappa-doctor-")
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := bench.DefaultOptions()
	b.Out, b.Stderr, b.Stdout = dir, o.Stderr, nil
	return bench.Sustain(ctx, b, rateTime)
}

func judgeRate(s bench.Sustained, err error) Check {
	c := Check{Name: "rate", Verdict: OK}
	if err != nil {
		lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
		says := lines[0]
		if last := lines[len(lines)-1]; last != says { // of a log
			says += " " + last
		}
		c.Verdict, c.Says, c.Remedy = Failed, says, "'lambdakappa bench' says more in its report"
		return c
	}
	if s.Held == 0 {
		c.Verdict, c.Says = Failed, fmt.Sprintf("answers are not in time at %s events/s", comma(s.Missed))
		c.Remedy = "end other programs and plug the machine in; who shares another one sees as much"
		return c
	}
	c.Says = fmt.Sprintf("both architectures at once keep up with %s events/s", comma(s.Held))
	if s.Missed > 0 {
		c.Says += fmt.Sprintf(", and not with %s", comma(s.Missed))
	}
	if s.Held < rateAmple {
		c.Verdict = Warning
		c.Remedy = fmt.Sprintf("take loads of %s events/s at most, a half; the live page does by itself", comma(s.Held/2))
	}
	return c
}

func comma(rate float64) string { return humanize.Comma(int64(rate)) }
