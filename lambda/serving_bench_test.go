package lambda

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

// From the append to a query that answers with the event in it, at 20,000 events/s: one blocking
// query after the other on each of 50 cars. Broker, ingest, speed layer and serving share this
// process; the batch layer does not run.
func BenchmarkVisible(b *testing.B) {
	const cars, batch, seconds = 10_000, 50, 5
	log := startLog(b, 4)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	require.NoError(b, CreateTopics(ctx, log, 4))
	cfg := testConfig(b)
	cfg.Log, cfg.unsynced = log, false
	serving := serve(b, cfg)
	start(b, cfg, Ingest)
	start(b, cfg, Speed)
	awaitBuilds(b, serving)

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
}

// awaitBuilds waits until every partition has a speed view.
func awaitBuilds(b *testing.B, s *Serving) {
	require.Eventually(b, func() bool {
		for _, p := range s.live.Load().parts {
			p.mu.RLock()
			begun := len(p.builds) > 0
			p.mu.RUnlock()
			if !begun {
				return false
			}
		}
		return true
	}, patience, time.Millisecond)
}

// What serving does with the rows of a speed view: 40,000 windows of 10 readings.
func BenchmarkMaterialise(b *testing.B) {
	cfg := testConfig(b)
	rows := speedRows(b, newGeneration(cfg, emptyHandover(cfg, 0), event.NewDecoder(schemas{})), fleet(b, 0, 400_000))
	b.ReportAllocs()
	for b.Loop() {
		p := newPart(&Manifest{}, 0)
		p.setBatch(&batchPart{})
		if _, err := p.take(rows, &speedRow{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(rows))/b.Elapsed().Seconds(), "rows/s")
}

// speedRows is a build of a generation in one flush.
func speedRows(b *testing.B, g *generation, records []eventlog.Record) []eventlog.Record {
	begun := speedViewWriter{generation: g.number}
	begun.begin()
	for _, r := range numbered(records...) {
		if r.Offset >= g.boundary {
			require.NoError(b, g.judge(&r))
		}
	}
	require.NoError(b, g.encode())
	return append(begun.records, g.rows.records...)
}

// What an answer takes: windows that only the batch view has, that both views have, and that only
// the speed view has, 10,000 each, and 30,000 more beside the range.
func BenchmarkMergeRange(b *testing.B) {
	const boundary, events = 250_000, 600_000
	cfg := testConfig(b)
	records := numbered(fleet(b, 0, events)...)
	ingestAll(b, cfg, records[:boundary])
	m, err := runBatch(context.Background(), cfg, 1)
	require.NoError(b, err)
	h, err := cfg.loadHandover(m, 0)
	require.NoError(b, err)
	p := loadPair(b, cfg, m)
	_, err = p.parts[0].take(speedRows(b, newGeneration(cfg, h, event.NewDecoder(schemas{})), records), &speedRow{})
	require.NoError(b, err)
	s := &Serving{cfg: cfg}
	s.live.Store(p)

	r := httpapi.Range{From: 1_010_000, To: 1_040_000}
	b.ReportAllocs()
	b.ResetTimer()
	rows := 0
	for b.Loop() {
		windows, _ := s.Windows(r)
		rows += len(windows)
	}
	require.Equal(b, 30_000*b.N, rows)
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

// What a row of a trip costs serving: a car that has made 1,000 trips since the boundary, and goes on with
// the last one.
func BenchmarkTakeTrip(b *testing.B) {
	const trips = 1_000
	cfg := testConfig(b)
	p := newPart(&Manifest{Rules: cfg.Rules}, 0)
	p.setBatch(&batchPart{})
	row := speedRow{car: []byte("car-1"), kind: tripKind}
	for i := range int64(trips) {
		row.trip = view.Stretch{Start: i * 100_000, End: i * 100_000, Readings: 1}
		p.takeTrip(&row)
	}
	b.ReportAllocs()
	for b.Loop() {
		row.trip.End++
		row.trip.Readings++
		p.takeTrip(&row)
	}
	require.Equal(b, trips, p.extra.trips)
}

// What an answer over 30 s takes from a speed view that reaches over 1,000 s of 100 cars, with an alert
// every 5 s.
func BenchmarkCopyRange(b *testing.B) {
	p := newPart(&Manifest{}, 0)
	p.setBatch(&batchPart{})
	for car := range 100 {
		c := p.car([]byte(carName(car)))
		for i := range int64(200) {
			cell, _ := c.alert(i)
			*cell = alertCell{seq: i, eventTime: i * 5_000}
			c.window(i / 2 * 10_000)
		}
	}
	r := httpapi.Range{From: 500_000, To: 530_000}
	b.Run("windows", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			require.Len(b, p.readWindows(nil, r), 300)
		}
	})
	b.Run("alerts", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			require.Len(b, p.readAlerts(nil, r), 600)
		}
	})
}
