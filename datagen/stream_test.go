package datagen_test

import (
	"fmt"
	"hash/crc32"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/datagen"
	"lambdakappa/event"
)

// BenchmarkGenerateAndEncode is the generator's budget: 1.5 M events/s on one core, encoded.
// Measured on one core of an AMD EPYC with others at work: 3.3 to 4.0 M/s, disturbed 2.3 to 2.9 M/s.
func BenchmarkGenerateAndEncode(b *testing.B) {
	for _, cars := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("cars=%d", cars), func(b *testing.B) { generate(b, cars, datagen.Disturbances{}) })
	}
	b.Run("disturbed", func(b *testing.B) { generate(b, 10_000, datagen.BadDay()) })
}

func generate(b *testing.B, cars int, d datagen.Disturbances) {
	spec := datagen.Spec{
		Seed: 1, Cars: cars, Rate: float64(cars), Duration: 24 * time.Hour,
		Start: datagen.DefaultStart(), Disturbances: d,
	}
	st := spec.Stream()
	enc := event.NewEncoder(1)
	var p datagen.Planned
	var value []byte
	b.ReportAllocs()
	for b.Loop() {
		if !st.Next(&p) {
			b.Fatal("the stream ended")
		}
		var err error
		if value, err = p.Append(value[:0], enc); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(value)))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkNext is the generator alone.
func BenchmarkNext(b *testing.B) {
	spec := datagen.Spec{
		Seed: 1, Cars: 10_000, Rate: 10_000, Duration: 24 * time.Hour, Start: datagen.DefaultStart(),
	}
	st := spec.Stream()
	var p datagen.Planned
	b.ReportAllocs()
	for b.Loop() {
		st.Next(&p)
	}
}

// Ensure that the same spec is the same stream, byte by byte, on every machine and in every
// version: the checksum was computed on linux/amd64. Change it knowingly, and say so in the
// CHANGELOG: every committed result was measured on the old stream.
func TestTheStreamIsPinned(t *testing.T) {
	spec := fleet(1, 100, 2*time.Minute)
	spec.Disturbances = datagen.BadDay()
	spec.BurstFactor, spec.BurstEvery, spec.BurstLength = 3, 30*time.Second, 5*time.Second
	sum := crc32.NewIEEE()
	all, values := collect(spec)
	for i, p := range all {
		fmt.Fprintln(sum, p.Intended, p.Kind, p.Labels)
		sum.Write(values[i])
	}
	require.Equal(t, 16_330, len(all))
	require.EqualValues(t, 0x83f31316, sum.Sum32(), "got %#x", sum.Sum32())
}

func TestNextAllocatesNothing(t *testing.T) {
	spec := fleet(1, 100, time.Hour)
	f := func(st *datagen.Stream, most float64) {
		var p datagen.Planned
		require.LessOrEqual(t, testing.AllocsPerRun(20_000, func() { st.Next(&p) }), most)
	}
	f(spec.Stream(), 0)
	spec.Disturbances = datagen.Disturbances{OutOfOrder: 0.05, Late: 0.01, Duplicates: 0.02, Skew: 0.01}
	f(spec.Stream(), 0) // the queue grows to its bound, which does not count per event
}

func ExampleSpec_Stream() {
	spec := datagen.Spec{
		Seed: 1, Cars: 2, Rate: 2, Duration: 2 * time.Second, Start: datagen.DefaultStart(),
	}
	stream := spec.Stream()
	var p datagen.Planned
	for stream.Next(&p) {
		fmt.Println(time.Unix(0, p.Intended).UTC().Format("05.000"), p.Event.CarID, p.Event.Seq, p.Event.Speed)
	}
	// Output:
	// 00.000 car-00000 0 13.5625
	// 00.500 car-00001 0 16.738281
	// 01.000 car-00000 1 13.203125
	// 01.500 car-00001 1 16.230469
}

func ExampleSpec_Reading() {
	spec := datagen.Spec{
		Seed: 1, Cars: 100_000, Rate: 10_000, Duration: time.Hour, Start: datagen.DefaultStart(),
	}
	e, labels := spec.Reading(4_750, 100)
	fmt.Println(e.CarID, e.Seq, time.UnixMilli(e.EventTime).UTC().Format(time.RFC3339Nano))
	fmt.Println(e.BatteryPercentage, "%", e.BatteryVoltage, "V, truly wrong:", labels)
	// Output:
	// car-04750 100 2026-01-01T00:16:40.475Z
	// 89.921875 % 201.63672 V, truly wrong: battery_cell
}
