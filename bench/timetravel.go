package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lambdakappa/bench/result"
	"lambdakappa/bench/supervise"
	"lambdakappa/datagen"
	"lambdakappa/internal/eventlog"
)

// timeTravel asks both sides for all events of a range of event time, Lambda's from its master dataset
// and Kappa's from the log, for several lengths, and takes what that costs. The sets have to be the same,
// and as large as the generator planned.
type timeTravel struct {
	Ranges []time.Duration `yaml:"ranges"` // lengths; each lies in the middle of the history
	// Compressed are arms whose log the generator compresses: they have one of their own.
	Compressed []string `yaml:"compressed"`
	// Tiered are arms whose log has moved to the second tier of a cluster before they are asked, but for its
	// newest segments. They have one of their own.
	Tiered []string      `yaml:"tiered"`
	Late   time.Duration `yaml:"late"` // nothing of the workload arrives later: how far behind a range the log is read
}

// figureKept is what an event of history takes, where the side keeps it.
const figureKept = "kept per event"

func (l *timeTravel) check(s *Scenario) error {
	if len(l.Ranges) == 0 {
		return fmt.Errorf("ranges: must be given: lengths of event time, such as [1s, 10s, 1m]")
	}
	for i, length := range l.Ranges {
		if length < time.Millisecond || length > s.size.duration {
			return fmt.Errorf("ranges[%d] %s: must be within the history of %s", i, length, s.size.duration)
		}
	}
	switch d := s.size.disturb; {
	case l.Late <= 0:
		return fmt.Errorf("late: must be given: how late an event arrives at most, such as 2m")
	case d.Silent+d.Duplicates+d.Conflicts+d.Malformed+d.Skew > 0:
		return fmt.Errorf("late %s: takes a workload that is at most out-of-order and late: the planned events are counted", l.Late)
	case d.Late > 0 && l.Late < latest():
		return fmt.Errorf("late %s: the workload has events that are %s late", l.Late, latest())
	}
	if err := keepLog(s, "compressed", l.Compressed); err != nil {
		return err
	}
	if err := keepLog(s, "tiered", l.Tiered); err != nil {
		return err
	}
	return s.needs()
}

// keepLog demands of arms that a setting names that they have their history in the log.
func keepLog(s *Scenario, setting string, arms []string) error {
	for _, arm := range arms {
		if a, ok := s.ArmNamed(arm); !ok || a.Like != armKappa {
			return fmt.Errorf("%s: %q is no arm like kappa: only that keeps the log", setting, arm)
		}
	}
	return nil
}

// latest is how late a late event of a workload is at most.
func latest() time.Duration { return datagen.LateBands[len(datagen.LateBands)-1] * 11 / 10 }

func (l *timeTravel) seconds(o Options, s *Scenario) float64 {
	events := s.size.rate * s.size.duration.Seconds()
	logs := float64(len(l.logs(s.arms(o))))
	asked := float64(len(s.arms(o)) * len(l.Ranges))
	return float64(s.size.repetitions) * (4 + logs*(3+events*6e-6) + asked/2)
}

func (l *timeTravel) run(ctx context.Context, d *driver, s *Scenario) error {
	if why, err := l.cannot(ctx, d); why != "" || err != nil {
		return errors.Join(err, d.skip(s, why))
	}
	for repetition := range s.size.repetitions {
		arms := inTurn(s.arms(d.opt), repetition)
		head := result.Run{
			Scenario: s.Name, Arm: armBoth, Repetition: repetition + 1,
			Seed: d.opt.Seed + uint64(repetition), Workload: s.size.result(),
		}
		if len(arms) == 0 || d.has(head, arms...) {
			continue
		}
		hashes := make([]string, len(l.Ranges)) // the same events are on every log
		for _, group := range l.logs(arms) {
			if err := l.once(ctx, d, head, s.size, group, hashes); err != nil {
				return err
			}
		}
	}
	return nil
}

// logs are the arms by the log that they share: those whose log is compressed, or has moved, have another
// one.
func (l *timeTravel) logs(arms []string) [][]string {
	groups := make([][]string, 3)
	for _, arm := range arms {
		at := 0
		switch {
		case l.packs(arm):
			at = 1
		case l.moves(arm):
			at = 2
		}
		groups[at] = append(groups[at], arm)
	}
	return slices.DeleteFunc(groups, func(group []string) bool { return len(group) == 0 })
}

func (l *timeTravel) packs(arm string) bool { return slices.Contains(l.Compressed, arm) }
func (l *timeTravel) moves(arm string) bool { return slices.Contains(l.Tiered, arm) }

// once asks the arms that share a log.
func (l *timeTravel) once(
	ctx context.Context, d *driver, head result.Run, s size, arms, hashes []string,
) error {
	x, err := d.execute(ctx, head, func(x *execution) {
		if l.moves(arms[0]) {
			x.input.Settings = eventlog.Tiered
		}
		for _, arm := range arms {
			x.report(arm, arm, "")
		}
	}, func(ctx context.Context, x *execution) error {
		w := s.workload(head.Seed)
		w.packed = l.packs(arms[0])
		return l.travel(ctx, x, w, arms, hashes)
	})
	if err != nil {
		return err
	}
	for _, r := range x.runs() {
		if err := d.add(*r); err != nil {
			return err
		}
	}
	return nil
}

// travel loads a history, archives it, and asks every arm for every range. What the first one has found, the
// others have to find.
func (l *timeTravel) travel(
	ctx context.Context, x *execution, w workload, arms, hashes []string,
) error {
	w.speedup = 0
	end, err := x.loadLog(ctx, w) // reads the log back, too
	if err != nil {
		return err
	}
	planned, err := l.plan(w)
	if err != nil {
		return err
	}
	for _, name := range arms {
		if l.moves(name) {
			err = x.move(ctx, name)
		} else {
			err = x.keep(ctx, name, w, end)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for i, length := range l.Ranges {
			x.progress.say(fmt.Sprintf("%s: the events of %s", name, length))
			from := middle(w.spec, length)
			f, err := x.findEvents(ctx, name, from, from.Add(length), l.Late)
			if err != nil {
				return err
			}
			if hashes[i] == "" {
				hashes[i] = f.Hash
			}
			x.checkAnswer(name, "events of "+length.String(), f.Events == planned[i] && f.Hash == hashes[i],
				"%d found, %d planned, hash %s, %s of the other side", f.Events, planned[i], f.Hash, hashes[i])
			f.fill(x.side(name), length)
		}
	}
	return nil
}

// middle is where a range of that length begins, so that it lies in the middle of the workload.
func middle(spec datagen.Spec, length time.Duration) time.Time {
	return spec.Start.Add((spec.Duration - length) / 2).Truncate(time.Millisecond)
}

// plan counts the events of every range as the generator plans them.
func (l *timeTravel) plan(w workload) ([]int64, error) {
	p, err := w.open()
	if err != nil {
		return nil, err
	}
	defer p.Close()
	counts := make([]int64, len(l.Ranges))
	var e datagen.Planned
	for p.Next(&e) {
		for i, length := range l.Ranges {
			from := middle(w.spec, length).UnixMilli()
			if t := e.Event.EventTime; from <= t && t < from+length.Milliseconds() {
				counts[i]++
			}
		}
	}
	return counts, nil
}

// keep makes sure that an arm has all history where it keeps it, and says how many bytes that takes. Kappa
// has it in the log; for Lambda, ingest is started, and stopped when it has everything.
func (x *execution) keep(ctx context.Context, name string, w workload, end []int64) error {
	r := x.side(name)
	if x.scenario.like(name) != armLambda {
		_, bytes, err := x.sut.brokerBytes(ctx)
		if err == nil && bytes > 0 { // a cluster may not say
			keptIn(r, bytes, x.run.Events)
		}
		return err
	}
	x.progress.say(name + ": archive")
	ingest := architectures[armLambda][0]
	a := &arm{name: name, like: armLambda, sut: x.sut, parts: map[string]*supervise.Component{}}
	c, err := x.sut.supervisor.Launch(ingest.name, x.sut.env(), x.sut.partArgs(a, ingest)...)
	if err != nil {
		return err
	}
	if err := c.Ready(ctx); err != nil {
		return err
	}
	if err := x.awaitArchive(ctx, name, w, end); err != nil {
		return err
	}
	if err := x.sut.supervisor.Stop(ctx, c); err != nil {
		return err
	}
	bytes, err := diskBytes(filepath.Join(x.sut.dir, armLambda, "master"), "")
	if err == nil {
		keptIn(r, bytes, x.run.Events)
	}
	return err
}

// awaitArchive waits until the files of an arm reach the end of the log.
func (x *execution) awaitArchive(ctx context.Context, name string, w workload, end []int64) error {
	master, from := filepath.Join(x.sut.dir, armLambda, "master"), middle(w.spec, time.Second)
	var f found
	for late := time.Now().Add(catchUpLimit(x.run.Events)); time.Now().Before(late); pause(ctx, coverEvery) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if files, err := parquetFiles(master); err != nil || len(files) == 0 {
			continue // the first is not closed yet
		}
		var err error
		if f, err = x.findEvents(ctx, name, from, from.Add(time.Millisecond), time.Second); err != nil {
			return err
		}
		if atLeast(f.Ends, end) {
			return nil
		}
	}
	return fmt.Errorf("archived only up to %v of %v", f.Ends, end)
}

func keptIn(r *result.Run, bytes, events int64) {
	r.Figures = append(r.Figures, result.Figure{Name: figureKept, Unit: "B", Value: float64(bytes) / float64(max(events, 1))})
}

// found is what a side says about the events of a range, and what it took.
type found struct {
	Events int64   `json:"events"`
	Hash   string  `json:"hash"`
	Wanted int64   `json:"bytes_wanted"`
	Read   int64   `json:"bytes_read"`
	MS     float64 `json:"ms"`
	Ends   []int64 `json:"ends"` // how far the side has archived, or the log goes
}

// findEvents asks an arm for the events of a range, by a process of its own.
func (x *execution) findEvents(ctx context.Context, name string, from, to time.Time, late time.Duration) (found, error) {
	like := x.scenario.like(name)
	args := []string{like, "events", "--count", "--from", stamp(from), "--to", stamp(to)}
	if like == armLambda {
		args = append(args, "--dir", filepath.Join(x.sut.dir, armLambda))
	} else {
		args = append(append(args, x.sut.logArgs()...), "--late", late.String())
	}
	c, err := x.sut.supervisor.Launch(like+" events", x.sut.env(), args...)
	if err != nil {
		return found{}, err
	}
	c.ExpectEnd()
	p := c.Process()
	if err := c.Settled(ctx); err != nil {
		return found{}, err
	}
	var f found
	said, ok := p.Facts.Await(ctx, "events", p.Exited)
	if !ok {
		return f, fmt.Errorf("%s: found nothing to say", strings.Join(args[:2], " "))
	}
	return f, said.Into(&f)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// fill adds the figures of one length.
func (f found) fill(r *result.Run, length time.Duration) {
	r.Figures = append(r.Figures,
		result.Figure{Name: "time for " + length.String(), Unit: "ms", Value: f.MS})
	if f.Wanted > 0 {
		r.Figures = append(r.Figures, result.Figure{
			Name: "bytes read per byte wanted for " + length.String(), Value: float64(f.Read) / float64(f.Wanted),
		})
	}
}
