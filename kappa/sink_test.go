package kappa

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// sinkConfig rolls often: there is more to go wrong.
func sinkConfig(t testing.TB, log *eventlog.Log) Config {
	cfg := testConfig(log)
	cfg.Dir, cfg.unsynced = t.TempDir(), true
	cfg.RollInterval = 20 * time.Millisecond
	return cfg
}

// archivedEvents reads all events of the archive: per partition, in the order of their chain.
func archivedEvents(t testing.TB, cfg Config) (rows map[int][]archivedEvent, facts map[int]segmentFacts) {
	t.Helper()
	rows, facts = map[int][]archivedEvent{}, map[int]segmentFacts{}
	segments, err := scanDataset(cfg.masterDir())
	require.NoError(t, err)
	for partition, found := range segments {
		var sum segmentFacts
		for _, s := range longestChain(found) {
			var f segmentFacts
			archive := newArchiveReader()
			require.NoError(t, archive.read(s, &f, func() error {
				for i := range archive.rows {
					rows[partition] = append(rows[partition], *archive.event(i))
				}
				return nil
			}))
			sum.End = f.End
			sum.Counters.Add(f.Counters)
		}
		facts[partition] = sum
	}
	return rows, facts
}

// archivedWindows reads all windows of a version in the archive, whichever partition, and the input
// offsets up to which each partition is covered.
func archivedWindows(t testing.TB, cfg Config, version string) ([]view.Window, map[int]windowFacts) {
	t.Helper()
	cfg.Version = version
	segments, err := scanDataset(cfg.windowsDir())
	require.NoError(t, err)
	var windows []view.Window
	last := map[int]windowFacts{}
	for partition, found := range segments {
		for _, s := range longestChain(found) {
			var f windowFacts
			require.NoError(t, withArchiveFile(s.path, func(p *parquet.File) error { return readFacts(p, &f) }))
			require.Equal(t, version, f.Version)
			last[partition] = f
			rows, err := parquet.ReadFile[closedRow](s.path)
			require.NoError(t, err)
			for _, r := range rows {
				windows = append(windows, view.Window{
					WindowKey: view.WindowKey{CarID: r.CarID, Start: r.Start},
					Tally: view.Tally{
						Readings: r.Readings, SpeedSum: r.SpeedSum, SpeedMax: r.SpeedMax,
						CoolantTempMax: r.CoolantTempMax, EngineVibrationMax: r.EngineVibrationMax,
						TirePressureMin: r.TirePressureMin, BatteryVoltageMin: r.BatteryVoltageMin,
						CurrentDrawSum: r.CurrentDrawSum, Anomalies: r.Anomalies, LastSeq: r.LastSeq,
						IntakeAirFlowMax: r.IntakeAirFlowMax, AmbientTempMax: r.AmbientTempMax,
					},
				})
			}
		}
	}
	return windows, last
}

// requireArchived waits until the archive holds all of the input, and requires that it is exactly
// the input: every event that is not at fault once, at its offset, and the others counted.
func requireArchived(t testing.TB, cfg Config) {
	t.Helper()
	ends, err := cfg.Log.EndOffsets(context.Background(), eventlog.CarsTopic)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		segments, err := scanDataset(cfg.masterDir())
		for partition, end := range ends {
			if err != nil || chainEnd(longestChain(segments[partition]), 0) < end {
				return false
			}
		}
		return true
	}, 20*time.Second, time.Millisecond)
	rows, facts := archivedEvents(t, cfg)
	for partition, records := range inputOf(t, cfg.Log) {
		task := memoryTask()
		var want []archivedEvent
		for i := range records {
			r, dead := &records[i], deadLetters(task.Counters)
			require.NoError(t, task.judge(r))
			if deadLetters(task.Counters) > dead {
				continue
			}
			require.NoError(t, task.decoder.Decode(r.Key, r.Value, &task.event))
			want = append(want, archivedEvent{
				CarSensor: task.event, Offset: r.Offset, AppendTime: r.AppendTime,
				Intended: intendedOf(r), Fingerprint: event.Fingerprint(r.Value),
			})
		}
		require.Equal(t, want, rows[partition])
		require.Equal(t, task.Counters.Events, facts[partition].Counters.Events)
		require.Equal(t, task.Counters.DeadLetters, facts[partition].Counters.DeadLetters)
	}
}

func deadLetters(c view.Counters) (n int64) {
	for _, dead := range c.DeadLetters {
		n += dead
	}
	return n
}

// inputOf reads the input, partition by partition.
func inputOf(t testing.TB, log *eventlog.Log) [][]eventlog.Record {
	t.Helper()
	n, err := log.Partitions(context.Background(), eventlog.CarsTopic)
	require.NoError(t, err)
	input := make([][]eventlog.Record, n)
	for _, r := range readAll(t, log, eventlog.CarsTopic) {
		p := eventlog.PartitionOf(r.Key, n)
		input[p] = append(input[p], r)
	}
	return input
}

// awaitWindows waits until the archive covers the windows that a version has closed by now: nothing
// that closed is left out, and nothing that may still change is in.
func awaitWindows(t testing.TB, cfg Config, version string, partitions int, sent []eventlog.Record) {
	t.Helper()
	want := closedWindows(t, version, partitions, sent)
	require.Eventually(t, func() bool {
		windows, _ := archivedWindows(t, cfg, version)
		return len(windows) >= len(want)
	}, 20*time.Second, 5*time.Millisecond)
	windows, _ := archivedWindows(t, cfg, version)
	requireSame(t, want, windows) // a row that is there twice is an error as well
}

// closedWindows are the windows of the truth that the log closes.
func closedWindows(
	t testing.TB, version string, partitions int, sent []eventlog.Record,
) (closed []view.Window) {
	rules := event.DefaultRules()
	for partition := range partitions {
		var mine []eventlog.Record
		for _, r := range sent {
			if eventlog.PartitionOf(r.Key, partitions) == partition {
				mine = append(mine, r)
			}
		}
		task := versionTask(version)
		m := newMemory()
		for _, r := range mine {
			r.Offset = task.Position
			require.NoError(t, task.judge(&r))
		}
		w := task.Watermark
		m.flush(t, task, 1<<30)
		for _, row := range m.outcome(t).Windows {
			if rules.Closed(row.Start, w) {
				closed = append(closed, row)
			}
		}
	}
	return closed
}

// Ensure that the sink loses and doubles nothing wherever it dies: before a file is durable, before
// it has its name, before the name is durable.
func TestKilledSink(t *testing.T) {
	const partitions = 2
	log := startLog(t, partitions)
	ctx := context.Background()
	require.NoError(t, CreateTopics(ctx, log, partitions, "v1"))
	cfg := sinkConfig(t, log)
	dying := cfg
	dying.fault = crashing(3, 30)
	processor := background(t, func(ctx context.Context) error { return Process(ctx, testConfig(log)) })
	sink := background(t, func(ctx context.Context) error {
		for {
			if err := Sink(ctx, dying); !errors.Is(err, errCrash) {
				return err
			}
		}
	})
	sent := disturbed(t, 1, 12, 3_000)
	for i := 0; i < len(sent); i += 100 {
		send(t, log, sent[i:min(i+100, len(sent))])
		time.Sleep(5 * time.Millisecond) // so that there are files to die in
	}
	requireArchived(t, cfg)
	awaitWindows(t, cfg, "v1", partitions, sent)
	sink.stop(t)
	processor.stop(t)
	require.NoError(t, os.MkdirAll(cfg.archiveTmp(), 0o755))
	segments, err := scanDataset(cfg.masterDir())
	require.NoError(t, err)
	require.Greater(t, len(segments[0]), 3, "one file would prove nothing")
}

// Ensure that windows follow the live version through a cut-over and back: each version's dataset
// has every window that it closed exactly once, also when the version has a second life.
func TestSinkFollowsTheLiveVersion(t *testing.T) {
	const partitions = 2
	log := startLog(t, partitions)
	require.NoError(t, CreateTopics(context.Background(), log, partitions, "v1"))
	v1, v4 := testConfig(log), testConfig(log)
	v4.Version = "v4"
	serving, run := serve(t, v1)
	sent := contested(t, 10, 300)
	send(t, log, sent[:1500])
	first := background(t, func(ctx context.Context) error { return Process(ctx, v1) })
	cfg := sinkConfig(t, log)
	sink := background(t, func(ctx context.Context) error { return Sink(ctx, cfg) })
	awaitWindows(t, cfg, "v1", partitions, sent[:1500])

	second := background(t, func(ctx context.Context) error {
		return Replay(ctx, v4, time.Time{}, time.Time{})
	})
	awaitVersion(t, serving, "v4")
	require.NoError(t, <-first.ended)
	send(t, log, sent[1500:2200])
	awaitWindows(t, cfg, "v4", partitions, sent[:2200])

	third := background(t, func(ctx context.Context) error {
		return Replay(ctx, v1, time.Time{}, time.Time{})
	})
	awaitVersion(t, serving, "v1")
	require.NoError(t, <-second.ended)
	sink.stop(t)
	send(t, log, sent[2200:])
	sink = background(t, func(ctx context.Context) error { return Sink(ctx, cfg) })
	awaitWindows(t, cfg, "v1", partitions, sent)
	awaitWindows(t, cfg, "v4", partitions, sent[:2200])
	sink.stop(t)
	third.stop(t)
	run.stop(t)
}

// Ensure that a sink with other rules than the view says so, and does not archive windows that may
// still change.
func TestSinkWithOtherRules(t *testing.T) {
	log := startLog(t, 1)
	require.NoError(t, CreateTopics(context.Background(), log, 1, "v1"))
	send(t, log, contested(t, 2, 100))
	processor := background(t, func(ctx context.Context) error { return Process(ctx, testConfig(log)) })
	awaitCommit(t, log, "v1")
	cfg := sinkConfig(t, log)
	cfg.Rules.AllowedLateness /= 2
	err := Sink(context.Background(), cfg)
	require.ErrorContains(t, err, "the view is built by other rules")
	processor.stop(t)
}

// Ensure that a log that was cut before the sink had it stops the sink.
func TestSinkOfACutLog(t *testing.T) {
	log := startLog(t, 1)
	ctx := context.Background()
	require.NoError(t, CreateTopics(ctx, log, 1, "v1"))
	cfg := sinkConfig(t, log)
	send(t, log, contested(t, 2, 50))
	sink := background(t, func(ctx context.Context) error { return Sink(ctx, cfg) })
	requireArchived(t, cfg)
	sink.stop(t)
	send(t, log, contested(t, 2, 50))
	require.NoError(t, log.DeleteRecords(ctx, eventlog.CarsTopic, []int64{150}))
	require.ErrorContains(t, Sink(ctx, cfg),
		"lost: offsets [100, 150) of cars/0")
}

// Ensure that a sink that begins on a log that was cut says once what its archive does not have.
func TestSinkBeginsOnACutLog(t *testing.T) {
	log := startLog(t, 1)
	ctx := context.Background()
	require.NoError(t, CreateTopics(ctx, log, 1, "v1"))
	send(t, log, contested(t, 2, 50))
	require.NoError(t, log.DeleteRecords(ctx, eventlog.CarsTopic, []int64{20}))
	cfg, said := sinkConfig(t, log), new(facts)
	cfg.Notify = said.note
	for starts := range 2 {
		sink := background(t, func(ctx context.Context) error { return Sink(ctx, cfg) })
		require.Eventually(t, func() bool {
			segments, err := scanDataset(cfg.masterDir())
			return err == nil && chainEnd(longestChain(segments[0]), 0) == 100 &&
				len(said.of("assigned")) > starts
		}, 20*time.Second, time.Millisecond)
		sink.stop(t)
	}
	require.Equal(t, [][]any{
		{"component", "sink", "version", "v1", "partition", 0, "from", int64(0), "to", int64(20)},
	}, said.of("lost"))
}

// Ensure that a sink that begins on a changelog that was trimmed says what its windows begin with, and that one that comes back
// after windows were trimmed that it has not archived does not leave a hole.
func TestSinkOfATrimmedChangelog(t *testing.T) {
	log := startLog(t, 1)
	ctx := context.Background()
	require.NoError(t, CreateTopics(ctx, log, 1, "v1"))
	trimming := testConfig(log)
	trimming.ViewRetention = time.Duration(trimming.Rules.Settled()) * time.Millisecond
	sent := contested(t, 3, 1200)
	send(t, log, sent)
	processor := background(t, func(ctx context.Context) error { return Process(ctx, trimming) })
	var built metadata
	require.Eventually(t, func() bool {
		commits, err := log.Committed(ctx, group("v1"), eventlog.CarsTopic)
		return err == nil && commits[0].Offset == int64(len(sent)) && json.Unmarshal([]byte(commits[0].Metadata), &built) == nil
	}, 20*time.Second, time.Millisecond)
	processor.stop(t)
	require.Positive(t, built.KeptFrom)

	cfg, said := sinkConfig(t, log), new(facts)
	cfg.Notify = said.note
	s := newWindowSink(cfg, 0)
	require.NoError(t, s.start(ctx))
	require.Equal(t, [][]any{{"version", "v1", "partition", 0, "before", built.KeptFrom}}, said.of("windows lost"))

	archived := event.Watermark(built.KeptFrom + cfg.Rules.AllowedLateness) // the last window before is closed
	require.NoError(t, s.requireKept(built, archived))
	require.ErrorContains(t, s.requireKept(built, archived-1), "are lost: the changelog was trimmed")
	s.begun, s.progress.Watermark = true, archived-1
	require.ErrorContains(t, s.keepsUp(ctx), "are lost")
}

// Ensure that a folder that the sink needs names itself when it is missing.
func TestSinkConfigErrors(t *testing.T) {
	f := func(change func(*Config), want string) {
		t.Helper()
		cfg := DefaultConfig()
		cfg.Log, cfg.Dir = new(eventlog.Log), "somewhere"
		change(&cfg)
		require.EqualError(t, Sink(context.Background(), cfg), want)
	}
	f(func(c *Config) { c.Dir = "" }, "dir: must be given")
	f(func(c *Config) { c.RollInterval = 0 }, "roll interval 0s: must be above 0")
	f(func(c *Config) { c.RollRows = -1 }, "roll rows -1: must be above 0")
	f(func(c *Config) { c.Version = "v9" }, `version "v9": must be one of v1, v2, v3, v4`)
}

// Ensure that names and segments are each other's inverse, and that nothing else is taken for one.
func TestSegmentNames(t *testing.T) {
	path := segmentPath("d", 3, 1200, 2400, 1_700_000_003_000)
	require.True(t, strings.HasSuffix(path,
		"p003-00000000000000001200-00000000000000002400.parquet"), path)
	s, ok := parseSegment(path)
	require.True(t, ok)
	require.Equal(t, segment{path, 3, 1200, 2400}, s)
	for _, name := range []string{
		"p003-00000000000000002400-00000000000000002400.parquet", // empty
		"p003-1200-2400.parquet", "p003-00000000000000001200-00000000000000002400.parquet.tmp", "x",
	} {
		_, ok := parseSegment(name)
		require.False(t, ok, name)
	}
}

// Ensure that overlapping files of two writers are one chain, the longest.
func TestLongestChain(t *testing.T) {
	s := func(first, end int64) segment { return segment{first: first, end: end} }
	f := func(want []segment, segments ...segment) {
		t.Helper()
		require.Equal(t, want, longestChain(segments))
	}
	f(nil)
	f([]segment{s(5, 9)}, s(5, 9))
	f([]segment{s(0, 4), s(4, 8)}, s(4, 8), s(0, 4))
	f([]segment{s(0, 4), s(4, 9)}, s(0, 6), s(0, 4), s(4, 9))
	f([]segment{s(0, 6)}, s(0, 6), s(0, 4), s(7, 9)) // a gap ends it
	f([]segment{s(0, 8)}, s(0, 4), s(4, 8), s(0, 8)) // the greater step of two equal ways
}

// Ensure that a sink that is told so archives events and no windows.
func TestSinkWithoutWindows(t *testing.T) {
	log := startLog(t, 1)
	require.NoError(t, CreateTopics(context.Background(), log, 1, "v1"))
	send(t, log, contested(t, 2, 200))
	processor := background(t, func(ctx context.Context) error { return Process(ctx, testConfig(log)) })
	awaitCommit(t, log, "v1")
	cfg := sinkConfig(t, log)
	cfg.ArchiveWindows = false
	cfg.Rules.AllowedLateness /= 2 // which the window sink would refuse
	sink := background(t, func(ctx context.Context) error { return Sink(ctx, cfg) })
	requireArchived(t, cfg)
	sink.stop(t)
	require.NoDirExists(t, cfg.windowsDir())
	processor.stop(t)
}
