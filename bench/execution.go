package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"lambdakappa/bench/result"
	"lambdakappa/internal/eventlog"
)

// closeLimit is how long the end of a run may take when it was interrupted or has failed: enough
// for components to write out what is pending, short enough for somebody who pressed Ctrl-C.
const closeLimit = 10 * time.Second

// An execution is one run while it happens: one scenario, one arm, one repetition, with a folder,
// a broker and components of its own. Everything that it started is gone when it is over.
type execution struct {
	*driver
	run   result.Run
	parts []*reported // when several runs come from one log; see report
	sut   *system

	input eventlog.TopicSpec // how a scenario wants the input topic; 0 partitions are as many as everywhere

	began time.Time
	truth truth

	served     map[string]answer // by arm, as it was judged last
	handedOver []int64           // events below the boundary, of every planned batch run
	spent      cost              // of a steady run, until it settled
	past       past              // what the log cannot tell any more
	end        []int64           // of the log, when it was judged last
	after      string            // says what has happened before it is judged once more
	watchers   []*watcher        // of the arms whose answers are looked at all the time
	stills     []stillAnswer     // just after hand-overs, while nothing was sent

	marking sync.Mutex // several faults may last at a time
}

// reported is one of several runs that come from one log.
type reported struct {
	label string // what its findings are filed under: an arm, or a component of one
	result.Run
}

// report adds a run of its own for what is filed under label.
func (x *execution) report(label, arm, phase string) {
	r := &reported{label, x.run}
	r.Arm, r.Phase = arm, phase
	r.Mistake = x.scenario.mistake(arm)
	x.parts = append(x.parts, r)
}

// side is the run that findings about a label belong to: this one, unless it is reported apart.
func (x *execution) side(label string) *result.Run {
	for _, part := range x.parts {
		if part.label == label {
			return &part.Run
		}
	}
	return &x.run
}

// runs are what the execution adds to the summary.
func (x *execution) runs() []*result.Run {
	if len(x.parts) == 0 {
		return []*result.Run{&x.run}
	}
	var all []*result.Run
	for _, part := range x.parts {
		all = append(all, &part.Run)
	}
	return all
}

// execute runs body as one run and returns what became of it; prepare may say beforehand which runs
// come from it. A failure of the run is part of the
// run (not OK, with its reason); an error is returned only when the benchmark cannot go on.
func (d *driver) execute(
	ctx context.Context, head result.Run, prepare func(x *execution),
	body func(ctx context.Context, x *execution) error,
) (*execution, error) {
	x := &execution{driver: d, run: head, began: time.Now(), served: map[string]answer{}}
	x.run.Dir, x.run.Mistake = d.runName(head), d.scenario.mistake(head.Arm)
	prepare(x)
	var arms []string
	for _, r := range x.runs() {
		if !slices.Contains(arms, r.Arm) {
			arms = append(arms, r.Arm)
		}
	}
	d.progress.run(head, arms)
	err := x.inSystem(ctx, body)
	if ctx.Err() != nil {
		return x, context.Cause(ctx)
	}
	var full *folderError
	if errors.As(err, &full) {
		return x, err
	}
	x.conclude(err)
	return x, nil
}

// inSystem runs body between the start and the end of the broker.
func (x *execution) inSystem(ctx context.Context, body func(ctx context.Context, x *execution) error) error {
	dir := x.folder.workDir(x.run.Dir)
	err := os.RemoveAll(dir) // of an invocation that died in this run, and is resumed
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return x.folder.failed("create run folder", err)
	}
	sut, inner, err := newSystem(ctx, x.driver, dir)
	if err == nil {
		x.sut, sut.alone = sut, x.run.Arm
		sut.settings, sut.partitions = x.input.Settings, cmp.Or(x.input.Partitions, sut.partitions)
		err = sut.startLog(inner)
	}
	if err == nil {
		err = body(inner, x)
	}
	// The reason why the run ended early is worth more than the call that noticed it.
	if cause := context.Cause(inner); err != nil && cause != nil && ctx.Err() == nil {
		err = cause
	}
	x.run.Components = sut.figures()
	closed := sut.close(context.WithoutCancel(ctx))
	if closed != nil && ctx.Err() != nil && x.opt.Stderr != nil {
		fmt.Fprintf(x.opt.Stderr, "%v\n", closed) // of an interrupted run nobody reads more
	}
	err = errors.Join(err, closed)
	if ctx.Err() == nil && (err != nil || x.wrong()) {
		err = errors.Join(err, x.folder.keepLogs(x.run.Dir, sut.logs()))
	}
	if !x.opt.Keep {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

// conclude decides of every run whether it is right: it is when it got to its end and no check
// failed.
func (x *execution) conclude(err error) {
	for _, part := range x.parts {
		part.Events, part.SentBy = x.run.Events, x.run.SentBy
		part.Marks = append(part.Marks, x.run.Marks...)
		part.Notes = append(slices.Clone(x.run.Notes), part.Notes...)
		if part.Components == nil { // a phase has taken its own account
			part.Components = componentsOf(x.run.Components, x.scenario.like(part.label))
		}
	}
	for _, r := range x.runs() {
		r.Seconds = orElse(r.Seconds, time.Since(x.began).Seconds())
		conclude(r, err)
	}
}

// wrong reports whether any check has failed.
func (x *execution) wrong() bool {
	for _, r := range x.runs() {
		for _, c := range r.Checks {
			if c.Failed() {
				return true
			}
		}
	}
	return false
}

// A slowError says that a run cannot be, because the machine was too slow for it: that is void, and no
// fault of the arm.
type slowError struct{ says string }

func (e *slowError) Error() string { return e.says }

func conclude(r *result.Run, err error) {
	var slow *slowError
	if errors.As(err, &slow) {
		r.OK, r.Void = true, slow.says
		return
	}
	r.OK = err == nil
	if err != nil {
		r.Error = err.Error()
	} else if r.Mistake != "" {
		r.Checks = append(r.Checks, shows(r))
	}
	for _, c := range r.Checks {
		if c.Failed() {
			r.OK = false
			r.Error = cmp.Or(r.Error, "wrong: "+c.Name+": "+c.Detail)
		}
	}
	if !r.OK {
		r.Void = ""
	}
}

// shows demands that a mistake that was made on purpose has been seen: a check that cannot find it
// would not find the same mistake made by accident.
func shows(r *result.Run) result.Check {
	c := result.Check{Name: result.MistakeShows, Detail: r.Mistake + ": every answer was right"}
	for _, other := range r.Checks {
		if other.OnPurpose && !other.OK {
			c.OK, c.Detail = true, r.Mistake+": see "+other.Name
			break
		}
	}
	return c
}

// componentsOf are the components of a label, and the broker.
func componentsOf(all []result.Component, label string) []result.Component {
	var own []result.Component
	for _, c := range all {
		if c.Name == brokerName || belongs(c.Name, label) {
			own = append(own, c)
		}
	}
	return own
}

// belongs reports whether a component is the label or a part of it.
func belongs(component, label string) bool {
	return component == label || strings.HasPrefix(component, label+" ")
}

func orElse(x, otherwise float64) float64 {
	if x > 0 {
		return x
	}
	return otherwise
}

// check notes one comparison of what is filed under label.
func (x *execution) check(label, name string, ok bool, format string, args ...any) {
	r := x.side(label)
	if r.Arm == armBoth && label != armBoth {
		name = label + " " + name
	}
	r.Checks = append(r.Checks, result.Check{Name: name, OK: ok, Detail: fmt.Sprintf(format, args...)})
}

// checkAnswer notes a comparison of what was answered. It may fail where the arm is wrong on purpose.
func (x *execution) checkAnswer(label, name string, ok bool, format string, args ...any) {
	x.check(label, name, ok, format, args...)
	r := x.side(label)
	c := &r.Checks[len(r.Checks)-1]
	c.Answers, c.OnPurpose = true, r.Mistake != "" && !ok
}

// mark notes a moment or a band for the plots over time.
func (x *execution) mark(name string, from, to time.Time) {
	m := result.Mark{Name: name, From: from.Sub(x.began).Seconds()}
	if !to.IsZero() {
		m.To = to.Sub(x.began).Seconds()
	}
	x.marking.Lock()
	defer x.marking.Unlock()
	x.run.Marks = append(x.run.Marks, m)
}

// runName names the folder of a run: <scenario>-<arm>-<n>.
func (d *driver) runName(head result.Run) string {
	name := head.Scenario + "-" + head.Arm
	if head.Phase != "" {
		name += "-" + head.Phase
	}
	d.numbers[name]++
	return fmt.Sprintf("%s-%d", name, d.numbers[name])
}
