package kappa

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// contested is a log about which v1 and v2 disagree in every single window: a leak on the back
// axle that v1 does not see, or a crawling car that v1 takes for broken.
func contested(t testing.TB, cars, seconds int) []eventlog.Record {
	var records []eventlog.Record
	for seq := range int64(seconds) {
		for i := range cars {
			e := measured(carName(i), seq, 1_000_000+seq*1000)
			e.Speed = 10
			if i%2 == 0 {
				e.TirePressure21 = 13
			} else {
				e.Speed, e.EngineVibrationAmplitude = 1, 300
			}
			records = append(records, recordOf(t, e))
		}
	}
	return records
}

// versionOf tells which version a window row of the contested log comes from.
func versionOf(t testing.TB, car string, anomalies int64) string {
	leaking := car[len(car)-1]%2 == 0
	if leaking == (anomalies > 0) {
		return "v2"
	}
	return "v1"
}

// watcher asks all the time, as clients do, and remembers what it must not see.
type watcher struct {
	mu      sync.Mutex
	faults  []string
	answers map[string]int // windows answers by version
}

func (w *watcher) fault(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, what)
}

// watch samples every kind of answer until ctx ends: no mixture, no way back, no false name.
func (w *watcher) watch(t testing.TB, s *Serving) func(ctx context.Context) error {
	w.answers = map[string]int{}
	return func(ctx context.Context) error {
		positions, lastSeq, version := map[int]int64{}, int64(-1), "v1"
		named := func(name string) {
			if name < version {
				w.fault("back from " + version + " to " + name)
			}
			version = name
		}
		for ctx.Err() == nil {
			windows, stamp := s.Windows(everything)
			named(stamp.Version)
			w.answers[stamp.Version]++
			for _, row := range windows {
				if from := versionOf(t, row.CarID, row.Anomalies); from != stamp.Version {
					w.fault("a row of " + from + " in an answer of " + stamp.Version)
				}
			}
			alerts, stamp := s.Alerts(everything)
			named(stamp.Version)
			for _, row := range alerts {
				if versionOf(t, row.CarID, 1) != stamp.Version {
					w.fault("an alert of another version in an answer of " + stamp.Version)
				}
			}
			status := s.Status()
			named(status.Version)
			for _, p := range status.Partitions {
				if p.Position < positions[p.Partition] {
					w.fault("a position went back")
				}
				positions[p.Partition] = p.Position
			}
			if latest, ok := s.Latest(ctx, carName(0), -1, httpapi.Merged); ok {
				named(latest.Version)
				if latest.LastSeq < lastSeq {
					w.fault("a car's last seq went back")
				}
				lastSeq = latest.LastSeq
			}
		}
		return nil
	}
}

// Ensure that a replay takes over while events go on coming and clients go on asking, that no
// answer mixes versions or goes back (invariant 8), that the old processor retires, and that the
// old view is deleted. The first serving dies at the cut-over itself.
func TestCutOver(t *testing.T) {
	const partitions = 4
	log := startLog(t, partitions)
	ctx := context.Background()
	require.NoError(t, CreateTopics(ctx, log, partitions, "v1"))
	cfg := testConfig(log)
	next := cfg
	next.Version = "v2"
	sent := contested(t, 10, 200)
	send(t, log, sent[:1000])
	old := background(t, func(ctx context.Context) error { return Process(ctx, cfg) })

	dying := cfg
	dying.fault = func(string) error { return errCrash }
	serving, run := serve(t, dying)
	awaitEnd(t, serving)
	requireServed(t, truth(t, "v1", partitions, sent[:1000]), serving)

	var before watcher
	clients := background(t, before.watch(t, serving))
	replay := background(t, func(ctx context.Context) error {
		return Replay(ctx, next, time.Time{}, time.Time{})
	})
	require.ErrorIs(t, <-run.ended, errCrash)
	require.Equal(t, "v1", serving.Status().Version)
	clients.stop(t)
	require.Empty(t, before.faults)

	serving, run = serve(t, cfg) // a restart finds v1 live and v2 standing
	require.Equal(t, "v1", serving.Status().Version)
	var after watcher
	clients = background(t, after.watch(t, serving))
	for i := 1000; i < len(sent); i += 50 {
		send(t, log, sent[i:i+50])
	}
	awaitVersion(t, serving, "v2")
	require.NoError(t, <-old.ended, "the old processor retires by itself")
	awaitEnd(t, serving)
	clients.stop(t)
	require.Empty(t, after.faults)
	require.Positive(t, after.answers["v2"])
	requireServed(t, truth(t, "v2", partitions, sent), serving)
	require.Empty(t, serving.Status().Candidate)
	requireDeleted(t, log, ChangelogTopic("v1"))

	run.stop(t)
	serving, run = serve(t, cfg) // a restart follows the control topic, not its configuration
	require.Equal(t, "v2", serving.Status().Version)
	requireServed(t, truth(t, "v2", partitions, sent), serving)
	require.NoError(t, Process(ctx, cfg), "v1 stays retired")
	replay.stop(t)
	run.stop(t)
}

func requireDeleted(t testing.TB, log *eventlog.Log, topic string) {
	t.Helper()
	require.Eventually(t, func() bool {
		n, err := log.Partitions(context.Background(), topic)
		return err == nil && n == 0
	}, 20*time.Second, time.Millisecond)
}

// Ensure that alerts are compared when serving has let go of everything: whoever is told may ask it.
func TestServingIsFreeWhenAlertsAreCompared(t *testing.T) {
	log := startLog(t, 1)
	require.NoError(t, CreateTopics(context.Background(), log, 1, "v1"))
	var serving atomic.Pointer[Serving]
	status := make(chan httpapi.Status, 1)
	cfg := testConfig(log)
	cfg.Notify = func(fact string, _ ...any) {
		if s := serving.Load(); fact == "alerts" {
			status <- s.Status()
		}
	}
	s, run := serve(t, cfg)
	serving.Store(s)
	next := testConfig(log)
	next.Version = "v2"
	replay := background(t, func(ctx context.Context) error {
		return Replay(ctx, next, time.Time{}, time.Time{})
	})
	select {
	case told := <-status:
		require.Equal(t, "v2", told.Version)
		require.Empty(t, told.Candidate)
	case <-time.After(20 * time.Second):
		require.Fail(t, "serving holds its lock")
	}
	replay.stop(t)
	run.stop(t)
}

// Ensure that a query that waits through the cut-over is answered by the new view.
func TestLatestWaitsThroughCutOver(t *testing.T) {
	log := startLog(t, 2)
	require.NoError(t, CreateTopics(context.Background(), log, 2, "v1"))
	cfg := testConfig(log)
	next := cfg
	next.Version = "v2"
	serving, run := serve(t, cfg)
	sent := contested(t, 4, 20)
	send(t, log, sent[:40])
	old := background(t, func(ctx context.Context) error { return Process(ctx, cfg) })
	awaitEnd(t, serving)

	answers := make(chan httpapi.Latest, 1)
	patience, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	go func() {
		answer, _ := serving.Latest(patience, carName(0), 9, httpapi.Merged)
		answers <- answer
	}()
	replay := background(t, func(ctx context.Context) error {
		return Replay(ctx, next, time.Time{}, time.Time{})
	})
	awaitVersion(t, serving, "v2")
	require.NoError(t, <-old.ended)
	send(t, log, sent[40:])
	answer := <-answers
	require.NoError(t, patience.Err())
	require.Equal(t, "v2", answer.Version)
	require.Greater(t, answer.LastSeq, int64(9))
	replay.stop(t)
	run.stop(t)
}

// Ensure that the way back is a cut-over like any other: v1 is replayed anew, though its group
// has an old commit and its changelog is gone; and that two servings follow, one after the other.
func TestRollBack(t *testing.T) {
	log := startLog(t, 2)
	require.NoError(t, CreateTopics(context.Background(), log, 2, "v1"))
	v1, v2 := testConfig(log), testConfig(log)
	v2.Version = "v2"
	sent := contested(t, 4, 30) // no window closes: the old commit restores from the very beginning
	send(t, log, sent)
	replay := func(cfg Config) *running {
		return background(t, func(ctx context.Context) error {
			return Replay(ctx, cfg, time.Time{}, time.Time{})
		})
	}
	here, runHere := serve(t, v1)
	there, runThere := serve(t, v1)
	first := background(t, func(ctx context.Context) error { return Process(ctx, v1) })
	awaitEnd(t, here)
	awaitCommit(t, log, "v1")

	second := replay(v2)
	awaitVersion(t, here, "v2")
	awaitVersion(t, there, "v2")
	require.NoError(t, <-first.ended)
	requireDeleted(t, log, ChangelogTopic("v1"))

	// It dies after its first rows and before their commit: new rows and an old commit of all the
	// log must not be taken for one life.
	dying, half := v1, time.UnixMilli(1_015_000)
	dying.fault = failAt("rows acknowledged", 3) // two partitions have said "I am here" before
	require.ErrorIs(t, Replay(context.Background(), dying, time.Time{}, half), errCrash)

	third := replay(v1)
	awaitVersion(t, here, "v1")
	awaitVersion(t, there, "v1")
	require.NoError(t, <-second.ended)
	requireServed(t, truth(t, "v1", 2, sent), here)
	requireServed(t, truth(t, "v1", 2, sent), there)
	third.stop(t)
	runHere.stop(t)
	runThere.stop(t)
}

// awaitCommit waits until a version has committed the whole log.
func awaitCommit(t testing.TB, log *eventlog.Log, version string) {
	t.Helper()
	ctx := context.Background()
	ends, err := log.EndOffsets(ctx, eventlog.CarsTopic)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		commits, err := log.Committed(ctx, group(version), eventlog.CarsTopic)
		for partition, end := range ends {
			if err != nil || commits[partition].Offset < end {
				return false
			}
		}
		return true
	}, 20*time.Second, time.Millisecond)
}

// failAt lets the nth step of a name fail.
func failAt(name string, n int64) func(step string) error {
	var steps atomic.Int64
	return func(step string) error {
		if step == name && steps.Add(1) == n {
			return errCrash
		}
		return nil
	}
}

// Ensure that the new view has caught up only when it has on every partition, and that the old
// one stands still from then on.
func TestFreezeIfBehind(t *testing.T) {
	old, next := DefaultConfig().newMaterialised("v1", 2), DefaultConfig().newMaterialised("v2", 2)
	at := func(m *materialised, partition int, position int64) {
		t.Helper()
		var rows changelogWriter
		require.NoError(t, rows.progress(progress{Position: position}))
		_, _, err := m.parts[partition].take(rows.records)
		require.NoError(t, err)
	}
	require.False(t, freezeIfBehind(old, next), "the new one has not begun")
	at(old, 0, 10)
	at(old, 1, 20)
	at(next, 0, 15)
	at(next, 1, 19)
	require.False(t, freezeIfBehind(old, next))
	at(next, 1, 20)

	// A row of the old view that is ahead of its progress is answered already.
	var rows changelogWriter
	c := &car{id: "car-1"}
	tally := view.EmptyTally()
	tally.Readings = 1
	rows.window(&window{car: c, tally: tally, seen: []reading{{seq: 1, offset: 20}}}, 0)
	_, _, err := old.parts[1].take(rows.records)
	require.NoError(t, err)
	require.False(t, freezeIfBehind(old, next), "offset 20 would be taken back")
	at(next, 1, 21)
	require.True(t, freezeIfBehind(old, next))
	at(old, 0, 99)
	require.EqualValues(t, 10, old.parts[0].progress.Position)
}

// Ensure that a replay with bounds processes the events between them, and returns.
func TestReplayBetween(t *testing.T) {
	const partitions = 2
	log := startLog(t, partitions)
	ctx := context.Background()
	sent := contested(t, 4, 100)
	send(t, log, sent)
	cfg := testConfig(log)
	cfg.Version = "v2"
	from, to := time.UnixMilli(1_020_000), time.UnixMilli(1_060_000)
	require.NoError(t, Replay(ctx, cfg, from, to))
	require.NoError(t, Replay(ctx, cfg, from, to), "nothing is left to do")

	p := newPart()
	_, _, err := p.take(readAll(t, log, ChangelogTopic("v2")))
	require.NoError(t, err)
	between := truth(t, "v2", 1, sent[4*20:4*60])
	requireSame(t, between.Windows, p.readWindows(nil, everything))
	requireSame(t, between.Alerts, p.readAlerts(nil, everything))
}

// Ensure that the view of a candidate in whose place another one stands is deleted, that its processor
// ends, and that it may stand again later, from the start.
func TestCandidateIsGivenUp(t *testing.T) {
	log := startLog(t, 2)
	require.NoError(t, CreateTopics(context.Background(), log, 2, "v1"))
	sent := contested(t, 4, 30)
	send(t, log, sent)
	live := background(t, func(ctx context.Context) error { return Process(ctx, testConfig(log)) })
	awaitCommit(t, log, "v1")
	require.NoError(t, goLive(context.Background(), log, "v1", "")) // and nobody who could cut over
	replay := func(version string) *running {
		cfg := testConfig(log)
		cfg.Version = version
		return background(t, func(ctx context.Context) error {
			return Replay(ctx, cfg, time.Time{}, time.Time{})
		})
	}
	second := replay("v2")
	awaitCommit(t, log, "v2")
	third := replay("v3")
	require.NoError(t, <-second.ended)
	requireDeleted(t, log, ChangelogTopic("v2"))
	awaitCommit(t, log, "v3")
	second = replay("v2")
	require.NoError(t, <-third.ended)
	requireDeleted(t, log, ChangelogTopic("v3"))
	n, err := log.Partitions(context.Background(), ChangelogTopic("v1"))
	require.NoError(t, err)
	require.Equal(t, 2, n, "the live view stays")
	serving, run := serve(t, testConfig(log))
	awaitVersion(t, serving, "v2")
	awaitEnd(t, serving)
	requireServed(t, truth(t, "v2", 2, sent), serving)
	require.NoError(t, <-live.ended)
	second.stop(t)
	run.stop(t)
}

// Ensure that a candidate under other rules begins anew: nobody needs what the old ones have built.
func TestCandidateUnderOtherRules(t *testing.T) {
	log := startLog(t, 2)
	require.NoError(t, CreateTopics(context.Background(), log, 2, "v1"))
	sent := contested(t, 4, 60)
	send(t, log, sent)
	live := background(t, func(ctx context.Context) error { return Process(ctx, testConfig(log)) })
	serving, run := serve(t, testConfig(log))
	awaitEnd(t, serving)
	cfg := testConfig(log)
	cfg.Version = "v2"
	require.NoError(t, Replay(context.Background(), cfg, time.Time{}, time.UnixMilli(1_030_000)))
	cfg.Rules.AllowedLateness /= 2
	replay := background(t, func(ctx context.Context) error {
		return Replay(ctx, cfg, time.Time{}, time.Time{})
	})
	awaitVersion(t, serving, "v2")
	require.NoError(t, <-live.ended)
	awaitEnd(t, serving)
	requireServed(t, truth(t, "v2", 2, sent), serving)
	replay.stop(t)
	cfg.Rules.AllowedLateness *= 2
	require.ErrorContains(t, Replay(context.Background(), cfg, time.Time{}, time.Time{}),
		"was built by other rules", "it is live")
	run.stop(t)
}

// Ensure that a replay without input says so.
func TestReplayWithoutInput(t *testing.T) {
	broker, err := eventlog.StartBroker(eventlog.BrokerConfig{Dir: t.TempDir()})
	require.NoError(t, err)
	defer func() { require.NoError(t, broker.Close()) }()
	log, err := eventlog.Open(context.Background(), eventlog.Config{Brokers: []string{broker.Addr()}})
	require.NoError(t, err)
	defer func() { require.NoError(t, log.Close()) }()
	err = Replay(context.Background(), testConfig(log), time.Time{}, time.Time{})
	require.EqualError(t, err, "topic cars does not exist: there is nothing to replay")
}

// Ensure what the control topic means for whom.
func TestStanding(t *testing.T) {
	f := func(s standing, version string, retires bool) {
		t.Helper()
		require.Equal(t, retires, s.retires(version))
	}
	f(standing{}, "v1", false)
	f(standing{live: "v1"}, "v1", false)
	f(standing{live: "v1", candidate: "v2"}, "v1", false)
	f(standing{live: "v1", candidate: "v2"}, "v2", false)
	f(standing{live: "v2", replaces: "v1", candidate: "v2"}, "v1", true)
	f(standing{live: "v2", candidate: "v1"}, "v1", false)
	f(standing{live: "v1", candidate: "v3"}, "v2", true) // another candidate came after it
}

// Ensure which view is built beside the live one.
func TestNominate(t *testing.T) {
	s := &Serving{cfg: DefaultConfig()}
	s.live.Store(DefaultConfig().newMaterialised("v1", 1))
	f := func(now standing, next string) {
		t.Helper()
		s.nominate(now)
		require.Equal(t, next, s.candidate())
	}
	f(standing{live: "v1"}, "")
	f(standing{live: "v1", candidate: "v2"}, "v2")
	f(standing{live: "v1", candidate: "v3"}, "v3") // the latest candidate counts
	f(standing{live: "v2", candidate: "v3"}, "v2") // another serving was faster: follow it first
	f(standing{live: "v2", candidate: "v2"}, "v2")
	following := s.next
	f(standing{live: "v2", candidate: "v3", announced: 1}, "v2")
	require.Same(t, following, s.next)
	f(standing{live: "v1", candidate: "v2", announced: 2}, "v2")
	require.NotSame(t, following, s.next) // it was dropped and begun anew
	f(standing{live: "v1", candidate: "v1"}, "")
}

// Ensure that an answer of a wrong configuration is an error that names the field.
func TestConfigErrors(t *testing.T) {
	f := func(change func(*Config), want string) {
		t.Helper()
		cfg := DefaultConfig()
		cfg.Log = new(eventlog.Log)
		change(&cfg)
		for _, err := range []error{
			cfg.Validate(),
			Process(context.Background(), cfg),
			Replay(context.Background(), cfg, time.Time{}, time.Time{}),
		} {
			require.EqualError(t, err, want)
		}
		_, err := NewServing(context.Background(), cfg)
		require.EqualError(t, err, want)
	}
	f(func(c *Config) { c.Log = nil }, "log: must be given")
	f(func(c *Config) { c.Version = "v9" }, `version "v9": must be one of v1, v2, v3, v4`)
	f(func(c *Config) { c.Linger = 0 }, "linger 0s: must be above 0")
	f(func(c *Config) { c.CommitInterval = -time.Second }, "commit interval -1s: must be above 0")
	f(func(c *Config) { c.Rules.Window = 0 }, "window 0s: must be above 0")
}

// Ensure that a replay that goes back to a replaced version has a changelog, also when the live version's processor starts in the
// moment before it stands, and deletes what it has replaced.
func TestReplacedVersionStandsAgain(t *testing.T) {
	log := startLog(t, 1)
	require.NoError(t, CreateTopics(t.Context(), log, 1, "v2"))
	require.NoError(t, goLive(t.Context(), log, "v2", "v1"))
	cfg := testConfig(log)
	cfg.fault = func(step string) error {
		if step != "announce" {
			return nil
		}
		s, err := readControl(t.Context(), log)
		require.NoError(t, err)
		live := testConfig(log)
		live.Version = "v2"
		return newProcessor(live).dropReplaced(t.Context(), s)
	}
	p := newProcessor(cfg)
	require.NoError(t, p.stand(t.Context()))
	n, err := log.Partitions(t.Context(), ChangelogTopic("v1"))
	require.NoError(t, err)
	require.Equal(t, 1, n)
}
