package kappa

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// everything is the range of all rows.
var everything = httpapi.Range{From: math.MinInt64, To: math.MaxInt64}

// testConfig commits and flushes often: there is more to go wrong.
func testConfig(log *eventlog.Log) Config {
	cfg := DefaultConfig()
	cfg.Log, cfg.CommitInterval, cfg.Linger = log, 10*time.Millisecond, time.Millisecond
	return cfg
}

// running is a component in the background.
type running struct {
	cancel context.CancelFunc
	ended  chan error
}

func background(t testing.TB, f func(ctx context.Context) error) *running {
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{cancel, make(chan error, 1)}
	go func() { r.ended <- f(ctx) }()
	t.Cleanup(cancel)
	return r
}

// stop stops the component and requires that it ends well.
func (r *running) stop(t testing.TB) {
	t.Helper()
	r.cancel()
	require.NoError(t, <-r.ended)
}

// serve starts serving in the background.
func serve(t testing.TB, cfg Config) (*Serving, *running) {
	t.Helper()
	s, err := NewServing(context.Background(), cfg)
	require.NoError(t, err)
	return s, background(t, s.Run)
}

// awaitEnd waits until the answers reflect the whole log.
func awaitEnd(t testing.TB, s *Serving) {
	t.Helper()
	ends, err := s.cfg.Log.EndOffsets(context.Background(), eventlog.CarsTopic)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		for _, p := range s.Status().Partitions {
			if p.Position < ends[p.Partition] {
				return false
			}
		}
		return true
	}, 20*time.Second, time.Millisecond)
}

// awaitCommitted waits until the processor has committed the whole log.
func awaitCommitted(t testing.TB, cfg Config) {
	t.Helper()
	ends, err := cfg.Log.EndOffsets(context.Background(), eventlog.CarsTopic)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		commits, err := cfg.Log.Committed(context.Background(), group(cfg.ViewName()), eventlog.CarsTopic)
		require.NoError(t, err)
		for p, c := range commits {
			if c.Offset < ends[p] {
				return false
			}
		}
		return true
	}, 20*time.Second, time.Millisecond)
}

// awaitVersion waits until a version is live.
func awaitVersion(t testing.TB, s *Serving, version string) {
	t.Helper()
	require.Eventually(t, func() bool { return s.Status().Version == version },
		20*time.Second, time.Millisecond)
}

// readAll reads a whole topic.
func readAll(t testing.TB, log *eventlog.Log, topic string) (records []eventlog.Record) {
	t.Helper()
	ctx := context.Background()
	require.NoError(t, log.AwaitStable(ctx, topic))
	ends, err := log.EndOffsets(ctx, topic)
	require.NoError(t, err)
	for partition, end := range ends {
		reader, err := log.Reader(ctx, topic, partition, 0)
		require.NoError(t, err)
		for next := int64(0); next < end; {
			batch, err := reader.Read(ctx, time.Second)
			require.NoError(t, err)
			for _, r := range batch.Records {
				r.Key, r.Value, r.Headers = bytes.Clone(r.Key), bytes.Clone(r.Value), slices.Clone(r.Headers)
				for i := range r.Headers {
					r.Headers[i].Value = bytes.Clone(r.Headers[i].Value)
				}
				records = append(records, r)
			}
			next = batch.Next
		}
		require.NoError(t, reader.Close())
	}
	return records
}

// truth is what a version has to answer for what was sent: the outcome of every partition without
// a crash, put together.
func truth(t testing.TB, version string, partitions int, sent []eventlog.Record) outcome {
	t.Helper()
	all := outcome{Sides: map[string]string{}, Messages: map[string]bool{}}
	for partition := range partitions {
		m := newMemory()
		task := versionTask(version)
		task.partition, task.sides.partition = partition, partition
		for _, r := range sent {
			if eventlog.PartitionOf(r.Key, partitions) == partition {
				r.Offset = task.Position
				require.NoError(t, task.judge(&r))
			}
		}
		m.flush(t, task, math.MaxInt)
		o := m.outcome(t)
		all.Windows = append(all.Windows, o.Windows...)
		all.Alerts = append(all.Alerts, o.Alerts...)
		all.Trips = append(all.Trips, o.Trips...)
		all.Progress.Counters.Add(o.Progress.Counters)
		for key, reason := range o.Sides {
			all.Sides[key] = reason
		}
		for message := range o.Messages {
			all.Messages[message] = true
		}
	}
	return all
}

// requireServed requires that a serving answers exactly the truth.
func requireServed(t testing.TB, want outcome, s *Serving) {
	t.Helper()
	windows, stamp := s.Windows(everything)
	requireSame(t, want.Windows, windows)
	alerts, _ := s.Alerts(everything)
	requireSame(t, want.Alerts, alerts)
	status := s.Status()
	trips, _, kept := s.Trips(everything)
	require.True(t, kept)
	requireSame(t, want.Trips, trips)
	require.Equal(t, len(trips), status.Rows.Trips)
	require.Equal(t, want.Progress.Counters, status.Counters)
	require.Equal(t, stamp, status.Stamp)
	require.Equal(t, len(windows), status.Rows.Windows)
	require.Equal(t, len(alerts), status.Rows.Alerts)
}

func requireSame[K view.Key[K], R view.Row[K]](t testing.TB, want, got []R) {
	t.Helper()
	wanted, err := view.NewTable(want)
	require.NoError(t, err)
	served, err := view.NewTable(got)
	require.NoError(t, err)
	diff := view.Compare(wanted, served)
	require.True(t, diff.OK(), "%+v", diff)
}

// requireSides requires that the side topics hold exactly what they should, each at least once.
func requireSides(t testing.TB, want outcome, log *eventlog.Log) {
	t.Helper()
	sides, messages := map[string]string{}, map[string]bool{}
	for _, topic := range []string{DeadLettersTopic, LateTopic} {
		for _, r := range readAll(t, log, topic) {
			sides[string(r.Key)] = saidOf(&r)
		}
	}
	for _, r := range readAll(t, log, AlertsTopic) {
		messages[string(r.Value)] = true
	}
	require.Equal(t, want.Sides, sides)
	require.Equal(t, want.Messages, messages)
}

var errCrash = errors.New("crash")

// crashing lets a component fail at random steps until it has lived long enough.
func crashing(seed uint64, lives int) func(step string) error {
	random, mu := rand.New(rand.NewPCG(seed, 1)), sync.Mutex{}
	return func(string) error {
		mu.Lock()
		defer mu.Unlock()
		if lives > 0 && random.IntN(12) == 0 {
			lives--
			return errCrash
		}
		return nil
	}
}

// Ensure that a processor that dies at any step of a flush or a commit, again and again, and a
// serving that is restarted meanwhile, answer exactly the truth in the end (invariants 2 to 4).
func TestKilledProcessor(t *testing.T) {
	const partitions = 2
	log := startLog(t, partitions)
	ctx := context.Background()
	require.NoError(t, CreateTopics(ctx, log, partitions, "v1"))
	cfg := testConfig(log)
	cfg.fault = crashing(1, 15)
	processor := background(t, func(ctx context.Context) error {
		for {
			if err := Process(ctx, cfg); !errors.Is(err, errCrash) {
				return err
			}
		}
	})
	serving, run := serve(t, cfg)

	sent := disturbed(t, 1, 12, 4_000)
	for i := 0; i < len(sent); i += 100 {
		send(t, log, sent[i:min(i+100, len(sent))])
		if i%1500 == 0 {
			run.stop(t)
			serving, run = serve(t, cfg)
		}
	}
	awaitEnd(t, serving)
	want := truth(t, "v1", partitions, sent)
	requireEventful(t, want)
	requireServed(t, want, serving)
	requireSides(t, want, log)

	again, _ := serve(t, cfg)
	requireServed(t, want, again) // complete before it answers the first query
	processor.stop(t)
	run.stop(t)
}

// Ensure that a partition of which the log has forgotten everything, and that is quiet since, holds
// up nothing: neither the live processor, nor one that comes back, nor a replay.
func TestQuietPartitionOfACutLog(t *testing.T) {
	const partitions = 2
	log := startLog(t, partitions)
	ctx := context.Background()
	require.NoError(t, CreateTopics(ctx, log, partitions, "v1"))
	sent := disturbed(t, 1, 8, 300)
	send(t, log, sent[:100])
	ends, err := log.EndOffsets(ctx, eventlog.CarsTopic)
	require.NoError(t, err)
	require.Positive(t, ends[1])
	require.NoError(t, log.DeleteRecords(ctx, eventlog.CarsTopic, []int64{0, ends[1]}))
	kept := func(records []eventlog.Record) (kept []eventlog.Record) {
		for i, r := range records {
			if i >= 100 || eventlog.PartitionOf(r.Key, partitions) == 0 {
				kept = append(kept, r)
			}
		}
		return kept
	}

	cfg := testConfig(log)
	serving, run := serve(t, cfg)
	processor := background(t, func(ctx context.Context) error { return Process(ctx, cfg) })
	awaitEnd(t, serving)
	requireServed(t, truth(t, "v1", partitions, kept(sent[:100])), serving)
	processor.stop(t)
	processor = background(t, func(ctx context.Context) error { return Process(ctx, cfg) })
	send(t, log, sent[100:200])
	awaitEnd(t, serving)
	requireServed(t, truth(t, "v1", partitions, kept(sent[:200])), serving)

	cfg.Version = "v2"
	replay := background(t, func(ctx context.Context) error {
		return Replay(ctx, cfg, time.Time{}, time.Time{})
	})
	awaitVersion(t, serving, "v2")
	require.NoError(t, <-processor.ended)
	send(t, log, sent[200:])
	awaitEnd(t, serving)
	requireServed(t, truth(t, "v2", partitions, kept(sent)), serving)
	replay.stop(t)
	run.stop(t)
}

// Ensure that windows of two lengths never meet in one view: other rules are another version.
func TestOtherRules(t *testing.T) {
	log := startLog(t, 1)
	require.NoError(t, CreateTopics(context.Background(), log, 1, "v1"))
	cfg := testConfig(log)
	serving, run := serve(t, cfg)
	first := background(t, func(ctx context.Context) error { return Process(ctx, cfg) })
	send(t, log, disturbed(t, 1, 2, 10))
	awaitEnd(t, serving)
	first.stop(t)
	run.stop(t)
	cfg.Rules.Window = 60_000
	require.ErrorContains(t, Process(context.Background(), cfg), "replay under another version")
}

// Ensure that partitions move between processes as members come and go, nothing is lost and
// nothing counted twice; and that only what others have worked on is restored.
func TestRebalance(t *testing.T) {
	const partitions = 4
	log := startLog(t, partitions)
	require.NoError(t, CreateTopics(context.Background(), log, partitions, "v1"))
	cfg := testConfig(log)
	serving, run := serve(t, cfg)
	process := func(restored *atomic.Int64) *running {
		cfg := cfg
		cfg.Notify = func(fact string, _ ...any) {
			if fact == "restored" {
				restored.Add(1)
			}
		}
		return background(t, func(ctx context.Context) error { return Process(ctx, cfg) })
	}
	sent, at := disturbed(t, 2, 12, 4_000), 0
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	sendUntil := func(ready func() bool) {
		for ; !ready(); <-tick.C {
			require.Less(t, at+10, len(sent), "the log is at its end")
			send(t, log, sent[at:at+10])
			at += 10
		}
		awaitEnd(t, serving)
	}

	var byFirst, bySecond atomic.Int64
	first := process(&byFirst)
	sendUntil(func() bool { return at >= 400 })
	second := process(&bySecond)
	sendUntil(func() bool { return bySecond.Load() == 2 })
	require.Zero(t, byFirst.Load(), "what comes back to its process is still there")
	send(t, log, sent[at:at+200])
	at += 200
	awaitCommitted(t, cfg) // or what the first one has in memory is as new as what the second one leaves
	second.stop(t)
	sendUntil(func() bool { return byFirst.Load() == 2 })
	send(t, log, sent[at:])
	awaitEnd(t, serving)
	requireServed(t, truth(t, "v1", partitions, sent), serving)
	first.stop(t)
	run.stop(t)
}

// Ensure that a blocking query answers when its reading is visible, with its name, and that one
// without news answers what is there when its time is up.
func TestLatest(t *testing.T) {
	log := startLog(t, 2)
	require.NoError(t, CreateTopics(context.Background(), log, 2, "v1"))
	cfg := testConfig(log)
	serving, run := serve(t, cfg)
	processor := background(t, func(ctx context.Context) error { return Process(ctx, cfg) })

	answers := make(chan httpapi.Latest, 1)
	go func() {
		answer, _ := serving.Latest(context.Background(), "a", 1, httpapi.Merged)
		answers <- answer
	}()
	send(t, log, []eventlog.Record{
		recordOf(t, measured("a", 0, 1_000)), recordOf(t, measured("a", 3, 12_000)),
		recordOf(t, measured("a", 2, 2_000)),
	})
	answer := <-answers
	require.EqualValues(t, 3, answer.LastSeq)
	require.Contains(t, answer.Visible, int64(3))
	require.Equal(t, "v1", answer.Version)
	require.EqualValues(t, 10_000, answer.Window.Start)

	awaitEnd(t, serving)
	answer, found := serving.Latest(context.Background(), "a", 0, httpapi.Merged)
	require.True(t, found)
	require.Equal(t, []int64{2, 3}, answer.Visible)

	ended, cancel := context.WithCancel(context.Background())
	cancel()
	answer, found = serving.Latest(ended, "a", 3, httpapi.Merged)
	require.True(t, found)
	require.Empty(t, answer.Visible)
	_, found = serving.Latest(ended, "nobody", 3, httpapi.Merged)
	require.False(t, found)
	for _, p := range serving.live.Load().parts {
		require.Empty(t, p.waiters, "a query leaves no trace")
	}
	processor.stop(t)
	run.stop(t)
}

// Ensure that the answers of a range are those of the range, half open, for one car or for all.
func TestRanges(t *testing.T) {
	log := startLog(t, 2)
	require.NoError(t, CreateTopics(context.Background(), log, 2, "v1"))
	cfg := testConfig(log)
	serving, run := serve(t, cfg)
	processor := background(t, func(ctx context.Context) error { return Process(ctx, cfg) })
	for seq := range int64(5) {
		send(t, log, []eventlog.Record{
			recordOf(t, hot("a", seq, seq*10_000)), recordOf(t, hot("b", seq, seq*10_000)),
		})
	}
	awaitEnd(t, serving)

	count := func(r httpapi.Range, want int) {
		t.Helper()
		windows, _ := serving.Windows(r)
		alerts, _ := serving.Alerts(r)
		require.Len(t, windows, want)
		require.Len(t, alerts, want)
	}
	count(everything, 10)
	count(httpapi.Range{From: 10_000, To: 30_000}, 4)
	count(httpapi.Range{From: 10_000, To: 30_000, Car: "a"}, 2)
	count(httpapi.Range{From: 10_001, To: 30_001, Car: "b"}, 2)
	count(httpapi.Range{From: 10_000, To: 10_000, Car: "a"}, 0)
	count(httpapi.Range{From: 0, To: 50_000, Car: "c"}, 0)
	for _, p := range serving.Status().Partitions {
		require.Contains(t, []int64{38_000, int64(event.NoWatermark)}, p.Watermark)
	}
	processor.stop(t)
	run.stop(t)
}
