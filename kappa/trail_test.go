package kappa

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// A recorder is a topic's partition of which it remembers where it begins.
type recorder struct {
	begins  map[string]int64
	refuses map[string]error
}

func (r *recorder) DeleteRecords(_ context.Context, topic string, before []int64) error {
	r.begins[topic] = before[len(before)-1]
	return r.refuses[topic]
}

// Ensure that what is deleted is what was written so long ago, in event time, that nobody answers for it; that it
// does go; and that a trail is no longer than the retention.
func TestATrailLosesNothingThatIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := event.DefaultRules()
		keep := rules.Settled() + rapid.Int64Range(0, 200_000).Draw(t, "keep")
		trail, topic := newTrail(rules, keep), &recorder{begins: map[string]int64{}}
		newest, greatest := []int64{}, int64(0) // event time that a record may be of, by its offset
		w := event.NoWatermark
		for range rapid.IntRange(1, 200).Draw(t, "flushes") {
			first := int64(len(newest))
			greatest += rapid.Int64Range(0, 30_000).Draw(t, "on")
			w = rules.Advance(w, greatest)
			for range rapid.IntRange(1, 3).Draw(t, "records") {
				newest = append(newest, greatest)
			}
			trail.note("rows", first, w)
			require.NoError(t, trail.trim(context.Background(), topic, 3, w, func(fact string, _ ...any) { require.Fail(t, fact) }))
			from := rules.KeptFrom(w, keep)
			for _, at := range newest[:topic.begins["rows"]] {
				require.Less(t, rules.WindowStart(at), from)
			}
			require.LessOrEqual(t, int64(len(trail.marks["rows"])), keep/rules.Window+4)
		}
		if long := greatest - newest[0]; long > 2*keep+100_000 {
			require.Positive(t, topic.begins["rows"])
		}
	})
}

// Ensure that a topic that may not be trimmed ends who writes it, with an error that names it, and that a broker which
// is away does not, and is told.
func TestATopicThatMayNotBeTrimmed(t *testing.T) {
	rules := event.DefaultRules()
	told := 0
	tell := func(fact string, _ ...any) {
		require.Equal(t, "trim failed", fact)
		told++
	}
	trim := func(err error) error {
		trail := newTrail(rules, rules.Settled())
		trail.note("rows", 7, 0)
		topic := &recorder{map[string]int64{}, map[string]error{"rows": err}}
		defer func() { require.EqualValues(t, 7, topic.begins["rows"]) }()
		return trail.trim(context.Background(), topic, 0, 1_000_000, tell)
	}
	require.ErrorContains(t, trim(eventlog.ErrRefused), "trim rows: the cluster refuses")
	require.Zero(t, told)
	require.NoError(t, trim(context.DeadlineExceeded))
	require.Equal(t, 1, told)
	require.NoError(t, trim(nil))
	require.Equal(t, 1, told)
}

// Ensure that nothing is noted, and nothing goes, where everything is kept.
func TestNoTrailWhereEverythingIsKept(t *testing.T) {
	trail := newTrail(event.DefaultRules(), 0)
	trail.note("rows", 7, 0)
	require.Empty(t, trail.marks)
	require.Empty(t, trail.passed(1_000_000_000))
}

// Ensure that a changelog that is trimmed, compacted or not, gives after crashes anywhere, with flushes torn anywhere,
// what a whole one gives of the time that is kept: answers, and the state that goes on from them.
func TestATrimmedChangelogGivesTheSame(t *testing.T) {
	logs := map[uint64][]eventlog.Record{}
	want := map[uint64]outcome{}
	for seed := range uint64(4) {
		logs[seed] = disturbed(t, seed, 3, 900)
		want[seed] = brittle().straight(t, logs[seed])
		requireEventful(t, want[seed])
	}
	trimmed, runs := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		seed := rapid.Uint64Range(0, 3).Draw(t, "log")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		flushEvery := 1 + random.IntN(100)
		commitEvery := 1 + random.IntN(8)
		crashEvery := 100 + random.IntN(1000)
		m, log := brittle(), logs[seed]
		m.cfg.ViewRetention = brittleRetention * time.Millisecond
		for lives := 0; ; lives++ {
			task := m.resume(t)
			if m.live(t, task, log, random, flushEvery, commitEvery, crashEvery, lives < 20) {
				break
			}
			if random.IntN(2) == 0 {
				m.compact()
			}
		}
		got, all := m.outcome(t), want[seed]
		from := m.cfg.Rules.KeptFrom(got.Progress.Watermark, brittleRetention)
		require.Positive(t, from)
		require.Equal(t, from, got.Progress.KeptFrom)
		all.Progress.KeptFrom = from
		require.Equal(t, all.from(from), got.from(from))
		if m.trimmed > 0 {
			trimmed++
		}
	})
	require.Greater(t, trimmed, runs/5, "of %d", runs)
}

// from is an outcome without the rows of event times before a time.
func (o outcome) from(at int64) outcome {
	o.Windows = slices.DeleteFunc(slices.Clone(o.Windows), func(w view.Window) bool { return w.Start < at })
	o.Alerts = slices.DeleteFunc(slices.Clone(o.Alerts), func(a view.Alert) bool { return a.EventTime < at })
	o.Trips = slices.DeleteFunc(slices.Clone(o.Trips), func(s view.Trip) bool { return s.End < at })
	return o
}

// Ensure that a processor that never lives for as long as a retention trims its changelog all the same.
func TestShortLivesTrimAsWell(t *testing.T) {
	m, log := brittle(), disturbed(t, 2, 3, 2000)
	m.cfg.ViewRetention = brittleRetention * time.Millisecond
	const life = 60 // events: a third of a retention
	most := 0
	for begin := 0; begin < len(log); begin += life {
		task := m.resume(t)
		require.EqualValues(t, begin, task.Position)
		for i := begin; i < min(begin+life, len(log)); i++ {
			require.NoError(t, task.judge(&log[i]))
			if (i+1)%(life/6) == 0 || i == len(log)-1 {
				m.flush(t, task, math.MaxInt)
				m.commitAt(t, task)
			}
		}
		most = max(most, len(m.changelog))
	}
	require.Positive(t, m.trimmed)
	require.Less(t, int64(most), m.end/3, "of all that was written")
}

// Ensure that a row of a torn flush, which is of a later time than the flush that comes after the restore, is not taken
// for as old as that.
func TestARowOfATornFlushIsKept(t *testing.T) {
	m := brittle()
	m.cfg.ViewRetention = brittleRetention * time.Millisecond
	log := numbered(
		recordOf(t, measured("a", 0, 1_000_000)), recordOf(t, measured("b", 0, 1_039_000)),
		recordOf(t, measured("c", 0, 1_082_000)), recordOf(t, measured("c", 1, 1_083_000)))
	task := m.resume(t)
	m.flush(t, task, math.MaxInt)
	m.commitAt(t, task)
	require.NoError(t, task.judge(&log[0]))
	require.NoError(t, task.judge(&log[1]))
	require.True(t, m.flush(t, task, 2), "only the windows are there")

	task = m.resume(t)
	for i := range log {
		require.NoError(t, task.judge(&log[i]))
		m.flush(t, task, math.MaxInt)
		m.commitAt(t, task)
	}
	from := m.cfg.Rules.KeptFrom(task.Watermark, brittleRetention)
	require.EqualValues(t, 1_030_000, from)
	windows := m.outcome(t).from(from).Windows
	require.Len(t, windows, 2)
	require.Equal(t, "b", windows[0].CarID)
}
