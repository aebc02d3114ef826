package bench

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/oracle"
	"lambdakappa/bench/result"
	"lambdakappa/event"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// aTruth is a small truth, and the answer that is right about it.
func aTruth() (oracle.Answer, answer) {
	var want oracle.Answer
	for i, car := range []string{"car-00000", "car-00001", "car-00002"} {
		want.Windows = append(want.Windows, view.Window{
			WindowKey: view.WindowKey{CarID: car, Start: 10_000},
			Tally:     view.Tally{Readings: int64(i + 1), SpeedMax: 3, LastSeq: 9},
		})
	}
	want.Alerts = view.Table[view.AlertKey, view.Alert]{
		{AlertKey: view.AlertKey{CarID: "car-00001", Seq: 4}, EventTime: 12_000, Rule: view.TireLeak, Score: 1.5},
	}
	want.Counters = view.Counters{
		Events: 12, DroppedLate: 2, DeadLetters: map[event.Reason]int64{event.ReasonMalformed: 4},
	}
	got := answer{windows: slices.Clone(want.Windows), alerts: slices.Clone(want.Alerts)}
	got.status.Counters = want.Counters.Clone()
	return want, got
}

func wrong(checks []result.Check) []string {
	var names []string
	for _, c := range checks {
		if !c.OK {
			names = append(names, c.Name)
		}
	}
	return names
}

// Ensure that the judge finds every way in which an answer can be wrong, and names it.
func TestJudge(t *testing.T) {
	f := func(name string, spoil func(*answer), want ...string) {
		t.Helper()
		truth, got := aTruth()
		spoil(&got)
		require.Equal(t, want, wrong(judge(truth, got).checks("then")), name)
	}
	f("right", func(*answer) {})
	f("any order", func(a *answer) { slices.Reverse(a.windows) })
	f("missing", func(a *answer) { a.windows = a.windows[1:] }, "windows then")
	f("one reading more", func(a *answer) { a.windows[2].Readings++ }, "windows then")
	f("unexpected", func(a *answer) {
		a.alerts = append(a.alerts, view.Alert{AlertKey: view.AlertKey{CarID: "car-00009"}})
	}, "alerts then")
	f("another score", func(a *answer) { a.alerts[0].Score += 1e-12 }, "alerts then")
	f("no alerts", func(a *answer) { a.alerts = nil }, "alerts then")
	f("lost event", func(a *answer) { a.status.Counters.Events-- }, "counters then")
	f("another reason", func(a *answer) {
		a.status.Counters.DeadLetters = map[event.Reason]int64{event.ReasonFuture: 4}
	}, "counters then")
	f("two rows for one key", func(a *answer) { a.windows[1] = a.windows[0] }, "then")
	f("a zero is no entry", func(a *answer) { a.status.Counters.Reject(event.ReasonFuture, 0) })
}

// Ensure that a wrong row is named with what was expected and what was served.
func TestJudgeNamesRows(t *testing.T) {
	truth, got := aTruth()
	got.windows[0].SpeedMax = 4
	checks := judge(truth, got).checks("at the end")
	require.Contains(t, checks[0].Detail, "2 of 3 rows exact, 0 missing, 0 unexpected, 1 different")
	require.Contains(t, checks[0].Detail, "car-00000")
}

// movingSide swaps a generation in while it is asked, for a while.
type movingSide struct {
	answer
	swaps int
}

func (m *movingSide) Windows(context.Context, httpapi.Range) ([]view.Window, httpapi.Stamp, error) {
	return m.windows, m.stamp(), nil
}

func (m *movingSide) Alerts(context.Context, httpapi.Range) ([]view.Alert, httpapi.Stamp, error) {
	stamp := m.stamp()
	m.swaps--
	return m.alerts, stamp, nil
}

func (m *movingSide) Trips(context.Context, httpapi.Range) ([]view.Trip, httpapi.Stamp, error) {
	return nil, m.stamp(), nil
}

func (m *movingSide) Status(context.Context) (httpapi.Status, error) {
	s := m.status
	s.Stamp = m.stamp()
	return s, nil
}

func (m *movingSide) stamp() httpapi.Stamp {
	return httpapi.Stamp{Version: "v1", Generation: int64(10 - max(m.swaps, 0))}
}

// Ensure that views of two generations are never judged as one answer.
func TestFetchAcrossASwap(t *testing.T) {
	_, got := aTruth()
	_, err := fetch(t.Context(), &movingSide{got, 1})
	require.ErrorContains(t, err, "moved from {Version:v1 Generation:9 Mistake:}")

	a, err := fetchSettled(t.Context(), &movingSide{got, 1})
	require.NoError(t, err)
	require.Len(t, a.windows, 3)
	require.EqualValues(t, 10, a.status.Generation)

	_, err = fetchSettled(t.Context(), &movingSide{got, 100})
	require.Error(t, err, "it never stands still")
}

// Ensure that one failed check makes a run wrong, and that a wrong run is not excused as void.
func TestConclude(t *testing.T) {
	r := result.Run{Void: "too slow", Checks: []result.Check{{Name: "a", OK: true}, {Name: "b", Detail: "no"}}}
	conclude(&r, nil)
	require.False(t, r.OK)
	require.Equal(t, "wrong: b: no", r.Error)
	require.Empty(t, r.Void)

	r = result.Run{Void: "too slow", Checks: []result.Check{{Name: "a", OK: true}}}
	conclude(&r, nil)
	require.True(t, r.OK)
	require.Equal(t, "too slow", r.Void)
}

// Ensure that a run says how far its answers are from the other truth, and nothing when both truths
// are one.
func TestOtherTruth(t *testing.T) {
	o, err := oracle.New(oracleConfig(event.DefaultRules(), logic{version: "v1", views: view.All}, 1))
	require.NoError(t, err)
	for i, at := range []int64{100_000, 200_000, 100_000} { // the third comes far too late
		o.Add(oracle.Entry{
			Offset: int64(i), AppendTime: 200_000, Fingerprint: uint32(i),
			Event: &event.CarSensor{CarID: "car-00001", Seq: int64(i), EventTime: at},
		})
	}
	x := testExecution(t)
	note := func(kept truth, boundary int64) string {
		x.truth = kept
		want := kept.at([]int64{boundary})
		got := answer{windows: want.Windows, alerts: want.Alerts}
		got.status.Partitions = []httpapi.PartitionStatus{{Boundary: boundary, EndOffset: 3}}
		return x.otherTruth("kappa at the end", got)
	}
	require.Equal(t, "kappa at the end: against the other rule (every reading counts, however late it "+
		"came), 1 windows, 0 alerts and 0 trips differ", note(keptTruth{o}, 0))
	require.Equal(t, "kappa at the end: against the other rule (what came too late does not count), "+
		"1 windows, 0 alerts and 0 trips differ", note(keptTruth{o}, 3))
	require.Empty(t, note(oneTruth{o.TruthB()}, 0))
}
