package kappa

import (
	"context"
	"errors"
	"os"
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
