package kappa

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// memory is a changelog partition, side topics and a group's commit, without a broker. Each life
// is a task that reads the same input until it crashes.
type memory struct {
	cfg       Config
	changelog []eventlog.Record
	end       int64 // of the changelog: offsets are not used again after compaction
	commit    string
	sides     map[string]string // key of a side record -> reason
	alerts    map[string]bool   // values of the alert topic
	restored  int               // rows read by the latest restore
	trimmed   int64             // the changelog begins here
}

func newMemory() *memory {
	return &memory{cfg: DefaultConfig(), sides: map[string]string{}, alerts: map[string]bool{}}
}

// resume is what task.resume does with a broker.
func (m *memory) resume(t require.TestingT) *task {
	task := memoryTaskOf(m.cfg)
	from := metadata{progress: progress{Watermark: event.NoWatermark}}
	if m.commit != "" {
		require.NoError(t, json.Unmarshal([]byte(m.commit), &from))
	}
	task.progress, m.restored = from.progress, 0
	for i := range m.changelog {
		if m.changelog[i].Offset >= from.Restore {
			m.restored++
			require.NoError(t, task.restoreRow(&m.changelog[i]))
		}
	}
	if m.commit != "" {
		require.GreaterOrEqual(t, task.covered, task.Position, "a restore always finds a progress")
		task.trail.goOn(from.Trail)
	}
	return task
}

// flush is what task.flush does, but only the first rows survive when it is torn.
func (m *memory) flush(t require.TestingT, task *task, survives int) (torn bool) {
	writes := !task.rereads()
	if writes {
		needed, err := task.encode()
		require.NoError(t, err)
		m.keepSides(task)
		first := m.end
		for _, r := range task.rows.records[:min(survives, len(task.rows.records))] {
			r.Offset, m.end = m.end, m.end+1
			r.Key, r.Value = bytes.Clone(r.Key), bytes.Clone(r.Value)
			m.changelog = append(m.changelog, r)
		}
		if survives < len(task.rows.records) {
			return true
		}
		task.kept.flushed(first, m.end-1, needed)
		task.trail.note("changelog", first, max(task.Watermark, event.Watermark(task.ahead)))
	}
	task.sides.forget()
	task.alerts = task.alerts[:0]
	task.flushed(writes)
	return false
}

func (m *memory) keepSides(task *task) {
	for _, r := range slices.Concat(task.sides.deadLetters, task.sides.dropped) {
		m.sides[string(r.Key)] = saidOf(&r)
	}
	for _, r := range task.sides.alerts {
		m.alerts[string(r.Value)] = true
	}
}

// saidOf is what a side record says about its event.
func saidOf(r *eventlog.Record) string {
	return string(r.Header("reason")) + " " + string(r.Header("views"))
}

func (m *memory) commitAt(t require.TestingT, task *task) {
	from := metadata{
		progress: task.progress, Restore: task.kept.restoreFrom(task.Watermark), Rules: task.rules, Trail: task.trail.oldest(),
	}
	text, err := json.Marshal(from)
	require.NoError(t, err)
	m.commit = string(text)
	if before, passed := task.trail.passed(task.Watermark)["changelog"]; passed {
		m.trimmed = before
		m.changelog = slices.DeleteFunc(m.changelog, func(r eventlog.Record) bool { return r.Offset < before })
	}
}

// compact keeps the latest row of every key.
func (m *memory) compact() {
	latest := map[string]int64{}
	for _, r := range m.changelog {
		latest[string(r.Key)] = r.Offset
	}
	m.changelog = slices.DeleteFunc(m.changelog, func(r eventlog.Record) bool {
		return latest[string(r.Key)] != r.Offset
	})
}

// outcome is everything that anybody can see of a partition.
type outcome struct {
	Windows  []view.Window
	Alerts   []view.Alert
	Trips    []view.Trip
	Progress progress
	Sides    map[string]string
	Messages map[string]bool
}

func (m *memory) outcome(t require.TestingT) outcome {
	p := newPart()
	_, _, err := p.take(m.changelog)
	require.NoError(t, err)
	all := httpapi.Range{From: math.MinInt64, To: math.MaxInt64}
	windows, err := view.NewTable(p.readWindows(nil, all))
	require.NoError(t, err)
	alerts, err := view.NewTable(p.readAlerts(nil, all))
	require.NoError(t, err)
	trips, err := view.NewTable(p.readTrips(nil, all, m.cfg.Rules.ReadingInterval))
	require.NoError(t, err)
	require.Equal(t, len(trips), p.trips)
	return outcome{windows, alerts, trips, p.progress, m.sides, m.alerts}
}

// straight is the outcome of a log without a crash, flushed once.
func straight(t require.TestingT, log []eventlog.Record) outcome {
	return newMemory().straight(t, log)
}

func (m *memory) straight(t require.TestingT, log []eventlog.Record) outcome {
	task := m.resume(t)
	for i := range log {
		require.NoError(t, task.judge(&log[i]))
	}
	m.flush(t, task, math.MaxInt)
	return m.outcome(t)
}

// Ensure that crashes anywhere, with flushes torn anywhere and the changelog ahead of the commit
// by any amount, change nothing that anybody can see (invariants 2, 3 and 4).
func TestCrashesChangeNothing(t *testing.T) {
	logs := map[uint64][]eventlog.Record{}
	want := map[uint64]outcome{}
	for seed := range uint64(4) {
		logs[seed] = disturbed(t, seed, 3, 500)
		want[seed] = brittle().straight(t, logs[seed])
		requireEventful(t, want[seed])
	}
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64Range(0, 3).Draw(t, "log")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		flushEvery := 1 + random.IntN(100)
		commitEvery := 1 + random.IntN(8)
		crashEvery := 20 + random.IntN(500)

		m, log := brittle(), logs[seed]
		for lives := 0; ; lives++ {
			task := m.resume(t)
			crashes := lives < 50
			if m.live(t, task, log, random, flushEvery, commitEvery, crashEvery, crashes) {
				break
			}
			if random.IntN(2) == 0 {
				m.compact()
			}
		}
		require.Equal(t, want[seed], m.outcome(t))
		m.requireNoWayBack(t)
	})
}

// brittle has trips that every late reading breaks, and many a one mends.
func brittle() *memory {
	m := newMemory()
	m.cfg.Rules.TripGap = 1_000
	return m
}

// requireNoWayBack requires that a reader of the changelog never sees progress go back.
func (m *memory) requireNoWayBack(t require.TestingT) {
	last := int64(0)
	for i := range m.changelog {
		if rowKind(&m.changelog[i]) == progressRow {
			p, err := readProgress(m.changelog[i].Value)
			require.NoError(t, err)
			require.LessOrEqual(t, last, p.Position)
			last = p.Position
		}
	}
}

// live runs a task to the end of the log; false when it has crashed before.
func (m *memory) live(
	t require.TestingT, task *task, log []eventlog.Record, random *rand.Rand,
	flushEvery, commitEvery, crashEvery int, crashes bool,
) bool {
	for task.Position < int64(len(log)) {
		require.NoError(t, task.judge(&log[task.Position]))
		if crashes && random.IntN(crashEvery) == 0 {
			return false
		}
		if random.IntN(flushEvery) > 0 {
			continue
		}
		survives := math.MaxInt
		if crashes && random.IntN(10) == 0 {
			survives = random.IntN(20)
		}
		if m.flush(t, task, survives) {
			return false
		}
		if random.IntN(commitEvery) == 0 {
			m.commitAt(t, task)
		}
	}
	m.flush(t, task, math.MaxInt)
	return true
}

// requireEventful makes sure that a log has some of everything: a property that nothing could
// break would prove nothing.
func requireEventful(t testing.TB, o outcome) {
	t.Helper()
	c := o.Progress.Counters
	require.NotEmpty(t, o.Alerts)
	require.Greater(t, len(o.Trips), 10)
	require.Positive(t, c.DroppedLate)
	require.Positive(t, c.DroppedLateTrips)
	require.NotEqual(t, c.DroppedLate, c.DroppedLateTrips)
	require.Positive(t, c.Duplicates)
	require.Positive(t, c.Conflicts)
	require.Positive(t, c.DeadLetters[event.ReasonMalformed])
	require.Positive(t, c.DeadLetters[event.ReasonFuture])
}

// Ensure that a restore does not grow with history (invariant 5): it reads what was flushed since
// the oldest open window was new.
func TestRestoreDoesNotGrow(t *testing.T) {
	rowsAfter := func(seconds int) int {
		m := newMemory()
		task := m.resume(t)
		for i := range seconds {
			r := recordOf(t, measured("a", int64(i), 1_000_000+int64(i)*1000))
			r.Offset = int64(i)
			require.NoError(t, task.judge(&r))
			m.flush(t, task, math.MaxInt)
			m.commitAt(t, task)
		}
		require.LessOrEqual(t, len(task.kept.spans), 12, "one per window start of the horizon")
		m.resume(t)
		return m.restored
	}
	require.Equal(t, rowsAfter(200), rowsAfter(2000))
	require.LessOrEqual(t, rowsAfter(200), 4*112) // 112 s of trips, three rows and a progress a second
}

// Ensure that a re-read event is judged by what came before it, not by what the changelog knows
// of its future: the conflict at offset 2 was admitted because (a, 0) was forgotten by then.
func TestRestoreIgnoresTheFuture(t *testing.T) {
	again := measured("a", 0, 60_000)
	log := numbered(
		recordOf(t, measured("a", 0, 5_000)),
		recordOf(t, measured("a", 1, 60_000)), // closes the window of (a, 0)
		recordOf(t, again),
	)
	want := straight(t, log)
	require.Len(t, want.Windows, 2)
	require.Equal(t, view.Counters{Events: 3}, want.Progress.Counters)

	// The first row is lost, the second survives: the flush was torn between them.
	m := newMemory()
	task := m.resume(t)
	require.False(t, m.flush(t, task, math.MaxInt))
	m.commitAt(t, task)
	for i := range log {
		require.NoError(t, task.judge(&log[i]))
	}
	slices.Reverse(task.changed)
	require.True(t, m.flush(t, task, 1))

	task = m.resume(t)
	require.EqualValues(t, 0, task.Position)
	require.True(t, m.live(t, task, log, rand.New(rand.NewPCG(0, 0)), 1, 1, 1, false))
	require.Equal(t, want, m.outcome(t))
}

// Ensure that a restore finds a progress even if the only rows of open windows are those that a
// torn flush has left behind it (invariant 5).
func TestRestoreAfterTornFlush(t *testing.T) {
	log := numbered(
		recordOf(t, measured("a", 0, 5_000)),
		recordOf(t, measured("a", 0, 60_000)), // a conflict: closes the window, and is in none
		recordOf(t, measured("a", 1, 61_000)),
	)
	want := straight(t, log)
	m := newMemory()
	task := m.resume(t)
	for i := range log[:2] {
		require.NoError(t, task.judge(&log[i]))
	}
	m.flush(t, task, math.MaxInt)
	require.NoError(t, task.judge(&log[2]))
	require.True(t, m.flush(t, task, 1))

	task = m.resume(t) // nothing was committed: it reads both again, writes nothing, and commits
	for i := range log[:2] {
		require.NoError(t, task.judge(&log[i]))
	}
	require.False(t, m.flush(t, task, math.MaxInt))
	m.commitAt(t, task)

	task = m.resume(t)
	require.EqualValues(t, 2, task.Position)
	require.True(t, m.live(t, task, log, rand.New(rand.NewPCG(0, 0)), 1, 1, 1, false))
	require.Equal(t, want, m.outcome(t))
}

// Ensure that a commit fits Kafka's limit with every counter in it.
func TestCommitFits(t *testing.T) {
	from := metadata{progress{math.MaxInt64, math.MinInt64, view.Counters{
		Events: math.MaxInt64, DroppedLate: math.MaxInt64,
		Duplicates: math.MaxInt64, Conflicts: math.MaxInt64, DroppedLateTrips: math.MaxInt64,
	}, math.MaxInt64, Mistakes{CountRepeats: true}.String(), math.MaxInt64, math.MaxInt64}, math.MaxInt64, event.DefaultRules(), map[string]mark{}, math.MaxInt64}
	for _, topic := range []string{ChangelogTopic("v2-windows-alerts"), AlertsTopic, LateTopic, DeadLettersTopic} {
		from.Trail[topic] = mark{math.MaxInt64, math.MaxInt64}
	}
	for _, reason := range event.Reasons {
		from.Counters.Reject(reason, math.MaxInt64)
	}
	text, err := json.Marshal(from)
	require.NoError(t, err)
	require.Less(t, len(text), 1200)
	var back metadata
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, from, back)
}

// Ensure that a restore names the record that it cannot read.
func TestRestoreRefusesForeignRows(t *testing.T) {
	for _, r := range []eventlog.Record{
		{},
		{Key: []byte("x")},
		{Key: []byte("w")},
		{Key: []byte("w12345678car"), Value: []byte{1}},
		{Key: []byte("p"), Value: []byte("{")},
	} {
		require.Error(t, memoryTask().restoreRow(&r), fmt.Sprintf("key %q", r.Key))
	}
}

// Ensure that a restore waits for a transaction that hides rows, and does not take the commit for one whose view was
// dropped: it would begin anew, and say again all that was said.
func TestRestoreWaitsForWhatIsHidden(t *testing.T) {
	log := startLog(t, 1)
	require.NoError(t, CreateTopics(t.Context(), log, 1, "v1"))
	cfg := testConfig(log)
	processor := background(t, func(ctx context.Context) error { return Process(ctx, cfg) })
	require.Eventually(t, func() bool { return len(readAll(t, log, ChangelogTopic("v1"))) > 0 }, 20*time.Second, time.Millisecond)
	stranger := openTransaction(t, log, ChangelogTopic("v1"))
	sent := disturbed(t, 5, 12, 900)
	send(t, log, sent)
	awaitCommitted(t, cfg)
	processor.stop(t)

	var told atomic.Int32
	cfg.Notify = func(fact string, _ ...any) {
		if fact == "assigned" {
			told.Add(1)
		}
	}
	processor = background(t, func(ctx context.Context) error { return Process(ctx, cfg) })
	require.Never(t, func() bool { return told.Load() > 0 }, 300*time.Millisecond, 10*time.Millisecond,
		"it goes on without its rows")
	stranger.Close()
	next, err := log.Transactor(t.Context(), "stranger") // ends what was left open
	require.NoError(t, err)
	next.Close()
	serving, run := serve(t, cfg)
	awaitEnd(t, serving)
	requireServed(t, truth(t, "v1", 1, sent), serving)
	require.Zero(t, repeated(t, log))
	processor.stop(t)
	run.stop(t)
}

// openTransaction begins a transaction of somebody else, with a row in a topic.
func openTransaction(t *testing.T, log *eventlog.Log, topic string) *eventlog.Transactor {
	t.Helper()
	x, err := log.Transactor(t.Context(), "stranger")
	require.NoError(t, err)
	t.Cleanup(x.Close)
	require.NoError(t, x.Begin())
	_, err = x.Append(t.Context(), topic, 0, []eventlog.Record{{AppendTime: 1, Key: []byte{progressRow}, Value: []byte("{}")}})
	require.NoError(t, err)
	return x
}
