package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"lambdakappa/bench/oracle"
	"lambdakappa/bench/result"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// An answer is everything that a side served at one moment.
type answer struct {
	windows []view.Window
	alerts  []view.Alert
	trips   []view.Trip    // none when they are not kept
	status  httpapi.Status // taken after the views
}

// A sideAPI is what the judge asks of a side; *httpapi.Client is one.
type sideAPI interface {
	Windows(ctx context.Context, r httpapi.Range) ([]view.Window, httpapi.Stamp, error)
	Alerts(ctx context.Context, r httpapi.Range) ([]view.Alert, httpapi.Stamp, error)
	Trips(ctx context.Context, r httpapi.Range) ([]view.Trip, httpapi.Stamp, error)
	Status(ctx context.Context) (httpapi.Status, error)
}

// fetch asks for the complete views, once each. All must come from one version and generation.
func fetch(ctx context.Context, side sideAPI) (answer, error) {
	var a answer
	stamps := make([]httpapi.Stamp, 2)
	var err error
	if a.windows, stamps[0], err = side.Windows(ctx, httpapi.All()); err != nil {
		return a, fmt.Errorf("fetch windows: %w", err)
	}
	if a.alerts, stamps[1], err = side.Alerts(ctx, httpapi.All()); err != nil {
		return a, fmt.Errorf("fetch alerts: %w", err)
	}
	if a.status, err = side.Status(ctx); err != nil {
		return a, fmt.Errorf("fetch status: %w", err)
	}
	if a.status.Views.Has(view.Trips) {
		var stamp httpapi.Stamp
		if a.trips, stamp, err = side.Trips(ctx, httpapi.All()); err != nil {
			return a, fmt.Errorf("fetch trips: %w", err)
		}
		stamps = append(stamps, stamp)
		if a.status, err = side.Status(ctx); err != nil {
			return a, fmt.Errorf("fetch status: %w", err)
		}
	}
	for _, stamp := range stamps {
		if stamp != a.status.Stamp {
			return a, &movedError{stamp, a.status.Stamp}
		}
	}
	return a, nil
}

// A movedError says that a new generation was swapped in while the views were being fetched, so
// that they are no answer of one moment.
type movedError struct{ from, to httpapi.Stamp }

func (e *movedError) Error() string {
	return fmt.Sprintf("the answers moved from %+v to %+v while they were fetched", e.from, e.to)
}

// fetchSettled fetches, and does so again when the answers moved meanwhile: a batch run that was
// killed may have published before, and its generation is swapped in whenever it is ready. What
// was fetched across a swap is thrown away uncompared; what is compared was fetched once.
func fetchSettled(ctx context.Context, side sideAPI) (answer, error) {
	for attempt := 1; ; attempt++ {
		a, err := fetch(ctx, side)
		var moved *movedError
		if !errors.As(err, &moved) || attempt == fetchAttempts {
			return a, err
		}
	}
}

// fetchAttempts: nothing publishes any more when answers are judged, so one swap is all that can
// be under way.
const fetchAttempts = 3

// A verdict is the comparison of an answer with the truth.
type verdict struct {
	result.Correctness
	counters string // what differs in the counters; "" when nothing does
	broken   string // why the answer is no table at all
}

// judge compares an answer with the truth, row by row and counter by counter.
func judge(want oracle.Answer, got answer) verdict {
	var v verdict
	windows, err := view.NewTable[view.WindowKey](got.windows)
	if err != nil {
		v.broken = "windows: " + err.Error()
	}
	alerts, err := view.NewTable[view.AlertKey](got.alerts)
	if err != nil {
		v.broken = "alerts: " + err.Error()
	}
	trips, err := view.NewTable[view.TripKey](got.trips)
	if err != nil {
		v.broken = "trips: " + err.Error()
	}
	v.Trips = view.Compare(want.Trips, trips)
	v.Windows = view.Compare(want.Windows, windows)
	v.Alerts = view.Compare(want.Alerts, alerts)
	v.counters = differ(want.Counters, got.status.Counters)
	return v
}

// differ says how counters differ; "" when they do not.
func differ(want, got view.Counters) string {
	same := want.Events == got.Events && want.DroppedLate == got.DroppedLate &&
		want.DroppedLateTrips == got.DroppedLateTrips &&
		want.Duplicates == got.Duplicates && want.Conflicts == got.Conflicts &&
		maps.Equal(withoutZeros(want.DeadLetters), withoutZeros(got.DeadLetters))
	if same {
		return ""
	}
	return fmt.Sprintf("expected %+v, served %+v", want, got)
}

func withoutZeros[K comparable](counts map[K]int64) map[K]int64 {
	kept := maps.Clone(counts)
	maps.DeleteFunc(kept, func(_ K, n int64) bool { return n == 0 })
	return kept
}

// checks are the verdict's lines in the report, at a named moment of the run.
func (v verdict) checks(moment string) []result.Check {
	if v.broken != "" {
		return []result.Check{{Name: moment, Detail: v.broken}}
	}
	checks := []result.Check{
		{Name: "windows " + moment, OK: v.Windows.OK(), Detail: describeDiff(v.Windows)},
		{Name: "alerts " + moment, OK: v.Alerts.OK(), Detail: describeDiff(v.Alerts)},
		{Name: "counters " + moment, OK: v.counters == "", Detail: v.counters},
	}
	if v.Trips.Expected > 0 || !v.Trips.OK() {
		checks = append(checks, result.Check{Name: "trips " + moment, OK: v.Trips.OK(), Detail: describeDiff(v.Trips)})
	}
	return checks
}

func describeDiff(d view.Diff) string {
	text := fmt.Sprintf("%d of %d rows exact", d.Exact, d.Expected)
	if d.OK() {
		return text
	}
	text += fmt.Sprintf(", %d missing, %d unexpected, %d different", d.Missing, d.Unexpected, d.Different)
	if len(d.Examples) > 0 {
		text += "; " + d.Examples[0]
	}
	return text
}

// judge fetches the complete views of an arm once, holds them against the truth at the boundary
// that they name and files the verdict under the arm.
func (x *execution) judge(ctx context.Context, a *arm, moment string) (answer, error) {
	return x.judgeAs(ctx, a.name, a, moment)
}

// judgeAs is judge with the verdict filed under another label. What is judged last is the run's
// correctness.
func (x *execution) judgeAs(ctx context.Context, label string, a *arm, moment string) (answer, error) {
	got, err := fetchSettled(ctx, a.api)
	if err != nil {
		return got, fmt.Errorf("%s %s: %w", a.name, moment, err)
	}
	v := judge(x.truth.at(boundaries(got.status)), got)
	for _, c := range v.checks(moment) {
		x.checkAnswer(label, c.Name, c.OK, "%s", c.Detail)
	}
	r := x.side(label)
	if r.Arm == armBoth {
		v.Correctness = sum(r.Correctness, v.Correctness)
	}
	r.Correctness = v.Correctness
	if note := x.otherTruth(label+" "+moment, got); note != "" && !slices.Contains(r.Notes, note) {
		r.Notes = append(r.Notes, note)
	}
	x.served[a.name] = got
	if len(x.watchers) > 0 {
		want := x.truth.at(boundaries(got.status))
		dropped, ruled := got.status.Counters.DroppedLate, want.Counters.DroppedLate
		x.checkAnswer(label, "dropped late "+moment, dropped == ruled, "%d dropped, %d by the rule", dropped, ruled)
		r.Figures = append(r.Figures, effectFigures(moment, want, got)...)
	}
	return got, nil
}

// otherTruth says how far an answer is from what the other cut-off rule calls right; "" when nothing
// lies between them. It is the price of lateness, and no error.
func (x *execution) otherTruth(what string, got answer) string {
	if _, same := x.truth.(oneTruth); same {
		return ""
	}
	b := make([]int64, len(got.status.Partitions))
	rule, other := "what came too late does not count", b
	if slices.Equal(boundaries(got.status), b) { // judged by that rule
		rule, other = "every reading counts, however late it came", ends(got.status)
	}
	v := judge(x.truth.at(other), got)
	windows := v.Windows.Missing + v.Windows.Unexpected + v.Windows.Different
	alerts := v.Alerts.Missing + v.Alerts.Unexpected + v.Alerts.Different
	trips := v.Trips.Missing + v.Trips.Unexpected + v.Trips.Different
	if windows+alerts+trips == 0 {
		return ""
	}
	return fmt.Sprintf("%s: against the other rule (%s), %d windows, %d alerts and %d trips "+
		"differ", what, rule, windows, alerts, trips)
}

// ends are where the log of every partition ends.
func ends(s httpapi.Status) []int64 {
	var all []int64
	for _, p := range s.Partitions {
		all = append(all, p.EndOffset)
	}
	return all
}

// sum adds up the rows of both arms: a load test has one line.
func sum(a, b result.Correctness) result.Correctness {
	add := func(a, b view.Diff) view.Diff {
		return view.Diff{
			Expected: a.Expected + b.Expected, Exact: a.Exact + b.Exact, Missing: a.Missing + b.Missing,
			Unexpected: a.Unexpected + b.Unexpected, Different: a.Different + b.Different,
			Examples: append(a.Examples, b.Examples...),
		}
	}
	return result.Correctness{
		Windows: add(a.Windows, b.Windows), Alerts: add(a.Alerts, b.Alerts), Trips: add(a.Trips, b.Trips),
	}
}
