package eventlog_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/proc"
)

// benchCars is how many cars a benchmark's events come from.
const benchCars = 1000

// benchRecords are n events as the generator sends them: about 110 bytes and one header.
func benchRecords(b *testing.B, l *eventlog.Log, n int) []eventlog.Record {
	b.Helper()
	id, err := l.RegisterSchema(b.Context(), event.Subject, event.Schema)
	require.NoError(b, err)
	encoder := event.NewEncoder(id)
	records := make([]eventlog.Record, n)
	for i := range records {
		at := int64(1_700_000_000_000 + i/benchCars*1000)
		e := event.CarSensor{
			CarID: fmt.Sprintf("car-%05d", i%benchCars), Seq: int64(i / benchCars), EventTime: at,
			CoolantTemp: 88.25, Speed: 23.5, BatteryVoltage: 241.75, EngineVibrationAmplitude: 1200.5,
			TirePressure11: 32, TirePressure12: 32, TirePressure21: 31, TirePressure22: 33,
		}
		value, err := encoder.Append(nil, &e)
		require.NoError(b, err)
		records[i] = eventlog.Record{
			AppendTime: at, Key: []byte(e.CarID), Value: value,
			Headers: []eventlog.Header{{
				Key: eventlog.IntendedHeader, Value: strconv.AppendInt(nil, at*1_000_000+int64(i%1_000_000), 10),
			}},
		}
	}
	return records
}

// benchLog is a log whose broker is a process of its own, as in a run.
func benchLog(b *testing.B, partitions int) (*eventlog.Log, *child) {
	b.Helper()
	broker, addr := startBrokerProcess(b, eventlog.BrokerConfig{Dir: b.TempDir()})
	l := openAt(b, addr)
	createTopic(b, l, "cars", partitions)
	return l, broker
}

// A meter reports, beside the rate, what CPU one event took here and in the broker: unlike the
// rate, that hardly depends on what else the machine does.
type meter struct {
	b      *testing.B
	broker *child
	before [2]float64
}

func startMeter(b *testing.B, broker *child) *meter {
	b.ReportAllocs()
	b.ResetTimer()
	m := &meter{b: b, broker: broker}
	m.before = m.cpu()
	return m
}

func (m *meter) cpu() (seconds [2]float64) {
	for i, pid := range []int{os.Getpid(), m.broker.cmd.Process.Pid} {
		u, err := proc.Read(pid)
		require.NoError(m.b, err)
		seconds[i] = u.CPUSeconds
	}
	return seconds
}

func (m *meter) report() {
	elapsed, after, n := m.b.Elapsed(), m.cpu(), float64(m.b.N)
	m.b.ReportMetric(n/elapsed.Seconds()/1e6, "Mevents/s")
	m.b.ReportMetric((after[0]-m.before[0])/n*1e9, "cpu-ns/op")
	m.b.ReportMetric((after[1]-m.before[1])/n*1e9, "broker-cpu-ns/op")
}

// appendChunk is how many records the bulk benchmarks append at once: more than one broker batch.
const appendChunk = 10_000

func BenchmarkAppend(b *testing.B) {
	for _, partitions := range []int{1, 4} {
		b.Run(fmt.Sprintf("partitions=%d", partitions), func(b *testing.B) {
			l, broker := benchLog(b, partitions)
			records := benchRecords(b, l, appendChunk)
			meter := startMeter(b, broker)
			eachPartition(b, partitions, func(p int) error {
				for left := b.N / partitions; left > 0; left -= appendChunk {
					if _, err := l.Append(b.Context(), "cars", p, records[:min(left, appendChunk)]); err != nil {
						return err
					}
				}
				return nil
			})
			meter.report()
		})
	}
}

// BenchmarkFetchDecode is the raw limit of every reader of the log: fetch and decode, no fold.
func BenchmarkFetchDecode(b *testing.B) {
	for _, partitions := range []int{1, 4} {
		b.Run(fmt.Sprintf("partitions=%d", partitions), func(b *testing.B) {
			l, broker := benchLog(b, partitions)
			fill(b, l, partitions)
			meter := startMeter(b, broker)
			eachPartition(b, partitions, func(p int) error {
				return fetchDecode(b.Context(), l, p, int64(b.N/partitions))
			})
			meter.report()
		})
	}
}

// fill appends at least b.N records, spread over the partitions, in whole chunks.
func fill(b *testing.B, l *eventlog.Log, partitions int) {
	records := benchRecords(b, l, appendChunk)
	eachPartition(b, partitions, func(p int) error {
		for left := b.N / partitions; left > 0; left -= appendChunk {
			if _, err := l.Append(b.Context(), "cars", p, records); err != nil {
				return err
			}
		}
		return nil
	})
}

func fetchDecode(ctx context.Context, l *eventlog.Log, partition int, n int64) error {
	r, err := l.Reader(ctx, "cars", partition, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	decoder := event.NewDecoder(l)
	var e event.CarSensor
	for next := int64(0); next < n; {
		batch, err := r.Read(ctx, time.Second)
		if err != nil {
			return err
		}
		for i := range batch.Records {
			if err := decoder.Decode(batch.Records[i].Key, batch.Records[i].Value, &e); err != nil {
				return err
			}
		}
		next = batch.Next
	}
	return nil
}

func eachPartition(b *testing.B, n int, do func(partition int) error) {
	b.Helper()
	var wg sync.WaitGroup
	for p := range n {
		wg.Go(func() {
			if err := do(p); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
}

// BenchmarkRoundTrip is the least latency that anything pays that goes through the log: from the
// call of Append until a reader that waits has the record.
func BenchmarkRoundTrip(b *testing.B) {
	l, _ := benchLog(b, 1)
	records := benchRecords(b, l, 1)
	arrived := make(chan struct{})
	go func() {
		r, err := l.Reader(b.Context(), "cars", 0, 0)
		if err != nil {
			b.Error(err)
			return
		}
		defer r.Close()
		for {
			batch, err := r.Read(b.Context(), time.Second)
			if err != nil { // the benchmark is over
				return
			}
			for range batch.Records {
				arrived <- struct{}{}
			}
		}
	}()
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		_, err := l.Append(b.Context(), "cars", 0, records)
		require.NoError(b, err)
		<-arrived
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	for name, q := range map[string]int{"p50-ms": 50, "p99-ms": 99} {
		b.ReportMetric(took[len(took)*q/100].Seconds()*1000, name)
	}
}

// BenchmarkAppendOne is the latency of a small append alone, acknowledged by all replicas.
func BenchmarkAppendOne(b *testing.B) {
	l, _ := benchLog(b, 1)
	records := benchRecords(b, l, 1)
	b.ReportAllocs()
	for b.Loop() {
		_, err := l.Append(b.Context(), "cars", 0, records)
		require.NoError(b, err)
	}
}
