package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"lambdakappa/bench/oracle"
	"lambdakappa/bench/result"
	"lambdakappa/datagen"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// afterRedrive is added to the names of what is judged once more, when the dead letters were repaired.
const afterRedrive = ", after the re-drive"

// redriver is the tool that belongs to neither side.
const redriver = "redrive"

// repairs are what a scenario may ask for, and the reasons of the dead letters that each makes good.
// A wrong first byte is one of several things that are malformed.
var repairs = map[string]event.Reason{
	"schema": event.ReasonUnknownSchema, "clock": event.ReasonFuture, "magic": event.ReasonMalformed,
}

func checkRepairs(names []string) error {
	for i, name := range names {
		if _, ok := repairs[name]; !ok {
			return fmt.Errorf("redrive[%d]: %q is none of clock, magic, schema", i, name)
		}
	}
	return nil
}

// A redriven is what the tool says about one run of it.
type redriven struct {
	Letters  int64                  `json:"letters"`
	Redriven int64                  `json:"redriven"`
	Already  int64                  `json:"already"`
	Left     map[event.Reason]int64 `json:"left"`
}

// redrive repairs the dead letters of every arm and has all answers judged once more. Both sides have
// the same letters, so whoever comes second finds them on the log already.
func (x *execution) redrive(ctx context.Context, w workload, end []int64, names []string) error {
	dead := x.truth.at(end).DeadLetters
	for i, r := range x.runs() {
		done, err := x.redriveArm(ctx, x.sut.arms[r.Arm], names)
		if err != nil {
			return err
		}
		x.check(r.Arm, "every dead letter was looked at", done.Letters == int64(len(dead)),
			"%d, of %d by the rule", done.Letters, len(dead))
		problem := unrepaired(done, dead, names)
		x.check(r.Arm, "what can be repaired was", problem == "", "%s", problem)
		x.check(r.Arm, "each was re-driven once", (done.Already == 0) == (i == 0) && (done.Redriven > 0) == (i == 0),
			"%d now, %d before", done.Redriven, done.Already)
		part := x.side(r.Arm)
		part.Figures = append(part.Figures,
			result.Figure{Name: "dead letters", Value: float64(done.Letters)},
			result.Figure{Name: "dead letters re-driven", Value: float64(done.Redriven + done.Already)})
	}
	now, err := x.sut.log.EndOffsets(ctx, eventlog.CarsTopic)
	if err != nil {
		return err
	}
	x.past.redriven, x.after = true, afterRedrive
	x.run.Events = sumOf(now)
	return x.judgeNow(ctx, w, now)
}

// unrepaired says what the tool has left that it should not have, by the reasons of the oracle; "" when
// it has not.
func unrepaired(done redriven, dead map[oracle.Position]event.Reason, names []string) string {
	expected := map[event.Reason]int64{}
	for _, reason := range dead {
		expected[reason]++
	}
	var whole, some []event.Reason // what a repair makes good altogether, and in part
	for _, name := range names {
		if repairs[name] == event.ReasonMalformed {
			some = append(some, repairs[name])
		} else {
			whole = append(whole, repairs[name])
		}
	}
	for reason, n := range expected {
		left := done.Left[reason]
		switch {
		case slices.Contains(whole, reason) && left != 0, slices.Contains(some, reason) && left >= n:
			return fmt.Sprintf("%d %s were left, of %d", left, reason, n)
		case !slices.Contains(whole, reason) && !slices.Contains(some, reason) && left != n:
			return fmt.Sprintf("%d %s were left, of %d that nothing repairs", left, reason, n)
		}
	}
	var left int64
	for _, n := range done.Left {
		left += n
	}
	if done.Redriven+done.Already+left != done.Letters {
		return fmt.Sprintf("%d letters, %d re-driven, %d left", done.Letters, done.Redriven+done.Already, left)
	}
	return ""
}

// redriveArm runs the tool over the dead letters of one side.
func (x *execution) redriveArm(ctx context.Context, a *arm, names []string) (done redriven, err error) {
	id, err := x.sut.log.RegisterSchema(ctx, event.Subject, event.Schema)
	if err != nil {
		return done, err
	}
	args := append([]string{redriver, "--dead-letters", a.like + ".dead-letters"}, x.sut.logArgs()...)
	for _, name := range names {
		if name == "schema" {
			name = fmt.Sprintf("schema=%d:%d", datagen.UnknownSchemaID, id)
		}
		args = append(args, "--repair", name)
	}
	args = append(args, "--max-future-skew", duration(x.scenario.rules.MaxFutureSkew))
	x.progress.say(strings.Join(args[:3], " "))
	c, err := x.sut.supervisor.Launch(redriver, outsideEnv, args...)
	if err != nil {
		return done, err
	}
	c.ExpectEnd()
	p := c.Process()
	if err := c.Settled(ctx); err != nil {
		return done, err
	}
	said, ok := p.Facts.Await(ctx, "redriven", p.Exited)
	if !ok {
		return done, fmt.Errorf("%s: ended without its report", redriver)
	}
	return done, said.Into(&done)
}
