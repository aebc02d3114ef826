package lambda

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
)

// Generations come while others are being built, loaded, served and removed, and events arrive all
// the time. The tests of this file hold one of these steps up.

// carOf names a car of a partition.
func carOf(partition, partitions int) string {
	for i := 0; ; i++ {
		if eventlog.PartitionOf([]byte(carName(i)), partitions) == partition {
			return carName(i)
		}
	}
}

// traffic sends an event of every car every 5 ms, and says that apart (ms) is between them, until it
// is stopped.
func traffic(t testing.TB, log *eventlog.Log, apart int64, cars ...string) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for seq := int64(0); ; seq++ {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
			for _, c := range cars {
				send(t, log, []eventlog.Record{recordOf(t, measured(c, seq, 1000+apart*seq))})
			}
		}
	}()
	return func() { close(done); <-ended }
}

// holdUp returns a fault that holds up whoever comes to a step first, once it is armed: then held is
// closed, and it goes on when release was called, which the test has to do however it ends.
func holdUp(step string) (fault func(string) error, armed *atomic.Bool, held chan struct{}, release func()) {
	armed, held = new(atomic.Bool), make(chan struct{})
	on := make(chan struct{})
	return func(name string) error {
		if name == step && armed.CompareAndSwap(true, false) {
			close(held)
			<-on
		}
		return nil
	}, armed, held, sync.OnceFunc(func() { close(on) })
}

// await waits until somebody is held up.
func await(t testing.TB, held chan struct{}) {
	t.Helper()
	select {
	case <-held:
	case <-time.After(patience):
		t.Fatal("nobody comes to where he would be held up")
	}
}

// awaitPast waits until the answers reflect more than so many events of every partition.
func awaitPast(t testing.TB, s *Serving, position int64) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, p := range s.Status().Partitions {
			if p.Position <= position {
				return false
			}
		}
		return true
	}, patience, time.Millisecond)
}

// runBatchNow publishes a generation of what ingest has by now.
func runBatchNow(t testing.TB, cfg Config) Manifest {
	t.Helper()
	m, err := RunBatch(context.Background(), cfg)
	require.NoError(t, err)
	return m
}

// removeGeneration publishes others until one is gone, as if the process that needs it were believed
// dead: its lease would keep the generation.
func removeGeneration(t testing.TB, cfg Config, generation int64) {
	t.Helper()
	require.Eventually(t, func() bool {
		require.NoError(t, removeLeftovers(cfg.leasesDir(), leasePrefix))
		runBatchNow(t, cfg)
		_, err := os.Stat(cfg.generationDir(generation))
		return errors.Is(err, fs.ErrNotExist)
	}, patience, time.Millisecond)
}

// requireMovesOn requires that batch runs are served, sooner or later.
func requireMovesOn(t testing.TB, cfg Config, s *Serving) {
	t.Helper()
	for range 12 {
		if s.Status().Generation > 0 {
			return
		}
		time.Sleep(time.Second)
		runBatchNow(t, cfg)
	}
	t.Fatal("generation 0 is still served although batch runs go on")
}

// Ensure that serving moves on when one partition was held up between two batch runs, so that one
// builds generation 1 and the other one skips it for 2.
func TestPartitionsBuildDifferentGenerations(t *testing.T) {
	log := startLog(t, 2)
	cfg := logConfig(t, log)
	cfg.RollInterval = 100 * time.Millisecond // so that a batch run covers a part of what was sent
	slow := cfg
	fault, armed, held, release := holdUp("side outputs")
	defer release()
	slow.fault = fault
	start(t, cfg, Ingest)
	start(t, slow, Speed)
	s := serve(t, cfg)
	stop := traffic(t, log, 5, carOf(0, 2), carOf(1, 2))
	defer stop()
	awaitPast(t, s, 40)

	armed.Store(true)
	await(t, held) // one of the partitions, whichever flushed first
	require.EqualValues(t, 1, runBatchNow(t, cfg).Generation)
	time.Sleep(4 * pollInterval) // the other one begins to build it
	runBatchNow(t, cfg)
	release()
	requireMovesOn(t, cfg, s)
}

// Ensure that serving moves on when a generation is removed from disk before it is loaded.
func TestAGenerationIsRemovedBeforeItIsLoaded(t *testing.T) {
	log := startLog(t, 2)
	cfg := logConfig(t, log)
	cfg.RollInterval = 100 * time.Millisecond
	slow := cfg
	fault, armed, held, release := holdUp("load batch view")
	defer release()
	slow.fault = fault
	start(t, cfg, Ingest)
	start(t, cfg, Speed)
	s := serve(t, slow)
	stop := traffic(t, log, 5, carOf(0, 2), carOf(1, 2))
	defer stop()
	awaitPast(t, s, 40)

	armed.Store(true)
	runBatchNow(t, cfg)
	await(t, held)
	removeGeneration(t, cfg, 1)
	release()
	requireMovesOn(t, cfg, s)
}

// serveOnce starts a serving that can be stopped before the test ends.
func serveOnce(t testing.TB, cfg Config) (s *Serving, stop func()) {
	t.Helper()
	s, err := NewServing(context.Background(), cfg)
	require.NoError(t, err)
	return s, start(t, cfg, func(ctx context.Context, _ Config) error { return s.Run(ctx) })
}

// awaitGeneration waits until a generation is served.
func awaitGeneration(t testing.TB, s *Serving, generation int64) {
	t.Helper()
	require.Eventually(t, func() bool { return s.Status().Generation == generation }, patience,
		time.Millisecond)
}

// requireNotBefore requires that a serving which starts now answers at least what was answered.
func requireNotBefore(t testing.TB, cfg Config, before httpapi.Status) {
	t.Helper()
	again, err := NewServing(context.Background(), cfg)
	require.NoError(t, err)
	require.GreaterOrEqual(t, again.Status().Partitions[0].Position, before.Partitions[0].Position)
}

// Ensure that a serving which starts finds what was served before, although the generation that it
// loads is removed meanwhile. (Invariant 7.)
func TestAGenerationIsRemovedWhileServingStarts(t *testing.T) {
	log := startLog(t, 1)
	cfg := logConfig(t, log)
	start(t, cfg, Ingest)
	start(t, cfg, Speed)
	stopTraffic := traffic(t, log, 5, "car-1")
	s, stop := serveOnce(t, cfg)
	awaitPast(t, s, 40)
	runBatchNow(t, cfg)
	awaitGeneration(t, s, 1)
	awaitPast(t, s, s.Status().Partitions[0].Position+40)
	before := s.Status()
	stop()

	slow, once := cfg, false
	slow.fault = func(step string) error {
		if step == "load batch view" && !once {
			once = true
			removeGeneration(t, cfg, 1)
		}
		return nil
	}
	requireNotBefore(t, slow, before)
	require.True(t, once)
	stopTraffic()
}

// Ensure that the generation which is served is there for a restart, while another serving process
// holds the next one up. (Invariant 7.)
func TestTheServedGenerationIsKept(t *testing.T) {
	log := startLog(t, 1)
	cfg := logConfig(t, log)
	stopIngest := start(t, cfg, Ingest)
	start(t, cfg, Speed)
	stopTraffic := traffic(t, log, 5, "car-1")
	s, stop := serveOnce(t, cfg)
	awaitPast(t, s, 40)
	runBatchNow(t, cfg)
	awaitGeneration(t, s, 1)
	slow, err := cfg.takeLease()
	require.NoError(t, err)
	require.NoError(t, slow.renew(held{1, 1})) // it takes long to load the next
	runBatchNow(t, cfg)
	awaitGeneration(t, s, 2) // the speed layer stays at it, for it waits for the slow one
	for range keepGenerations + 1 {
		require.NoError(t, slow.renew(held{1, 1}))
		runBatchNow(t, cfg)
	}
	stopIngest()
	awaitPast(t, s, s.Status().Partitions[0].Position+40)
	stopTraffic()
	before := s.Status()
	stop()
	requireNotBefore(t, cfg, before)
}

// Ensure that a serving which has started and does not run yet loses no rows when two generations
// pass and the speed view would be trimmed. (Invariant 4.)
func TestGenerationsPassBeforeServingRuns(t *testing.T) {
	log := startLog(t, 1)
	cfg := logConfig(t, log)
	start(t, cfg, Ingest)
	start(t, cfg, Speed)
	// Hardly two events in one window: no later row makes up for one that is lost.
	stop := traffic(t, log, cfg.Rules.Window/2, "car-1")
	defer stop()
	slow := cfg
	fault, armed, _, release := holdUp("load batch view") // until then generation 0 is served
	slow.fault = fault
	s, err := NewServing(context.Background(), slow)
	require.NoError(t, err)
	armed.Store(true)
	time.Sleep(300 * time.Millisecond) // for rows of generation 0
	for range 2 {
		runBatchNow(t, cfg)
		time.Sleep(10 * pollInterval) // for the speed layer to build it
	}
	start(t, slow, func(ctx context.Context, _ Config) error { return s.Run(ctx) })
	t.Cleanup(release)
	awaitPast(t, s, 100)
	position := s.Status().Partitions[0].Position
	rows, _ := s.Windows(httpapi.All())
	var readings int64
	for i := range rows {
		readings += rows[i].Readings
	}
	require.GreaterOrEqual(t, readings, position, "the answer claims more than it has")
}
