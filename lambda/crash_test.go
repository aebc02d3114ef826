package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

var errCrash = errors.New("crash")

// crashAt lets the nth step whose name begins with prefix fail, once.
func crashAt(prefix string, n int64) func(string) error {
	var steps atomic.Int64
	return func(step string) error {
		if strings.HasPrefix(step, prefix) && steps.Add(1) == n {
			return errCrash
		}
		return nil
	}
}

// crash runs a component until it fails with errCrash.
func crash(t testing.TB, cfg Config, component func(context.Context, Config) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.ErrorIs(t, component(ctx, cfg), errCrash)
}

// Ensure that ingest loses and doubles nothing wherever it dies: before a file is durable, or
// before it has its name, or before the name is durable. (Invariant 1.)
func TestIngestCrashes(t *testing.T) {
	log := startLog(t, 2)
	cfg := logConfig(t, log)
	records := disturbed(t, 2, 4, 600)
	for i, step := range []string{"sync", "sync", "sync", "rename"} {
		send(t, log, records[i*150:(i+1)*150])
		crashing := cfg
		crashing.fault = crashAt(step, 1+int64(i)%2)
		crash(t, crashing, Ingest)
	}
	leftovers, err := os.ReadDir(cfg.masterTmp())
	require.NoError(t, err)
	require.NotEmpty(t, leftovers, "a crash leaves something behind")

	start(t, cfg, Ingest)
	start(t, cfg, Speed)
	s := serve(t, cfg)
	m := batch(t, cfg)
	status := settle(t, s, m.Generation)
	requireTruth(t, s, status)
	for p, input := range readTopic(t, log, eventlog.CarsTopic) {
		want, got := map[string]bool{}, map[string]bool{}
		for _, o := range naiveAnswer(t, cfg, input, 0).dead {
			want[string(sideRecord(p, &input[o], "", "").Key)] = true
		}
		for _, r := range readTopic(t, log, DeadLettersTopic)[p] {
			got[string(r.Key)] = true
		}
		require.Equal(t, want, got)
	}
}

// Ensure that a batch run that dies leaves the old view in place, and the next one cleans up.
// (Invariant 2.)
func TestBatchCrashes(t *testing.T) {
	cfg := testConfig(t)
	records := disturbed(t, 4, 3, 300)
	ingestAll(t, cfg, records[:100])
	first, err := runBatch(context.Background(), cfg, 1)
	require.NoError(t, err)
	ingestAll(t, cfg, records[100:])
	for _, step := range []string{"sync", "rename"} {
		crashing := cfg
		crashing.fault = crashAt(step, 1)
		_, err := runBatch(context.Background(), crashing, 1)
		require.ErrorIs(t, err, errCrash)
		m, err := cfg.newestManifest()
		require.NoError(t, err)
		require.Equal(t, first.Generation, m.Generation)
	}
	killed := filepath.Join(cfg.viewsDir(), leftoverPrefix+"killed")
	require.NoError(t, os.MkdirAll(killed, 0o755))
	part := filepath.Join(killed, "windows-p000.parquet")
	require.NoError(t, os.WriteFile(part, []byte("PAR"), 0o644))

	m, err := runBatch(context.Background(), cfg, 1)
	require.NoError(t, err)
	require.Equal(t, first.Generation+1, m.Generation)
	require.EqualValues(t, len(records), m.boundary(0))
	require.NoDirExists(t, killed)
	for range keepGenerations {
		_, err = runBatch(context.Background(), cfg, 1)
		require.NoError(t, err)
	}
	generations, err := cfg.generations()
	require.NoError(t, err)
	require.Equal(t, []int64{3, 4, 5, 6}, generations)
}

// Ensure that the speed layer is right, and its side topics complete, wherever it dies, also when
// batch runs move the boundary beyond what it has said while it is down. (Invariant 6.)
func TestSpeedCrashes(t *testing.T) {
	log := startLog(t, 2)
	cfg := logConfig(t, log)
	records := disturbed(t, 3, 4, 900)
	start(t, cfg, Ingest)
	s := serve(t, cfg)
	for i, step := range []string{
		"side outputs", "rows", "rows acknowledged", "side outputs", "rows", "rows acknowledged",
	} {
		send(t, log, records[i*150:(i+1)*150])
		crashing := cfg
		crashing.fault = crashAt(step, 3+int64(i)%2) // the first is the one that begins a generation
		crashing.Linger = 1                          // as many flushes as there are reads
		if i >= 4 {
			crashing.fault = crashAt(step, 1)
		}
		crash(t, crashing, Speed)
		if i%2 == 1 {
			batch(t, cfg)
		}
	}
	send(t, log, records[900:])
	start(t, cfg, Speed)
	m, err := cfg.newestManifest()
	require.NoError(t, err)
	requireTruth(t, s, settle(t, s, m.Generation))
	requireLateTopic(t, cfg)
	requireAlertTopic(t, cfg)
	m2 := batch(t, cfg)
	requireTruth(t, s, settle(t, s, m2.Generation))
}

// requireAlertTopic holds the alert topic against the plain answer of an undivided log.
func requireAlertTopic(t testing.TB, cfg Config) {
	t.Helper()
	alerts := readTopic(t, cfg.Log, AlertsTopic)
	for p, input := range readTopic(t, cfg.Log, eventlog.CarsTopic) {
		got := map[view.AlertKey]bool{}
		for _, r := range alerts[p] {
			var m alertMessage
			require.NoError(t, json.Unmarshal(r.Value, &m))
			got[view.AlertKey{CarID: m.CarID, Seq: m.Seq}] = true
		}
		for key := range naiveAnswer(t, cfg, input, 0).alerts {
			require.True(t, got[key], "alert %+v is missing", key)
		}
	}
}

// Ensure that no answer goes back in time while generations come and go and the speed layer dies
// and comes back: neither a position nor the number of readings. (Invariant 7.)
func TestAnswersNeverGoBack(t *testing.T) {
	log := startLog(t, 2)
	cfg := logConfig(t, log)
	start(t, cfg, Ingest)
	stopSpeed := start(t, cfg, Speed)
	s := serve(t, cfg)

	ctx, cancel := context.WithCancel(context.Background())
	watched := make(chan error, 1)
	go func() { watched <- watchForward(ctx, s) }()
	var generation int64
	for seq := range int64(60) {
		var records []eventlog.Record
		for car := range 20 {
			records = append(records, recordOf(t, measured(carName(car), seq, 1_000_000+seq*1000)))
		}
		send(t, log, records)
		if seq%15 == 7 {
			generation = batch(t, cfg).Generation
		}
		if seq%20 == 10 {
			stopSpeed()
			stopSpeed = start(t, cfg, Speed)
		}
	}
	requireTruth(t, s, settle(t, s, generation))
	cancel()
	require.NoError(t, <-watched)

	require.Eventually(t, func() bool {
		starts, err := log.StartOffsets(context.Background(), SpeedViewTopic)
		require.NoError(t, err)
		return starts[0] > 0 && starts[1] > 0
	}, patience, 10*time.Millisecond, "old generations are trimmed from the speed view")
	again, err := NewServing(context.Background(), cfg)
	require.NoError(t, err)
	requireTruth(t, again, again.Status())
	require.Equal(t, s.Status().Partitions, again.Status().Partitions)
}

// watchForward looks at the answers until ctx ends; it fails when one goes back.
func watchForward(ctx context.Context, s *Serving) error {
	var positions [2]int64
	var readings int64
	for ctx.Err() == nil {
		for p, status := range s.Status().Partitions {
			if status.Position < positions[p] {
				return errors.New("a position went back")
			}
			positions[p] = status.Position
		}
		var sum int64
		windows, _ := s.Windows(httpapi.All())
		for i := range windows {
			sum += windows[i].Readings
		}
		if sum < readings {
			return errors.New("readings were taken back")
		}
		readings = sum
	}
	return nil
}
