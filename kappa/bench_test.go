package kappa

import (
	"context"
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

// fleet is 10,000 cars at 1 Hz: the events [from, to) of its log.
func fleet(b *testing.B, from, to int) []eventlog.Record {
	const cars = 10_000
	records := make([]eventlog.Record, 0, to-from)
	for i := from; i < to; i++ {
		e := measured(carName(i%cars), int64(i/cars), 1_000_000+int64(i/cars)*1000)
		if i%500 == 0 {
			e.CoolantTemp = 121
		}
		records = append(records, recordOf(b, e))
	}
	return records
}

// From the log to a complete served view: broker, processor and serving share this process.
func BenchmarkReplay(b *testing.B) {
	const events, slice = 2_000_000, 200_000
	log := startLog(b, 4)
	ctx, cancel := context.WithCancel(context.Background())
	require.NoError(b, CreateTopics(ctx, log, 4, withoutTrips().ViewName()))
	for from := 0; from < events; from += slice {
		send(b, log, fleet(b, from, from+slice))
	}
	cfg := withoutTrips()
	cfg.Log = log
	ended := make(chan error, 2)
	b.ResetTimer()
	serving, err := NewServing(ctx, cfg)
	require.NoError(b, err)
	go func() { ended <- serving.Run(ctx) }()
	go func() { ended <- Process(ctx, cfg) }()
	for {
		if s := serving.Status(); s.Lag == 0 && s.Counters.Events == events {
			break
		}
		time.Sleep(time.Millisecond)
	}
	b.StopTimer()
	b.ReportMetric(events/b.Elapsed().Seconds(), "events/s")
	ends, err := log.EndOffsets(ctx, ChangelogTopic(cfg.ViewName()))
	require.NoError(b, err)
	rows := float64(ends[0] + ends[1] + ends[2] + ends[3])
	b.ReportMetric(rows/float64(serving.Status().Rows.Windows), "rows/window")
	cancel()
	require.NoError(b, <-ended)
	require.NoError(b, <-ended)
}

// From the append to a query that answers with the event in it, at 20,000 events/s: one blocking
// query after the other on each of 50 cars. Broker, processor and serving share this process.
func BenchmarkVisible(b *testing.B) {
	const cars, batch, seconds = 10_000, 50, 5
	log := startLog(b, 4)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	require.NoError(b, CreateTopics(ctx, log, 4, withoutTrips().ViewName()))
	cfg := withoutTrips()
	cfg.Log = log
	serving, run := serve(b, cfg)
	processor := background(b, func(ctx context.Context) error { return Process(ctx, cfg) })
	awaitProgress(b, serving)

	records := fleet(b, 0, 20_000*seconds)
	sent := make([]atomic.Int64, len(records)) // Unix ns
	samples := make(chan time.Duration, len(records))
	var clients sync.WaitGroup
	for i := range 50 {
		car := i * (cars / 50)
		clients.Go(func() {
			for seq := int64(-1); seq < 2*seconds-1; {
				answer, _ := serving.Latest(ctx, carName(car), max(seq, 0), httpapi.Merged)
				now := time.Now().UnixNano()
				for _, seen := range answer.Visible {
					samples <- time.Duration(now - sent[int(seen)*cars+car].Load())
				}
				seq = answer.LastSeq
			}
		})
	}
	began := time.Now()
	for i := 0; i < len(records); i += batch * 4 {
		due := began.Add(time.Duration(i) * time.Second / 20_000)
		time.Sleep(time.Until(due))
		for j := range batch * 4 {
			sent[i+j].Store(due.UnixNano())
		}
		send(b, log, records[i:i+batch*4])
	}
	clients.Wait()
	close(samples)
	var all []time.Duration
	for s := range samples {
		all = append(all, s)
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
	processor.stop(b)
	run.stop(b)
}

// awaitProgress waits until every partition is being processed.
func awaitProgress(b *testing.B, s *Serving) {
	require.Eventually(b, func() bool {
		for _, p := range s.live.Load().parts {
			p.mu.RLock()
			begun := p.begun
			p.mu.RUnlock()
			if !begun {
				return false
			}
		}
		return true
	}, 20*time.Second, time.Millisecond)
}

// What a restart of the processor has to read: all open windows of 10,000 cars, once over.
func BenchmarkRestore(b *testing.B) {
	rows := openWindows(b)
	b.ReportAllocs()
	for b.Loop() {
		t := memoryTaskOf(withoutTrips())
		for i := range rows {
			if err := t.restoreRow(&rows[i]); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N*len(rows))/b.Elapsed().Seconds(), "rows/s")
}

// What serving does with the rows of a replay.
func BenchmarkMaterialise(b *testing.B) {
	rows := openWindows(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := newPart().take(rows); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(rows))/b.Elapsed().Seconds(), "rows/s")
}

// How long a query over everything holds up the follower of the changelog, and with it point
// queries, at most: 40,000 rows of 10,000 cars in one partition.
func BenchmarkHeldUp(b *testing.B) {
	p := newPart()
	_, _, err := p.take(openWindows(b))
	require.NoError(b, err)
	var longest time.Duration
	for b.Loop() {
		longest = max(longest, heldUp(&p.mu, func() { p.readWindows(nil, everything) }))
	}
	b.ReportMetric(float64(longest.Microseconds())/1000, "max-ms")
}

// heldUp returns the longest wait for a lock while a query is answered.
func heldUp(mu *sync.RWMutex, query func()) (longest time.Duration) {
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		query()
	}()
	for {
		select {
		case <-answered:
			return longest
		default:
		}
		asked := time.Now()
		mu.Lock()
		longest = max(longest, time.Since(asked))
		mu.Unlock()
	}
}

func BenchmarkEncodeRows(b *testing.B) {
	t := memoryTaskOf(withoutTrips())
	for _, r := range numbered(fleet(b, 0, 400_000)...) {
		require.NoError(b, t.judge(&r))
	}
	b.ReportAllocs()
	b.ResetTimer()
	bytes := 0
	for b.Loop() {
		if _, err := t.encode(); err != nil {
			b.Fatal(err)
		}
		t.sides.forget()
		bytes = len(t.rows.buffer)
	}
	b.ReportMetric(float64(b.N*len(t.rows.records))/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(bytes)/float64(len(t.rows.records)), "B/row")
}

// openWindows is one flush of 40 s of the fleet: 40,000 windows of 10 readings.
func openWindows(b *testing.B) []eventlog.Record {
	t := memoryTaskOf(withoutTrips())
	for _, r := range numbered(fleet(b, 0, 400_000)...) {
		require.NoError(b, t.judge(&r))
	}
	_, err := t.encode()
	require.NoError(b, err)
	return t.rows.records
}

// Judging and folding alone, without reading the log: decode included.
func BenchmarkFold(b *testing.B) {
	b.Run("windows,alerts", func(b *testing.B) { benchmarkFold(b, withoutTrips()) })
	b.Run("windows,alerts,trips", func(b *testing.B) { benchmarkFold(b, DefaultConfig()) })
}

func benchmarkFold(b *testing.B, cfg Config) {
	const events = 200_000
	records := numbered(fleet(b, 0, events)...)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += events {
		b.StopTimer()
		t := memoryTaskOf(cfg)
		b.StartTimer()
		for i := range records[:min(events, b.N-n)] {
			if err := t.judge(&records[i]); err != nil {
				b.Fatal(err)
			}
		}
		t.flushed(true)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// memoryTask is a task without a log.
func memoryTask() *task { return memoryTaskOf(DefaultConfig()) }

// versionTask is memoryTask of a version.
func versionTask(version string) *task {
	cfg := DefaultConfig()
	cfg.Version = version
	return memoryTaskOf(cfg)
}

func memoryTaskOf(cfg Config) *task {
	t := newTask(cfg, 0, 1<<62)
	t.decoder = event.NewDecoder(schemas{})
	return t
}

// From the archive to the state and the changelog's bytes, without a broker: the share of a replay
// from an archive that is not there when the log is read.
func BenchmarkTakeArchive(b *testing.B) {
	const events = 500_000
	cfg := DefaultConfig()
	cfg.Dir, cfg.unsynced = b.TempDir(), true
	sink := &eventSink{cfg: cfg, decoder: event.NewDecoder(schemas{})}
	require.NoError(b, sink.add(numbered(fleet(b, 0, events)...)))
	require.NoError(b, sink.roll(events))
	segments, err := scanDataset(cfg.masterDir())
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		var facts segmentFacts
		task := memoryTaskOf(withoutTrips())
		archive := newArchiveReader()
		require.NoError(b, archive.read(segments[0][0], &facts, func() error {
			for i := range archive.rows {
				if err := task.takeArchived(archive.event(i)); err != nil {
					return err
				}
			}
			if task.pending() >= maxPending {
				_, err := task.encode()
				task.alerts = task.alerts[:0]
				task.flushed(true)
				return err
			}
			return nil
		}))
		require.EqualValues(b, events, task.Counters.Events)
	}
	b.ReportMetric(float64(b.N)*events/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkReadArchive is the reading of the rows alone.
func BenchmarkReadArchive(b *testing.B) {
	const events = 500_000
	cfg := DefaultConfig()
	cfg.Dir, cfg.unsynced = b.TempDir(), true
	sink := &eventSink{cfg: cfg, decoder: event.NewDecoder(schemas{})}
	require.NoError(b, sink.add(numbered(fleet(b, 0, events)...)))
	require.NoError(b, sink.roll(events))
	segments, err := scanDataset(cfg.masterDir())
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		var facts segmentFacts
		archive, rows := newArchiveReader(), 0
		require.NoError(b, archive.read(segments[0][0], &facts, func() error {
			for i := range archive.rows {
				if archive.event(i).CarID != "" {
					rows++
				}
			}
			return nil
		}))
		require.Equal(b, events, rows)
	}
	b.ReportMetric(float64(b.N)*events/b.Elapsed().Seconds(), "rows/s")
}

// withoutTrips is the configuration of the benchmarks, as of the runs that measure speed.
func withoutTrips() Config {
	cfg := DefaultConfig()
	cfg.Views = view.Windows | view.Alerts
	return cfg
}
