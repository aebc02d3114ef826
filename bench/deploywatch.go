package bench

import (
	"context"
	"fmt"
	"time"

	"lambdakappa/bench/oracle"
	"lambdakappa/datagen"
	"lambdakappa/event"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// watchEvery is how often a slice of history is asked for while a version is deployed.
const watchEvery = 50 * time.Millisecond

// slices of history that are asked for in turn, at most: windows that are closed, so that their rows
// depend on nothing but the version.
const watchedSlices = 8

// A switchWatch samples answers about history while a version is deployed. Each must be that of one
// version as a whole, and never of the old one after the new.
type switchWatch struct {
	api   *httpapi.Client
	rules event.Rules
	first int64 // start of the first window that is asked for, Unix ms
	step  int64 // ms between two
	count int   // of slices

	disk    func(context.Context) (int64, error)
	peak    int64 // bytes on disk at most, while it watched
	samples []switchSample
	err     error
	done    chan struct{}
}

// A switchSample is one answer.
type switchSample struct {
	at      time.Time
	version string
	start   int64 // of the window
	windows []view.Window
	alerts  []view.Alert
	alertsV string
}

func newSwitchWatch(
	api *httpapi.Client, spec datagen.Spec, rules event.Rules, disk func(context.Context) (int64, error),
) *switchWatch {
	w := &switchWatch{api: api, disk: disk, rules: rules, done: make(chan struct{})}
	// The first and the last tenth are left out: what is there is not yet, or not for sure, closed.
	span := spec.Duration.Milliseconds()
	w.first = rules.WindowStart(spec.Start.UnixMilli() + span/10)
	w.step = max(rules.WindowStart(span*5/10/watchedSlices), rules.Window)
	last := spec.Start.UnixMilli() + span*9/10 - rules.Window
	w.count = int(min(max((last-w.first)/w.step+1, 1), watchedSlices))
	return w
}

// sample asks until ctx ends.
func (w *switchWatch) sample(ctx context.Context) {
	defer close(w.done)
	for i := 0; ctx.Err() == nil; i++ {
		s, err := w.ask(ctx, w.first+int64(i%w.count)*w.step)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			w.err = err
			return
		}
		w.samples = append(w.samples, s)
		if disk, err := w.disk(ctx); err == nil {
			w.peak = max(w.peak, disk)
		}
		pause(ctx, watchEvery)
	}
}

// lookAgain asks for every slice once more, at once: a view that went live before it was complete has holes now, and
// none a moment later.
func (w *switchWatch) lookAgain(ctx context.Context) {
	for i := 0; i < w.count && w.err == nil; i++ {
		var s switchSample
		if s, w.err = w.ask(ctx, w.first+int64(i)*w.step); w.err == nil {
			w.samples = append(w.samples, s)
		}
	}
}

// wait returns when sampling has ended.
func (w *switchWatch) wait() { <-w.done }

func (w *switchWatch) ask(ctx context.Context, start int64) (switchSample, error) {
	s := switchSample{at: time.Now(), start: start}
	r := httpapi.Range{From: start, To: start + w.rules.Window}
	windows, stamp, err := w.api.Windows(ctx, r)
	if err != nil {
		return s, fmt.Errorf("sample windows: %w", err)
	}
	s.windows, s.version = windows, stamp.Version
	alerts, stamp, err := w.api.Alerts(ctx, r)
	if err != nil {
		return s, fmt.Errorf("sample alerts: %w", err)
	}
	s.alerts, s.alertsV = alerts, stamp.Version
	return s, nil
}

// mixtures returns what is wrong with the samples, held against the truth of each version.
func (w *switchWatch) mixtures(truths map[string]oracle.Answer, from, to string) []string {
	var found []string
	switched := false
	for _, s := range w.samples {
		for _, answer := range []struct{ what, version string }{{"windows", s.version}, {"alerts", s.alertsV}} {
			switch {
			case answer.version == to:
				switched = true
			case answer.version != from:
				found = append(found, fmt.Sprintf("%s of version %q", answer.what, answer.version))
			case switched:
				found = append(found, answer.what+" of the old version after the new one")
			}
		}
		if d := s.windowsAgainst(truths[s.version]); !d.OK() {
			found = append(found, fmt.Sprintf("windows of %s: %s", s.version, describeDiff(d)))
		}
		if d := s.alertsAgainst(truths[s.alertsV], w.rules); !d.OK() {
			found = append(found, fmt.Sprintf("alerts of %s: %s", s.alertsV, describeDiff(d)))
		}
	}
	return found
}

func (s *switchSample) windowsAgainst(truth oracle.Answer) view.Diff {
	var want []view.Window
	for _, row := range truth.Windows {
		if row.Start == s.start {
			want = append(want, row)
		}
	}
	got, err := view.NewTable[view.WindowKey](s.windows)
	if err != nil {
		return view.Diff{Expected: len(want), Unexpected: 1, Examples: []string{err.Error()}}
	}
	return view.Compare(want, got)
}

func (s *switchSample) alertsAgainst(truth oracle.Answer, rules event.Rules) view.Diff {
	var want []view.Alert
	for _, row := range truth.Alerts {
		if row.EventTime >= s.start && row.EventTime < s.start+rules.Window {
			want = append(want, row)
		}
	}
	got, err := view.NewTable[view.AlertKey](s.alerts)
	if err != nil {
		return view.Diff{Expected: len(want), Unexpected: 1, Examples: []string{err.Error()}}
	}
	return view.Compare(want, got)
}
