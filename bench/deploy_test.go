package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/oracle"
	"lambdakappa/bench/scenarios"
	"lambdakappa/event"
	"lambdakappa/view"
)

// Ensure that a deployment in each way ends with every answer new, and with no answer that mixes
// versions on the way.
func TestDeploy(t *testing.T) {
	wholeScenario(t)
	t.Parallel()
	o := small(t, "testdata/deploy.yaml")
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.Len(t, s.Runs, 4)
	requireRight(t, s)
	for _, r := range s.Runs {
		if r.Void != "" {
			continue // the machine was too slow for a latency, and the answers are right
		}
		figures := map[string]float64{}
		for _, f := range r.Figures {
			figures[f.Name] = f.Value
		}
		require.Positive(t, figures["time until all answers are new"], r.Arm)
		require.Positive(t, figures["rows that the change corrects"], r.Arm)
	}
	requireNobodyLeft(t, o.Out)
}

// Ensure that what is felt of a deployment that is over in a moment is told by what its samples can tell.
func TestFeltDuringADeployment(t *testing.T) {
	began := time.Unix(1_000_000, 0)
	at := func(count int) *deployment {
		d := &deployment{steady: &steady{execution: testExecution(t, armKappa)}}
		var samples []timed
		for i := range count {
			samples = append(samples, timed{began.UnixNano() + int64(i), int64(i+1) * 1e6})
		}
		samples = append(samples, timed{began.Add(time.Second).UnixNano(), 1e9}) // after it
		d.quantiles("event visible", "during", within(samples, began, began.Add(time.Second)))
		return d
	}
	names := func(d *deployment) (all []string) {
		for _, f := range d.execution.run.Figures {
			all = append(all, f.Name)
		}
		return all
	}
	few := at(99)
	require.Empty(t, names(few))
	require.Equal(t, []string{"event visible during: not measured, there are only 99 samples"}, few.execution.run.Notes)
	some := at(100)
	require.Equal(t, []string{"event visible, p90 during", "event visible, max during"}, names(some))
	require.InDelta(t, 90, some.execution.run.Figures[0].Value, 0.1)
	require.InDelta(t, 100, some.execution.run.Figures[1].Value, 0.1)
	require.Equal(t, []string{
		"event visible, p90 during", "event visible, p99 during", "event visible, max during",
	}, names(at(1000)))
}

// Ensure that every slice that is asked for lies in the history, closed before the live part ends.
func TestWatchedSlicesAreClosed(t *testing.T) {
	f := func(duration time.Duration, count int) {
		t.Helper()
		spec := size{cars: 1, rate: 1, duration: duration}.workload(1).spec
		w := newSwitchWatch(nil, spec, event.DefaultRules(), nil)
		require.Equal(t, count, w.count)
		end := w.first + int64(w.count-1)*w.step + w.rules.Window
		require.LessOrEqual(t, end, spec.Start.UnixMilli()+duration.Milliseconds()*9/10)
	}
	f(68*time.Second, 6)
	f(106*time.Second, 8)
	f(406*time.Second, 8)
}

// Ensure that a sample which is of no version as a whole is found, and one of the old version after
// the new one.
func TestSwitchWatchFindsMixtures(t *testing.T) {
	rules := event.DefaultRules()
	row := func(car string, anomalies int64) view.Window {
		return view.Window{
			WindowKey: view.WindowKey{CarID: car, Start: 0}, Tally: view.Tally{Readings: 1, Anomalies: anomalies},
		}
	}
	truths := map[string]oracle.Answer{
		"v1": {Windows: []view.Window{row("a", 0), row("b", 0)}},
		"v2": {Windows: []view.Window{row("a", 1), row("b", 1)}},
	}
	sample := func(version string, rows ...view.Window) switchSample {
		return switchSample{version: version, alertsV: version, windows: rows}
	}
	old, new := sample("v1", row("a", 0), row("b", 0)), sample("v2", row("a", 1), row("b", 1))
	f := func(want int, samples ...switchSample) {
		t.Helper()
		w := &switchWatch{rules: rules, samples: samples}
		require.Len(t, w.mixtures(truths, "v1", "v2"), want)
	}
	f(0, old, old, new, new)
	f(2, old, new, old)                          // windows and alerts went back
	f(1, sample("v1", row("a", 0), row("b", 1))) // a mixture under the old name
	f(1, sample("v2", row("a", 0), row("b", 1))) // and under the new one
	f(1, sample("v2", row("a", 1)))              // a row is missing
	f(3, sample("v3", row("a", 1), row("b", 1))) // nobody deployed that
}

// Ensure that a deployment that cannot be is refused before anything starts.
func TestDeployRefuses(t *testing.T) {
	arms := []scenarios.Arm{{Name: "lambda", Like: "lambda"}, {Name: "kappa", Like: "kappa"}}
	f := func(want string, change func(*deploy)) {
		t.Helper()
		p := &deploy{
			From: "v1", To: "v2", Live: 10 * time.Second, At: time.Second,
			Ways: map[string]way{"lambda": {How: byRecompute}, "kappa": {How: byReplay}},
		}
		change(p)
		err := p.check(&Scenario{Scenario: &scenarios.Scenario{Arms: arms}, size: size{rate: 1}})
		if want == "" {
			require.NoError(t, err)
			return
		}
		require.ErrorContains(t, err, want)
	}
	f("", func(*deploy) {})
	f("takes two versions, or other views", func(p *deploy) { p.To = "v1" })
	f("", func(p *deploy) { p.To, p.Views = "v1", []string{"windows", "alerts", "trips"} })
	f(`view "cars": takes`, func(p *deploy) { p.Views = []string{"cars"} })
	f("before the end of the live part", func(p *deploy) { p.At = time.Minute })
	f("says nothing about arm kappa", func(p *deploy) { delete(p.Ways, "kappa") })
	f(`ways.kappa.how "recompute": is none of`, func(p *deploy) { p.Ways["kappa"] = way{How: byRecompute} })
	f("only a replay has several", func(p *deploy) { p.Ways["lambda"] = way{How: byRecompute, Processes: 2} })
	f(`"gamma" is no arm`, func(p *deploy) { p.Ways["gamma"] = way{How: byReplay} })
}
