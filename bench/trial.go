package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lambdakappa/bench/ledger"
	"lambdakappa/bench/result"
)

// A trial is one rate of a search for a ceiling: a short steady run that may show that the arm is not
// in time, which is no fault of it. Wrong answers are one, as everywhere.
type trial struct {
	rate      float64
	late      []string      // why the arm was not in time; empty when it was
	generator time.Duration // how late it was at p99
	run       result.Run
}

// miss notes why the arm was not in time.
func (t *trial) miss(format string, args ...any) {
	t.late = append(t.late, fmt.Sprintf(format, args...))
}

// try runs an arm at one rate.
func (d *driver) try(ctx context.Context, head result.Run, s size, inTime time.Duration) (*trial, error) {
	t := &trial{rate: s.rate}
	d.progress.say(fmt.Sprintf("%s at %.0f events/s", head.Arm, s.rate))
	x, err := d.execute(ctx, head, func(*execution) {}, func(ctx context.Context, x *execution) error {
		st := newSteady(x, s, true)
		st.trial = t
		st.figures = func(s *steady) error { return t.judge(s, inTime) }
		err := st.run(ctx)
		var behind *unsettledError
		if errors.As(err, &behind) {
			t.miss("%s", behind)
			return nil
		}
		if err != nil {
			return err
		}
		return x.plainProgram(ctx)
	})
	if err == nil {
		t.run = x.run
	}
	return t, err
}

// plainProgram takes the rate of the single-threaded program, once in a run of the benchmark.
func (x *execution) plainProgram(ctx context.Context) error {
	if x.limits().OracleEventsPerSecond > 0 || len(x.sut.arms) == 0 {
		return nil
	}
	x.progress.say("the plain program")
	end := make([]int64, 0, partitions)
	for _, a := range x.sut.arms {
		status, err := a.api.Status(ctx)
		if err != nil {
			return err
		}
		end = ends(status)
	}
	return x.oracleLimit(ctx, end)
}

// judge says what was not in time: events that were visible too late, or answers that grew older and
// older, so that a longer run would show nothing else.
func (t *trial) judge(s *steady, inTime time.Duration) error {
	if len(s.arms) == 0 {
		return nil // the generator alone
	}
	visible := s.execution.run.LatencyMs.Visible
	if visible.P99 == nil {
		return fmt.Errorf("%d samples are too few for a p99: take a longer duration or more cars", visible.Count)
	}
	bound := inTime.Seconds() * 1e3
	if *visible.P99 > bound {
		t.miss("events were visible after %.0f ms at p99", *visible.P99)
	}
	for _, a := range s.arms {
		if g := growth(a.layers[0].points); g*time.Minute.Seconds() > bound {
			t.miss("the answers grew older by %.0f ms every second", g)
		}
	}
	return nil
}

// growth is how much older the answers were, ms per second, in the last third of a run than in the
// one before. The first third is left out: everything is cold. Medians, since a batch run may hold
// answers up for a moment in any third.
func growth(points [][2]float64) float64 {
	third := len(points) / 3
	if third == 0 {
		return 0
	}
	middle, last := points[third:2*third], points[len(points)-third:]
	apart := at(last) - at(middle)
	if apart <= 0 {
		return 0
	}
	return (age(last) - age(middle)) / apart
}

func at(points [][2]float64) float64  { return medianOf(points, 0) }
func age(points [][2]float64) float64 { return medianOf(points, 1) }

// medianOf is the median of a coordinate.
func medianOf(points [][2]float64, coordinate int) float64 {
	var xs []float64
	for _, p := range points {
		xs = append(xs, p[coordinate])
	}
	return ledger.Median(xs)
}

// says is the trial in a sentence.
func (t *trial) says() string {
	what := fmt.Sprintf("%.0f events/s: ", t.rate)
	if len(t.late) == 0 {
		return what + fmt.Sprintf("in time, visible p99 %.1f ms", *t.run.LatencyMs.Visible.P99)
	}
	return what + "not in time: " + sentence(t.late)
}
