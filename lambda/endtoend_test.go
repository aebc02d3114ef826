package lambda

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// patience is how long a test waits for what must come. It is never what is measured.
const patience = 60 * time.Second

// logConfig is a configuration for tests with a log: everything rolls and flushes at once.
func logConfig(t testing.TB, log *eventlog.Log) Config {
	t.Helper()
	cfg := testConfig(t)
	cfg.Log = log
	cfg.RollInterval = 20 * time.Millisecond
	cfg.Linger = time.Millisecond
	cfg.CommitInterval = 10 * time.Millisecond
	n, err := log.Partitions(context.Background(), eventlog.CarsTopic)
	require.NoError(t, err)
	require.NoError(t, CreateTopics(context.Background(), log, n))
	return cfg
}

// start runs a component until the returned function is called, or the test ends.
func start(t testing.TB, cfg Config, component func(context.Context, Config) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var g errgroup.Group
	g.Go(func() error { return component(ctx, cfg) })
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, g.Wait())
	})
	t.Cleanup(stop)
	return stop
}

// serve starts a serving.
func serve(t testing.TB, cfg Config) *Serving {
	t.Helper()
	s, err := NewServing(context.Background(), cfg)
	require.NoError(t, err)
	start(t, cfg, func(ctx context.Context, _ Config) error { return s.Run(ctx) })
	return s
}

// readTopic reads a whole topic, by partition.
func readTopic(t testing.TB, log *eventlog.Log, topic string) [][]eventlog.Record {
	t.Helper()
	ctx := context.Background()
	ends, err := log.EndOffsets(ctx, topic)
	require.NoError(t, err)
	starts, err := log.StartOffsets(ctx, topic)
	require.NoError(t, err)
	all := make([][]eventlog.Record, len(ends))
	for p := range ends {
		reader, err := log.Reader(ctx, topic, p, starts[p])
		require.NoError(t, err)
		for next := starts[p]; next < ends[p]; {
			batch, err := reader.Read(ctx, time.Second)
			require.NoError(t, err)
			for _, r := range batch.Records {
				all[p] = append(all[p], eventlog.Record{
					Offset: r.Offset, AppendTime: r.AppendTime,
					Key: append([]byte(nil), r.Key...), Value: append([]byte(nil), r.Value...),
				})
			}
			next = batch.Next
		}
		require.NoError(t, reader.Close())
	}
	return all
}

// settle waits until the served answers reflect the whole input, as generation.
func settle(t testing.TB, s *Serving, generation int64) httpapi.Status {
	t.Helper()
	ends, err := s.cfg.Log.EndOffsets(context.Background(), eventlog.CarsTopic)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		status := s.Status()
		if status.Generation != generation {
			return false
		}
		for p := range ends {
			if status.Partitions[p].Position != ends[p] {
				return false
			}
		}
		return true
	}, patience, 2*time.Millisecond, "%+v, ends %v", s.Status(), ends)
	return s.Status()
}

// requireTruth holds everything that is served against the plain answer for the boundary that the
// status names.
func requireTruth(t testing.TB, s *Serving, status httpapi.Status) {
	t.Helper()
	input := readTopic(t, s.cfg.Log, eventlog.CarsTopic)
	windows, stamp := s.Windows(httpapi.All())
	alerts, _ := s.Alerts(httpapi.All())
	require.Equal(t, status.Stamp, stamp)
	var wantWindows []view.Window
	var wantAlerts []view.Alert
	var wantTrips []view.Trip
	var counters view.Counters
	cfg := s.cfg
	cfg.Views = status.Views // serving goes by the generation
	for p, records := range input {
		n := naiveAnswer(t, cfg, records, status.Partitions[p].Boundary)
		wantTrips = append(wantTrips, n.tripTable(t, cfg.Rules.ReadingInterval)...)
		wantWindows = append(wantWindows, n.windowTable(t)...)
		wantAlerts = append(wantAlerts, n.alertTable(t)...)
		counters.Add(n.counters)
	}
	requireTable(t, wantWindows, windows)
	requireTable(t, wantAlerts, alerts)
	trips, _, kept := s.Trips(httpapi.All())
	require.Equal(t, status.Views.Has(view.Trips), kept)
	requireTable(t, wantTrips, trips)
	require.Equal(t, len(wantTrips), status.Rows.Trips)
	require.Equal(t, counters, status.Counters)
	require.Equal(t, len(wantWindows), status.Rows.Windows)
	require.Equal(t, len(wantAlerts), status.Rows.Alerts)
}

func requireTable[K view.Key[K], R view.Row[K]](t testing.TB, want, got []R) {
	t.Helper()
	wantTable, err := view.NewTable[K](want)
	require.NoError(t, err)
	gotTable, err := view.NewTable[K](got)
	require.NoError(t, err)
	diff := view.Compare(wantTable, gotTable)
	require.True(t, diff.OK(), "%+v", diff)
}

// requireLateTopic holds the late topic against the plain answer of an undivided log: whatever
// crashed, it is complete, and nothing else is in it. (Invariant 6.)
func requireLateTopic(t testing.TB, cfg Config) {
	t.Helper()
	late := readTopic(t, cfg.Log, LateTopic)
	for p, records := range readTopic(t, cfg.Log, eventlog.CarsTopic) {
		want := map[string]bool{}
		for _, o := range naiveAnswer(t, cfg, records, 0).lateOffsets() {
			want[string(sideRecord(p, &records[o], "", "").Key)] = true
		}
		got := map[string]bool{}
		for _, r := range late[p] {
			got[string(r.Key)] = true
		}
		require.Equal(t, want, got, "partition %d", p)
	}
}

// batch runs the batch layer once, after ingest has covered the whole input.
func batch(t testing.TB, cfg Config) Manifest {
	t.Helper()
	ends, err := cfg.Log.EndOffsets(context.Background(), eventlog.CarsTopic)
	require.NoError(t, err)
	starts, err := cfg.Log.StartOffsets(context.Background(), eventlog.CarsTopic)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		master, err := cfg.scanMaster()
		require.NoError(t, err)
		for p, end := range ends {
			segments := master[p]
			if end > starts[p] && (len(segments) == 0 ||
				chainEnd(longestChain(segments, chainStart(segments)), 0) != end) {
				return false
			}
		}
		return true
	}, patience, 2*time.Millisecond)
	m, err := RunBatch(context.Background(), cfg)
	require.NoError(t, err)
	return m
}

// Ensure that Lambda answers right before, between and after batch runs, that the pair is swapped
// while events arrive, and that side topics are complete.
func TestEndToEnd(t *testing.T) {
	log := startLog(t, 2)
	cfg := logConfig(t, log)
	records := disturbed(t, 1, 5, 2000)
	send(t, log, records[:500])
	start(t, cfg, Ingest)
	start(t, cfg, Speed)
	s := serve(t, cfg)
	requireTruth(t, s, settle(t, s, 0))

	sent := 500
	for i, end := range []int{900, 1400, len(records)} {
		m := batch(t, cfg)
		require.EqualValues(t, i+1, m.Generation)
		send(t, log, records[sent:end])
		sent = end
		requireTruth(t, s, settle(t, s, m.Generation))
	}
	m := batch(t, cfg)
	status := settle(t, s, m.Generation)
	requireTruth(t, s, status)
	require.Zero(t, status.Lag)
	require.Zero(t, status.Counters.DroppedLate, "a batch view of everything drops nothing")
	requireLateTopic(t, cfg)

	again, err := NewServing(context.Background(), cfg)
	require.NoError(t, err)
	requireTruth(t, again, settle(t, again, m.Generation))
}

// Ensure that a partition of which the log has forgotten everything, and that is quiet since, holds
// up nothing: neither a generation that is built beside the live one, nor one that is begun with.
func TestQuietPartitionOfACutLog(t *testing.T) {
	log := startLog(t, 2)
	cfg := logConfig(t, log)
	records := disturbed(t, 1, 8, 300)
	send(t, log, records[:100])
	ends, err := log.EndOffsets(context.Background(), eventlog.CarsTopic)
	require.NoError(t, err)
	require.Positive(t, ends[1])
	require.NoError(t, log.DeleteRecords(context.Background(), eventlog.CarsTopic, []int64{0, ends[1]}))

	start(t, cfg, Ingest)
	stopSpeed := start(t, cfg, Speed)
	s := serve(t, cfg)
	requireTruth(t, s, settle(t, s, 0))
	m := batch(t, cfg)
	require.Zero(t, m.boundary(1))
	requireTruth(t, s, settle(t, s, m.Generation))

	stopSpeed()
	start(t, cfg, Speed)
	send(t, log, records[100:])
	requireTruth(t, s, settle(t, s, m.Generation))
	m = batch(t, cfg)
	require.Greater(t, m.boundary(1), ends[1])
	requireTruth(t, s, settle(t, s, m.Generation))
}

// Ensure that a generation does not pass over events that the log has forgotten before a batch run
// had them.
func TestCutBeforeABatchRun(t *testing.T) {
	log := startLog(t, 1)
	cfg := logConfig(t, log)
	send(t, log, disturbed(t, 1, 2, 30))
	require.NoError(t, log.DeleteRecords(context.Background(), eventlog.CarsTopic, []int64{20}))
	_, err := cfg.begin(context.Background(), handover{
		generation: 3, version: "v1", rules: cfg.Rules, boundary: 10,
	}, event.NewDecoder(log))
	require.ErrorContains(t, err, "begin generation 3: lost: offsets [10, 20) of cars/0, 10 events")
}

// Ensure that a point query that waits is answered by the speed layer, that layers are what they
// say, and that a swap of the pair takes nothing back.
func TestLatest(t *testing.T) {
	log := startLog(t, 1)
	cfg := logConfig(t, log)
	start(t, cfg, Ingest)
	start(t, cfg, Speed)
	s := serve(t, cfg)
	now := context.Background()
	over, cancel := context.WithCancel(now)
	cancel()

	_, found := s.Latest(over, "car-1", 0, httpapi.Merged)
	require.False(t, found)
	send(t, log, []eventlog.Record{
		recordOf(t, measured("car-1", 0, 1000)), recordOf(t, hot("car-1", 1, 2000)),
	})
	answer, found := s.Latest(now, "car-1", 0, httpapi.Merged)
	require.True(t, found)
	require.Equal(t, "car-1", answer.Car)
	require.EqualValues(t, 1, answer.LastSeq)
	require.Equal(t, []int64{1}, answer.Visible)
	require.EqualValues(t, 2, answer.Window.Readings)
	require.EqualValues(t, 1, answer.Window.Anomalies)

	m := batch(t, cfg)
	settle(t, s, m.Generation)
	_, found = s.Latest(over, "car-1", -1, httpapi.Speed)
	require.False(t, found, "the batch view has it all")
	send(t, log, []eventlog.Record{recordOf(t, measured("car-1", 2, 3000))})
	answer, _ = s.Latest(now, "car-1", 1, httpapi.Merged)
	require.Equal(t, m.Generation, answer.Generation)
	require.Equal(t, []int64{2}, answer.Visible)
	require.EqualValues(t, 3, answer.Window.Readings)
	answer, _ = s.Latest(now, "car-1", 0, httpapi.Merged)
	require.Equal(t, []int64{1, 2}, answer.Visible)
	answer, _ = s.Latest(over, "car-1", 0, httpapi.Batch)
	require.Equal(t, []int64{1}, answer.Visible)
	answer, _ = s.Latest(over, "car-1", 0, httpapi.Speed)
	require.Equal(t, []int64{2}, answer.Visible)
	require.EqualValues(t, 1, answer.Window.Readings)

	_, found = s.Latest(over, "car-2", -1, httpapi.Merged)
	require.False(t, found)
}
