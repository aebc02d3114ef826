package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"lambdakappa/bench/result"
	"lambdakappa/bench/supervise"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// A stillAnswer is everything that an arm served while nothing was sent, just after a hand-over.
type stillAnswer struct {
	answer
	arm        string
	generation int64   // that had been handed over to
	end        []int64 // of the log
}

// logCalm is for how long the log must not grow before it counts as standing still: what the generator
// had on its way to the broker when it was stopped still arrives.
const logCalm = 50 * time.Millisecond

// stillAttempts is how often what was fetched may have been overtaken by a batch run or by the log.
const stillAttempts = 5

// lookAtHandOver stops the generator where it is until every arm has answered for the whole log so far,
// with Lambda serving the generation that was handed over to. An answer that grows while it is fetched
// is one of no moment; this one is, so it can be held against the truth row by row, trips included.
func (x *execution) lookAtHandOver(ctx context.Context, g generation, generator *supervise.Component) (err error) {
	p := generator.Process()
	select {
	case <-p.Exited:
		return nil // the end is judged anyway
	default:
	}
	if err := p.Suspend(); err != nil {
		return err
	}
	defer func() {
		if resumed := p.Resume(); err == nil {
			err = resumed
		}
	}()
	began := time.Now()
	end, err := x.calmLog(ctx)
	if err != nil {
		return err
	}
	for _, r := range x.runs() {
		still, err := x.still(ctx, x.sut.arms[r.Arm], g.Generation, end)
		if err != nil {
			return fmt.Errorf("%s at the hand-over to generation %d: %w", r.Arm, g.Generation, err)
		}
		x.stills = append(x.stills, still)
	}
	x.mark("nothing sent", began, time.Now())
	return nil
}

// calmLog waits until the log does not grow any more and returns its end.
func (x *execution) calmLog(ctx context.Context) ([]int64, error) {
	for {
		before, err := x.sut.log.EndOffsets(ctx, eventlog.CarsTopic)
		if err != nil {
			return nil, err
		}
		pause(ctx, logCalm)
		after, err := x.sut.log.EndOffsets(ctx, eventlog.CarsTopic)
		if err != nil || slices.Equal(before, after) {
			return after, err
		}
	}
}

// still fetches what an arm answers for the log up to end.
func (x *execution) still(ctx context.Context, a *arm, generation int64, end []int64) (stillAnswer, error) {
	isThere := reached(end)
	if a.like == armLambda {
		isThere = func(s httpapi.Status) bool { return s.Generation >= generation && atLeast(positions(s), end) }
	}
	for range stillAttempts {
		if _, err := settle(ctx, a.api.Status, settleLimit, isThere); err != nil {
			return stillAnswer{}, err
		}
		got, err := fetchSettled(ctx, a.api)
		if err != nil {
			return stillAnswer{}, err
		}
		if slices.Equal(positions(got.status), end) {
			return stillAnswer{got, a.name, generation, end}, nil
		}
	}
	return stillAnswer{}, fmt.Errorf("the answers did not stand still at %v", end)
}

// judgeHandOvers holds what was served at the hand-overs against the truth about the log as it was then:
// A below the boundary that the answer names, B above it.
func (x *execution) judgeHandOvers() error {
	kept, ok := x.truth.(keptTruth)
	if !ok {
		return fmt.Errorf("hand-overs: the events were not kept")
	}
	for _, r := range x.runs() {
		var all result.Correctness
		var wrong []string
		n := 0
		for _, still := range x.stills {
			if still.arm != r.Arm {
				continue
			}
			n++
			v := judge(kept.o.Until(still.end).Lambda(boundaries(still.status)), still.answer)
			all = sum(all, v.Correctness)
			for _, c := range v.checks("") {
				if !c.OK {
					wrong = append(wrong, fmt.Sprintf("generation %d, %s: %s", still.generation, c.Name, c.Detail))
				}
			}
		}
		x.checkAnswer(r.Arm, "at every hand-over", n > 0 && len(wrong) == 0, "%d looks while nothing was sent%s",
			n, listed("", wrong))
		side := x.side(r.Arm)
		side.Figures = append(side.Figures,
			result.Figure{Name: "hand-overs looked at", Value: float64(n)},
			result.Figure{Name: "windows not exact, at hand-overs", Value: float64(notExact(all.Windows))},
			result.Figure{Name: "trips not exact, at hand-overs", Value: float64(notExact(all.Trips))},
			result.Figure{Name: "trips looked at, at hand-overs", Value: float64(all.Trips.Expected)})
	}
	return nil
}

// notExact is how many rows were missing, too many, or other ones.
func notExact(d view.Diff) int { return d.Missing + d.Unexpected + d.Different }
