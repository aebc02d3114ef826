package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"lambdakappa/bench/result"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// deadline cuts reprocessing off: an arm begins with nothing on a log that is complete, and at several
// times since its start everything that it serves is fetched and held against the truth about the whole
// log. What is asked is how much of the answer is there, and right, when time is up.
type deadline struct {
	After []time.Duration `yaml:"after"` // since the start of the first process, ascending
	// Archived are arms that begin with a master dataset which has everything: it was written all the
	// time, and only the views are missing.
	Archived []string `yaml:"archived"`
}

// The figures that need no choice of one deadline.
const (
	figureExactMean  = "rows exact, mean over the deadlines"
	figureExactUntil = "time until 99 % of rows are exact" // since the start of the first process
)

const nearlyAll = 99 // %

func (l *deadline) check(s *Scenario) error {
	if len(l.After) == 0 {
		return fmt.Errorf("after: must be given: times since the start, such as [1s, 2s, 4s]")
	}
	for i, after := range l.After {
		if after <= 0 || (i > 0 && after <= l.After[i-1]) {
			return fmt.Errorf("after[%d] %s: must be above 0 and above the one before it", i, after)
		}
	}
	for _, arm := range l.Archived {
		if a, ok := s.ArmNamed(arm); !ok || a.Like != armLambda {
			return fmt.Errorf("archived: %q is no arm like lambda: only that has a master dataset", arm)
		}
	}
	return s.needs()
}

func (l *deadline) seconds(o Options, s *Scenario) float64 {
	events := s.size.rate * s.size.duration.Seconds()
	each := max(l.After[len(l.After)-1].Seconds(), events*2e-6) + 3
	return float64(s.size.repetitions) * (6 + events*4e-6 + float64(len(s.arms(o)))*each)
}

func (l *deadline) run(ctx context.Context, d *driver, s *Scenario) error {
	for repetition := range s.size.repetitions {
		arms := inTurn(s.arms(d.opt), repetition)
		head := result.Run{
			Scenario: s.Name, Arm: armBoth, Repetition: repetition + 1,
			Seed: d.opt.Seed + uint64(repetition), Workload: s.size.result(),
		}
		if len(arms) == 0 || d.has(head, arms...) {
			continue
		}
		for _, group := range s.onOneLog(arms) {
			if repetition%4 >= 2 { // so each of them begins on a log that nobody has worked on
				slices.Reverse(group)
			}
			if err := l.once(ctx, d, head, s.size, group); err != nil {
				return err
			}
		}
	}
	return nil
}

// once loads one log and lets the arms work through it one after the other, each alone.
func (l *deadline) once(ctx context.Context, d *driver, head result.Run, s size, arms []string) error {
	x, err := d.execute(ctx, head, func(x *execution) {
		for _, arm := range arms {
			x.report(arm, arm, "")
		}
	}, func(ctx context.Context, x *execution) error {
		end, err := x.loadLog(ctx, s.workload(head.Seed))
		if err != nil {
			return err
		}
		for _, arm := range arms {
			if err := l.cutOff(ctx, x, arm, end); err != nil {
				return fmt.Errorf("%s: %w", arm, err)
			}
		}
		return nil
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

// loadLog publishes the workload, as fast as the log takes it, and computes the truth about it.
func (x *execution) loadLog(ctx context.Context, w workload) (end []int64, err error) {
	x.progress.say(fmt.Sprintf("load %d events", w.spec.Events()))
	published, end, err := x.sut.generate(ctx, w)
	if err != nil {
		return nil, err
	}
	x.run.Events = published.Events
	x.progress.say("read the log back, compute the truth")
	x.truth, err = readTruth(ctx, x.sut.log, w, x.scenario.rules, x.sut.logic(), end)
	return end, err
}

// cutOff starts an arm on the finished log and fetches what it serves at every deadline. Then it may
// finish, and its answers must be right.
func (l *deadline) cutOff(ctx context.Context, x *execution, arm string, end []int64) error {
	if slices.Contains(l.Archived, arm) {
		if err := x.archiveAll(ctx, arm, end); err != nil {
			return fmt.Errorf("write the master dataset: %w", err)
		}
	}
	x.progress.say(arm + " against the clock")
	began := time.Now()
	start := x.startAside(ctx, arm)
	defer start.wait() // nothing ends the system while it is being started
	got := make([]served, len(l.After))
	g, asking := errgroup.WithContext(ctx)
	for i, after := range l.After {
		g.Go(func() error { // one that takes long does not make the next begin late
			got[i].after = after
			if err := waitUntil(asking, began.Add(after)); err != nil {
				return err
			}
			a, err := start.now()
			if err != nil || a == nil {
				return err
			}
			return got[i].fetch(asking, a.api)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	a, err := start.wait()
	if err != nil {
		return err
	}
	return x.finishDeadlines(ctx, x.side(arm), a, end, got)
}

// archiveAll writes the master dataset of everything up to end, and leaves nothing else behind.
func (x *execution) archiveAll(ctx context.Context, name string, end []int64) error {
	x.progress.say(name + " writes its master dataset")
	a := x.sut.newArm(name)
	ingest := architectures[a.like][0]
	if err := a.launch(ingest); err != nil {
		return err
	}
	late := time.Now().Add(catchUpLimit(x.run.Events))
	for {
		g, err := a.batchOnce(ctx) // it says how far the dataset reaches
		if err != nil {
			return err
		}
		if atLeast(g.Boundary, end) {
			break
		}
		if time.Now().After(late) {
			return fmt.Errorf("it reaches %v of %v", g.Boundary, end)
		}
		pause(ctx, coverEvery)
	}
	if err := x.sut.supervisor.Stop(ctx, a.parts[ingest.name]); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(x.sut.dir, a.like, "views"))
}

// A starting is an arm that is being started while the clock runs.
type starting struct {
	done chan struct{} // closed when the other fields are set
	arm  *arm
	err  error
}

func (x *execution) startAside(ctx context.Context, name string) *starting {
	s := &starting{done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.arm, s.err = x.sut.startArm(ctx, name, pace{interval: x.scenario.size.interval})
	}()
	return s
}

// now returns the arm; nil when it does not answer yet.
func (s *starting) now() (*arm, error) {
	select {
	case <-s.done:
		return s.arm, s.err
	default:
		return nil, nil
	}
}

func (s *starting) wait() (*arm, error) {
	<-s.done
	return s.arm, s.err
}

// finishDeadlines lets the arm finish, judges it, and then turns what was fetched into figures.
func (x *execution) finishDeadlines(
	ctx context.Context, r *result.Run, a *arm, end []int64, got []served,
) error {
	if _, err := settle(ctx, a.api.Status, catchUpLimit(x.run.Events), reached(end)); err != nil {
		return err
	}
	if batch := a.parts[batchPart.name]; batch != nil {
		if err := x.sut.supervisor.Stop(ctx, batch); err != nil {
			return err
		}
	}
	if _, err := x.judge(ctx, a, "at the end"); err != nil {
		return err
	}
	truth := x.truth.at(end)
	for i := range got {
		if err := got[i].compare(truth.Windows, truth.Alerts); err != nil {
			return err
		}
	}
	fillDeadlines(r, got)
	return a.stop(ctx)
}

// served is what an arm had in its answers at a deadline.
type served struct {
	after   time.Duration
	took    time.Duration // to fetch it
	windows []view.Window
	alerts  []view.Alert

	exact, present, expected int // rows
}

// fetch asks for the complete views. They are compared later: that would take the cores from the arm.
func (s *served) fetch(ctx context.Context, side sideAPI) (err error) {
	began := time.Now()
	if s.windows, _, err = side.Windows(ctx, httpapi.All()); err != nil {
		return fmt.Errorf("fetch windows at %s: %w", s.after, err)
	}
	if s.alerts, _, err = side.Alerts(ctx, httpapi.All()); err != nil {
		return fmt.Errorf("fetch alerts at %s: %w", s.after, err)
	}
	s.took = time.Since(began)
	return nil
}

// compare counts the rows of the truth that were there, and those that were right already.
func (s *served) compare(
	windows view.Table[view.WindowKey, view.Window], alerts view.Table[view.AlertKey, view.Alert],
) error {
	gotWindows, err := view.NewTable[view.WindowKey](s.windows)
	if err != nil {
		return fmt.Errorf("windows at %s: %w", s.after, err)
	}
	gotAlerts, err := view.NewTable[view.AlertKey](s.alerts)
	if err != nil {
		return fmt.Errorf("alerts at %s: %w", s.after, err)
	}
	w, a := view.Compare(windows, gotWindows), view.Compare(alerts, gotAlerts)
	s.exact = w.Exact + a.Exact
	s.present = s.exact + w.Different + a.Different
	s.expected = w.Expected + a.Expected
	s.windows, s.alerts = nil, nil
	return nil
}

// fillDeadlines adds the figures of all deadlines.
func fillDeadlines(r *result.Run, got []served) {
	line := result.Series{Name: "rows exact", Unit: "%"}
	var mean float64
	for _, s := range got {
		exact, present := percent(s.exact, s.expected), percent(s.present, s.expected)
		mean += exact / float64(len(got))
		line.Points = append(line.Points, [2]float64{s.after.Seconds(), exact})
		r.Figures = append(r.Figures,
			result.Figure{Name: "rows exact after " + s.after.String(), Unit: "%", Value: exact},
			result.Figure{Name: "rows present after " + s.after.String(), Unit: "%", Value: present})
		if s.took > 0 {
			r.Notes = append(r.Notes, fmt.Sprintf("what was served after %s took %.2f s to fetch, on the same cores",
				s.after, s.took.Seconds()))
		}
	}
	r.Figures = slices.Insert(r.Figures, 0, result.Figure{Name: figureExactMean, Unit: "%", Value: mean})
	if until, ok := timeUntil(line.Points, nearlyAll); ok {
		r.Figures = slices.Insert(r.Figures, 1, result.Figure{Name: figureExactUntil, Unit: "s", Value: until})
	} else {
		r.Notes = append(r.Notes, figureExactUntil+": not by the last deadline")
	}
	r.Series = append(r.Series, line)
}

// timeUntil is when a line that begins with nothing at 0 first reaches share, on the straight way from the
// deadline before.
func timeUntil(line [][2]float64, share float64) (float64, bool) {
	var before [2]float64
	for _, p := range line {
		if p[1] >= share {
			return before[0] + (p[0]-before[0])*(share-before[1])/(p[1]-before[1]), true
		}
		before = p
	}
	return 0, false
}

func percent(part, of int) float64 { return 100 * float64(part) / float64(max(of, 1)) }
