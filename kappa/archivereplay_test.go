package kappa

import (
	"context"
	"errors"
	"math"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
)

// sendAndArchive sends records in several parts, each of which makes files of its own, and returns
// the archive's folder.
func sendAndArchive(t testing.TB, log *eventlog.Log, sent []eventlog.Record, parts int) string {
	t.Helper()
	cfg := sinkConfig(t, log)
	sink := background(t, func(ctx context.Context) error { return Sink(ctx, cfg) })
	for part := range parts {
		send(t, log, sent[part*len(sent)/parts:(part+1)*len(sent)/parts])
		requireArchived(t, cfg)
	}
	sink.stop(t)
	return cfg.Dir
}

// Ensure that a replay from the archive gives exactly the answers and counters of one of the log,
// although the log has forgotten the history, events go on coming, and the replay dies again and
// again; and that it takes over as any other does.
func TestReplayFromArchive(t *testing.T) {
	const partitions = 2
	log := startLog(t, partitions)
	ctx := context.Background()
	require.NoError(t, CreateTopics(ctx, log, partitions, "v1"))
	sent := disturbed(t, 1, 12, 4_000)
	dir := sendAndArchive(t, log, sent[:1500], 5)
	old := background(t, func(ctx context.Context) error { return Process(ctx, testConfig(log)) })
	serving, run := serve(t, testConfig(log))
	awaitEnd(t, serving)
	ends, err := log.EndOffsets(ctx, eventlog.CarsTopic)
	require.NoError(t, err)
	send(t, log, sent[1500:3000])
	awaitEnd(t, serving)
	require.NoError(t, log.DeleteRecords(ctx, eventlog.CarsTopic, ends))

	cfg := testConfig(log)
	cfg.Version, cfg.Archive, cfg.fault = "v2", dir, crashing(5, 15)
	cfg.CatchUpLinger = time.Millisecond
	replay := background(t, func(ctx context.Context) error {
		for {
			if err := Replay(ctx, cfg, time.Time{}, time.Time{}); !errors.Is(err, errCrash) {
				return err
			}
		}
	})
	awaitVersion(t, serving, "v2")
	require.NoError(t, <-old.ended)
	send(t, log, sent[3000:])
	awaitEnd(t, serving)
	want := truth(t, "v2", partitions, sent)
	requireEventful(t, want)
	requireServed(t, want, serving)
	for key, reason := range truth(t, "v1", partitions, sent[:1500]).Sides {
		want.Sides[key] = reason
	}
	requireSides(t, withAlertsOf(t, "v1", partitions, sent[:3000], want), log)
	replay.stop(t)
	run.stop(t)
}

// withAlertsOf adds the alerts that another version has announced on the alert topic.
func withAlertsOf(
	t testing.TB, version string, partitions int, sent []eventlog.Record, o outcome,
) outcome {
	for message := range truth(t, version, partitions, sent).Messages {
		o.Messages[message] = true
	}
	return o
}

// Ensure that nothing is passed over in silence: neither a gap between archive and log, nor an
// archive that is somewhere else, nor a time that it would not keep to.
func TestReplayFromArchiveErrors(t *testing.T) {
	log := startLog(t, 1)
	ctx := context.Background()
	require.NoError(t, CreateTopics(ctx, log, 1, "v1"))
	cfg := testConfig(log)
	cfg.Version, cfg.Archive = "v2", sendAndArchive(t, log, contested(t, 2, 50), 1)
	send(t, log, contested(t, 2, 50))
	require.NoError(t, log.DeleteRecords(ctx, eventlog.CarsTopic, []int64{130}))
	replay := func(from time.Time) error { return Replay(ctx, cfg, from, time.Time{}) }
	require.ErrorContains(t, replay(time.Time{}),
		"offsets [100, 130) are neither in the archive nor in the log")
	require.ErrorContains(t, replay(time.UnixMilli(1_000_000)), "archive: goes from its start")
	cfg.Archive = t.TempDir()
	require.ErrorContains(t, replay(time.Time{}), "there are no files of events in "+cfg.Archive)
}

// Ensure that an archive that begins later than the log is not asked: the log has all of it.
func TestReplayWithALateArchive(t *testing.T) {
	log := startLog(t, 1)
	ctx := context.Background()
	require.NoError(t, CreateTopics(ctx, log, 1, "v1"))
	sent := contested(t, 2, 100)
	cfg := testConfig(log)
	cfg.Version, cfg.Archive = "v2", sendAndArchive(t, log, sent, 2)
	segments, err := scanDataset(cfg.Archive)
	require.NoError(t, err)
	require.NoError(t, os.Remove(longestChain(segments[0])[0].path))
	serving, run := serve(t, testConfig(log))
	replay := background(t, func(ctx context.Context) error {
		return Replay(ctx, cfg, time.Time{}, time.Time{})
	})
	awaitVersion(t, serving, "v2")
	awaitEnd(t, serving)
	requireServed(t, truth(t, "v2", 1, sent), serving)
	replay.stop(t)
	run.stop(t)
}

// Ensure that several processes of one version share a replay, from the log or from an archive, and
// cut over once: also when one of them dies on the way.
func TestReplayByManyProcesses(t *testing.T) {
	const partitions, processes = 4, 3
	f := func(archive bool) {
		log := startLog(t, partitions)
		ctx := context.Background()
		require.NoError(t, CreateTopics(ctx, log, partitions, "v1"))
		sent := contested(t, 40, 100)
		cfg := testConfig(log)
		cfg.Version = "v2"
		if dir := sendAndArchive(t, log, sent, 3); archive {
			cfg.Archive = dir
		}
		old := background(t, func(ctx context.Context) error { return Process(ctx, testConfig(log)) })
		serving, run := serve(t, testConfig(log))
		awaitEnd(t, serving)
		dying := cfg
		dying.fault = failAt("rows acknowledged", 6)
		replay := func(cfg Config) *running {
			return background(t, func(ctx context.Context) error {
				return Replay(ctx, cfg, time.Time{}, time.Time{})
			})
		}
		first := replay(dying)
		var others []*running
		for range processes - 1 {
			others = append(others, replay(cfg))
		}
		awaitVersion(t, serving, "v2")
		awaitEnd(t, serving)
		requireServed(t, truth(t, "v2", partitions, sent), serving)
		require.NoError(t, <-old.ended)
		first.cancel()
		if err := <-first.ended; err != nil {
			require.ErrorIs(t, err, errCrash)
		}
		for _, r := range others {
			r.stop(t)
		}
		run.stop(t)
	}
	f(false)
	f(true)
}

// replayed starts a replay from the archive in the background.
func replayed(t testing.TB, cfg Config) *running {
	return background(t, func(ctx context.Context) error {
		return Replay(ctx, cfg, time.Time{}, time.Time{})
	})
}

// Ensure that a version takes no more of an archive than there was when it began: what a sink adds to
// the folder meanwhile is on the log, and its dead letters are this version's to put aside. A file with
// the version's own position in its middle would count them twice and put none aside.
func TestReplayFromAGrowingArchive(t *testing.T) {
	log := startLog(t, 1)
	require.NoError(t, CreateTopics(context.Background(), log, 1, "v1"))
	sent := disturbed(t, 1, 12, 3_000)
	dir := sendAndArchive(t, log, sent[:1000], 2)
	old := background(t, func(ctx context.Context) error { return Process(ctx, testConfig(log)) })
	serving, run := serve(t, testConfig(log))
	awaitEnd(t, serving)
	awaitCommit(t, log, "v1")
	cfg := testConfig(log)
	cfg.Version, cfg.Archive = "v2", dir
	replay := replayed(t, cfg)
	awaitVersion(t, serving, "v2")
	require.NoError(t, <-old.ended)
	send(t, log, sent[1000:2000])
	awaitEnd(t, serving)
	awaitCommit(t, log, "v2")
	replay.stop(t)

	send(t, log, sent[2000:])
	sinking := sinkConfig(t, log)
	sinking.Dir = dir
	sink := background(t, func(ctx context.Context) error { return Sink(ctx, sinking) })
	requireArchived(t, sinking)
	sink.stop(t)
	requireSpanned(t, sinking, 2000)

	replay = replayed(t, cfg)
	awaitEnd(t, serving)
	want := truth(t, "v2", 1, sent)
	requireEventful(t, want)
	requireServed(t, want, serving)
	for key, reason := range truth(t, "v1", 1, sent[:1000]).Sides {
		want.Sides[key] = reason
	}
	requireSides(t, withAlertsOf(t, "v1", 1, sent[:1000], want), log)
	replay.stop(t)
	run.stop(t)
}

// requireSpanned requires that a position is in the middle of a file.
func requireSpanned(t testing.TB, cfg Config, position int64) {
	t.Helper()
	segments, err := scanDataset(cfg.masterDir())
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(segments[0], func(s segment) bool {
		return s.first < position && position < s.end
	}), "%+v", segments[0])
}

// Ensure that of an archive no file is taken that goes beyond what the live version has committed: the
// dead letters behind it were put aside by nobody yet.
func TestReplayFromAnArchiveAhead(t *testing.T) {
	log := startLog(t, 1)
	ctx := context.Background()
	require.NoError(t, CreateTopics(ctx, log, 1, "v1"))
	sent := disturbed(t, 1, 12, 2_000)
	send(t, log, sent[:1000])
	serving, run := serve(t, testConfig(log))
	old := background(t, func(ctx context.Context) error { return Process(ctx, testConfig(log)) })
	awaitCommit(t, log, "v1")
	old.stop(t)
	send(t, log, sent[1000:])
	cfg := testConfig(log)
	cfg.Version, cfg.Archive = "v2", sendAndArchive(t, log, nil, 1)
	replay := replayed(t, cfg)
	awaitVersion(t, serving, "v2")
	awaitEnd(t, serving)
	want := truth(t, "v2", 1, sent)
	requireServed(t, want, serving)
	for key, reason := range truth(t, "v1", 1, sent[:1000]).Sides {
		want.Sides[key] = reason
	}
	requireSides(t, withAlertsOf(t, "v1", 1, sent[:1000], want), log)
	replay.stop(t)

	run.stop(t)
}

// Ensure that a file that is needed, but goes beyond what the live version has committed, is an error: the
// live version will have committed more in a moment.
func TestReplayFromAnArchiveAheadOfACutLog(t *testing.T) {
	log := startLog(t, 1)
	ctx := context.Background()
	require.NoError(t, CreateTopics(ctx, log, 1, "v1"))
	sent := disturbed(t, 1, 12, 1_000)
	send(t, log, sent[:500])
	serving, run := serve(t, testConfig(log))
	old := background(t, func(ctx context.Context) error { return Process(ctx, testConfig(log)) })
	awaitEnd(t, serving)
	awaitCommit(t, log, "v1")
	old.stop(t)
	send(t, log, sent[500:])
	cfg := testConfig(log)
	cfg.Version, cfg.Archive = "v2", sendAndArchive(t, log, nil, 1)
	require.NoError(t, log.DeleteRecords(ctx, eventlog.CarsTopic, []int64{400}))
	require.ErrorContains(t, Replay(ctx, cfg, time.Time{}, time.Time{}),
		"offsets [0, 400) are neither in the archive nor in the log: of the archive, files count that "+
			"end at 500 or before, as far as events are processed")
	old = background(t, func(ctx context.Context) error { return Process(ctx, testConfig(log)) })
	awaitEnd(t, serving)
	awaitCommit(t, log, "v1")
	replay := replayed(t, cfg)
	awaitVersion(t, serving, "v2")
	awaitEnd(t, serving)
	requireServed(t, truth(t, "v2", 1, sent), serving)
	require.NoError(t, <-old.ended)
	replay.stop(t)
	run.stop(t)
}

// Ensure that a replay commits while it reads the archive: a restart goes on after the files that were
// read, and not with the first one.
func TestReplayFromArchiveGoesOn(t *testing.T) {
	log := startLog(t, 1)
	ctx := context.Background()
	require.NoError(t, CreateTopics(ctx, log, 1, "v1"))
	sent := disturbed(t, 2, 12, 3_000)
	cfg := testConfig(log)
	cfg.Version, cfg.Archive = "v2", sendAndArchive(t, log, sent, 6)
	serving, run := serve(t, testConfig(log))

	dying := cfg
	dying.CommitInterval, dying.fault = time.Nanosecond, failAt("committed", 4)
	dying.Linger, dying.CatchUpLinger = time.Hour, time.Hour // nothing but a commit makes it flush
	patience, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	require.ErrorIs(t, Replay(patience, dying, time.Time{}, time.Time{}), errCrash)
	commits, err := log.Committed(ctx, group("v2"), eventlog.CarsTopic)
	require.NoError(t, err)
	segments, err := scanDataset(cfg.Archive + "/master")
	require.NoError(t, err)
	require.Equal(t, longestChain(segments[0])[2].end, commits[0].Offset, "one commit began, three files followed")

	var began atomic.Int64
	cfg.Notify = func(fact string, fields ...any) {
		if fact == "archive read" {
			began.Store(fields[3].(int64))
		}
	}
	replay := replayed(t, cfg)
	awaitVersion(t, serving, "v2")
	awaitEnd(t, serving)
	require.Eventually(t, func() bool { return began.Load() == commits[0].Offset },
		20*time.Second, time.Millisecond)
	requireServed(t, truth(t, "v2", 1, sent), serving)
	replay.stop(t)
	run.stop(t)
}

// Ensure that every progress record tells of one offset, also while a file is read that has dead letters
// in it: all events below the position are counted, and no other (invariant 2).
func TestProgressInTheArchive(t *testing.T) {
	log := startLog(t, 1)
	require.NoError(t, CreateTopics(context.Background(), log, 1, "v1"))
	sent := disturbed(t, 3, 12, 6_000)
	cfg := testConfig(log)
	cfg.Version, cfg.Archive = "v2", sendAndArchive(t, log, sent, 2)
	cfg.Linger, cfg.CommitInterval = time.Nanosecond, time.Hour
	serving, run := serve(t, testConfig(log))
	replay := replayed(t, cfg)
	awaitVersion(t, serving, "v2")
	awaitEnd(t, serving)
	requireServed(t, truth(t, "v2", 1, sent), serving)
	replay.stop(t)
	run.stop(t)
	flushes := 0
	for _, r := range readAll(t, log, ChangelogTopic("v2")) {
		if rowKind(&r) != progressRow {
			continue
		}
		p, err := readProgress(r.Value)
		require.NoError(t, err)
		require.Equal(t, p.Position, p.Counters.Events)
		flushes++
	}
	require.Greater(t, flushes, 6, "a file is flushed several times")
}

// Ensure that a partition that is taken away in the middle of a file, and comes back to the same process,
// is read from the beginning of the file: the state in memory is of no offset.
func TestReplayInterruptedInAFile(t *testing.T) {
	log := startLog(t, 1)
	require.NoError(t, CreateTopics(context.Background(), log, 1, "v1"))
	sent := disturbed(t, 4, 12, 6_000)
	cfg := testConfig(log)
	cfg.Version, cfg.Archive = "v2", sendAndArchive(t, log, sent, 1)
	cfg.Linger = time.Nanosecond
	lost := failAt("rows acknowledged", 4) // the first one says "I am here"
	var losing atomic.Bool
	cfg.fault = func(step string) error {
		if lost(step) != nil {
			losing.Store(true)
			return eventlog.ErrNotMember
		}
		return nil
	}
	var assigned atomic.Int64
	cfg.Notify = func(fact string, _ ...any) {
		if fact == "assigned" {
			assigned.Add(1)
		}
	}
	serving, run := serve(t, testConfig(log))
	replay := replayed(t, cfg)
	require.Eventually(t, losing.Load, 20*time.Second, time.Millisecond)
	passing := cfg
	passing.fault = nil
	other := replayed(t, passing) // its coming makes a rebalance
	require.Eventually(t, func() bool { return assigned.Load() > 1 }, 20*time.Second, time.Millisecond)
	other.stop(t)
	awaitVersion(t, serving, "v2")
	awaitEnd(t, serving)
	requireServed(t, truth(t, "v2", 1, sent), serving)
	replay.stop(t)
	run.stop(t)
}

// Ensure that an event of the archive that is late by nothing at all goes to the late topic with its bytes: without, it would
// delete what is there by its key.
func TestLateByNothingInTheArchive(t *testing.T) {
	cfg := testConfig(startLog(t, 1))
	cfg.Rules.TripGap, cfg.Rules.AllowedLateness = 0, 0
	task := newTask(cfg, 0, math.MaxInt64)
	require.NoError(t, task.openArchive(t.Context()))
	task.Watermark = 1_000_003
	e := archivedEvent{CarSensor: measured("a", 1, int64(task.Watermark)), Offset: 7, AppendTime: int64(task.Watermark)}
	require.NoError(t, task.takeArchived(&e))
	require.Len(t, task.sides.dropped, 1)
	require.NotEmpty(t, task.sides.dropped[0].Value)
}
