package kappa

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
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
	require.NoError(b, CreateTopics(ctx, log, 4, "v1"))
	for from := 0; from < events; from += slice {
		send(b, log, fleet(b, from, from+slice))
	}
	cfg := DefaultConfig()
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
	ends, err := log.EndOffsets(ctx, ChangelogTopic("v1"))
	require.NoError(b, err)
	b.ReportMetric(float64(ends[0]+ends[1]+ends[2]+ends[3])/float64(serving.Status().Rows.Windows), "rows/window")
	cancel()
	require.NoError(b, <-ended)
	require.NoError(b, <-ended)
}

// Judging and folding alone, without reading the log: decode included.
func BenchmarkFold(b *testing.B) {
	const events = 200_000
	records := numbered(fleet(b, 0, events)...)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += events {
		b.StopTimer()
		t := memoryTask()
		b.StartTimer()
		for i := range records[:min(events, b.N-n)] {
			if err := t.judge(&records[i]); err != nil {
				b.Fatal(err)
			}
		}
		t.flushed()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// memoryTask is a task without a log.
func memoryTask() *task {
	cfg := DefaultConfig()
	t := newTask(cfg, 0, 1<<62)
	t.decoder = event.NewDecoder(schemas{})
	return t
}
