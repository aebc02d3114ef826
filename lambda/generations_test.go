package lambda

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

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

// traffic sends an event to every car every 5 ms until the test ends.
func traffic(t testing.TB, log *eventlog.Log, cars ...string) (stop func()) {
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
				send(t, log, []eventlog.Record{recordOf(t, measured(c, seq, 1000+5*seq))})
			}
		}
	}()
	return func() { close(done); <-ended }
}

// Ensure that serving moves on when one partition was held up between two batch runs, so that one
// builds generation 1 and the other one skips it for 2.
func TestPartitionsBuildDifferentGenerations(t *testing.T) {
	log := startLog(t, 2)
	cfg := logConfig(t, log)
	cfg.RollInterval = 100 * time.Millisecond
	c0, c1 := carOf(0, 2), carOf(1, 2)
	start(t, cfg, Ingest)
	slow := cfg
	var armed atomic.Bool
	held, release := make(chan struct{}), make(chan struct{})
	slow.fault = func(step string) error {
		if step == "side outputs" && armed.CompareAndSwap(true, false) {
			close(held)
			<-release
		}
		return nil
	}
	start(t, slow, Speed)
	s := serve(t, cfg)
	stop := traffic(t, log, c0, c1)
	require.Eventually(t, func() bool {
		st := s.Status()
		return st.Partitions[0].Position > 40 && st.Partitions[1].Position > 40
	}, patience, time.Millisecond)
	armed.Store(true)
	<-held // one of the partitions, whichever flushed first
	m, err := RunBatch(context.Background(), cfg)
	require.NoError(t, err)
	require.EqualValues(t, 1, m.Generation)
	time.Sleep(4 * pollInterval) // the other one begins to build it
	_, err = RunBatch(context.Background(), cfg)
	require.NoError(t, err)
	close(release)
	for i := 0; i < 12 && s.Status().Generation == 0; i++ {
		time.Sleep(time.Second)
		m, err = RunBatch(context.Background(), cfg)
		require.NoError(t, err)
	}
	st := s.Status()
	stop()
	require.NotZero(t, st.Generation, "serving has not moved on although batch runs go on")
}

// Ensure that serving moves on when a generation is removed from disk before it is loaded.
func TestAGenerationIsRemovedBeforeItIsLoaded(t *testing.T) {
	log := startLog(t, 2)
	cfg := logConfig(t, log)
	cfg.RollInterval = 100 * time.Millisecond
	c0, c1 := carOf(0, 2), carOf(1, 2)
	start(t, cfg, Ingest)
	start(t, cfg, Speed)
	slow := cfg
	var once atomic.Bool
	held, release := make(chan struct{}), make(chan struct{})
	slow.fault = func(step string) error {
		if step == "load batch view" && once.CompareAndSwap(false, true) {
			close(held)
			<-release
		}
		return nil
	}
	s := serve(t, slow)
	stop := traffic(t, log, c0, c1)
	require.Eventually(t, func() bool {
		st := s.Status()
		return st.Partitions[0].Position > 40 && st.Partitions[1].Position > 40
	}, patience, time.Millisecond)
	run := func() {
		_, err := RunBatch(context.Background(), cfg)
		require.NoError(t, err)
	}
	run()
	<-held
	for range keepGenerations { // while the batch view is loaded: 1 is removed
		run()
		time.Sleep(100 * time.Millisecond)
	}
	close(release)
	for i := 0; i < 12 && s.Status().Generation == 0; i++ {
		time.Sleep(time.Second)
		run()
	}
	st := s.Status()
	stop()
	require.NotZero(t, st.Generation)
}

// Ensure that a serving which starts finds what was served before, however many generations pass
// while it loads. (Invariant 7.)
func TestGenerationsPassWhileServingStarts(t *testing.T) {
	log := startLog(t, 1)
	cfg := logConfig(t, log)
	start(t, cfg, Ingest)
	start(t, cfg, Speed)
	stop := traffic(t, log, "car-1")
	s, err := NewServing(context.Background(), cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var g errgroup.Group
	g.Go(func() error { return s.Run(ctx) })
	require.Eventually(t, func() bool { return s.Status().Partitions[0].Position > 40 }, patience, time.Millisecond)
	_, err = RunBatch(ctx, cfg)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.Status().Generation == 1 }, patience, time.Millisecond)
	time.Sleep(300 * time.Millisecond)
	before := s.Status()
	cancel()
	require.NoError(t, g.Wait())
	slow := cfg
	slow.fault = func(step string) error {
		if step == "load batch view" {
			for range keepGenerations {
				if _, err := RunBatch(context.Background(), cfg); err != nil {
					return err
				}
			}
			time.Sleep(300 * time.Millisecond)
		}
		return nil
	}
	again, err := NewServing(context.Background(), slow)
	require.NoError(t, err)
	after := again.Status()
	stop()
	require.GreaterOrEqual(t, after.Partitions[0].Position, before.Partitions[0].Position)
}

// Ensure that the generation which is served is there for a restart, while another serving process
// holds the next one up. (Invariant 7.)
func TestTheServedGenerationIsKept(t *testing.T) {
	log := startLog(t, 1)
	cfg := logConfig(t, log)
	stopIngest := start(t, cfg, Ingest)
	start(t, cfg, Speed)
	stop := traffic(t, log, "car-1")
	s, err := NewServing(context.Background(), cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var g errgroup.Group
	g.Go(func() error { return s.Run(ctx) })
	at := func(p int64) func() bool { return func() bool { return s.Status().Partitions[0].Position > p } }
	require.Eventually(t, at(40), patience, time.Millisecond)
	_, err = RunBatch(ctx, cfg)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.Status().Generation == 1 }, patience, time.Millisecond)
	slowOne, err := cfg.takeLease() // a serving process that takes long to load a batch view
	require.NoError(t, err)
	for range 6 {
		_, err = RunBatch(context.Background(), cfg)
		require.NoError(t, err)
		require.NoError(t, slowOne.renew(held{1, 1}))
		time.Sleep(100 * time.Millisecond)
	}
	stopIngest()
	p := s.Status().Partitions[0].Position
	require.Eventually(t, at(p+40), patience, time.Millisecond)
	stop()
	before := s.Status()
	cancel()
	require.NoError(t, g.Wait())
	again, err := NewServing(context.Background(), cfg)
	require.NoError(t, err)
	after := again.Status()
	require.GreaterOrEqual(t, after.Partitions[0].Position, before.Partitions[0].Position)
}

// Ensure that a serving which has started and does not run yet loses no rows when two generations
// pass and the speed view is trimmed. (Invariant 4.)
func TestRowsAreTrimmedWhileServingStarts(t *testing.T) {
	log := startLog(t, 1)
	cfg := logConfig(t, log)
	start(t, cfg, Ingest)
	start(t, cfg, Speed)
	done := make(chan struct{})
	go func() {
		for seq := int64(0); ; seq++ {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
			send(t, log, []eventlog.Record{recordOf(t, measured("car-1", seq, 1000+5000*seq))})
		}
	}()
	time.Sleep(300 * time.Millisecond)
	release := make(chan struct{})
	slow := cfg
	slow.fault = func(step string) error {
		if step == "load batch view" {
			<-release
		}
		return nil
	}
	s, err := NewServing(context.Background(), slow)
	require.NoError(t, err)
	time.Sleep(300 * time.Millisecond) // rows of generation 0 that will be trimmed
	for range 2 {
		_, err = RunBatch(context.Background(), cfg)
		require.NoError(t, err)
		time.Sleep(500 * time.Millisecond)
	}
	start(t, slow, func(ctx context.Context, _ Config) error { return s.Run(ctx) })
	t.Cleanup(func() { close(release) })
	time.Sleep(500 * time.Millisecond)
	status := s.Status()
	rows, _ := s.Windows(httpapi.All())
	var sum int64
	for i := range rows {
		sum += rows[i].Readings
	}
	close(done)
	require.GreaterOrEqual(t, sum, status.Partitions[0].Position, "the answer claims more than it has")
}
