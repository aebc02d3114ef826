package lambda

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
)

// testStart is when test fleets begin to drive: aligned to no window.
const testStart = 1_700_000_003_000

// testEvent is an unremarkable reading; every field differs between readings.
func testEvent(car int, seq int64) event.CarSensor {
	r := rand.New(rand.NewPCG(uint64(car), uint64(seq)))
	value := func(low, high int) float32 {
		return float32(low) + float32(r.IntN((high-low)*256))/256
	}
	return event.CarSensor{
		CarID: fmt.Sprintf("car-%05d", car), Seq: seq, EventTime: testStart + seq*1000,
		CoolantTemp: value(70, 100), IntakeAirTemp: value(15, 40), IntakeAirFlowSpeed: value(50, 150),
		BatteryPercentage: value(10, 100), BatteryVoltage: value(215, 250), CurrentDraw: value(0, 60),
		Speed: value(6, 40), EngineVibrationAmplitude: value(100, 800), ThrottlePos: value(0, 1),
		TirePressure11: 31 + int32(r.IntN(4)), TirePressure12: 31 + int32(r.IntN(4)),
		TirePressure21: 31 + int32(r.IntN(4)), TirePressure22: 31 + int32(r.IntN(4)),
		Accelerometer11: value(0, 3), Accelerometer12: value(0, 3),
		Accelerometer21: value(0, 3), Accelerometer22: value(0, 3), ControlUnitFirmware: 2000,
	}
}

// testConfig is a valid configuration for what needs no log.
func testConfig(tb testing.TB) Config {
	cfg := DefaultConfig()
	cfg.Dir, cfg.unsynced = tb.TempDir(), true
	return cfg
}

// writeSegment publishes one master file of rows as [first, end).
func writeSegment(tb testing.TB, cfg Config, partition int, first, end int64, rows []masterRow) {
	tb.Helper()
	w, err := cfg.newSegmentWriter(partition, first, testStart)
	require.NoError(tb, err)
	require.NoError(tb, w.write(rows))
	w.facts.Counters.Events = int64(len(rows))
	require.NoError(tb, w.publish(cfg, end))
}

// benchFleet writes the master dataset of the benchmarks: 10,000 cars at 1 Hz for 500 s in four
// partitions, files of RollRows rows.
func benchFleet(b *testing.B) (cfg Config, partitions, rows int) {
	const cars, seconds = 10_000, 500
	partitions = 4
	cfg = testConfig(b)
	cfg.unsynced = false
	for p := range partitions {
		var buffer []masterRow
		first, offset := int64(0), int64(0)
		for seq := range int64(seconds) {
			for car := p; car < cars; car += partitions {
				e := testEvent(car, seq)
				buffer = append(buffer, newMasterRow(&e, offset, e.EventTime, uint32(offset)))
				offset++
			}
			if len(buffer) >= cfg.RollRows || seq == seconds-1 {
				writeSegment(b, cfg, p, first, offset, buffer)
				buffer, first = buffer[:0], offset
			}
		}
	}
	return cfg, partitions, cars * seconds
}

// reportRows adds the metric that the goals are set in.
func reportRows(b *testing.B, rows int, since time.Time) {
	seconds := time.Since(since).Seconds()
	b.ReportMetric(float64(rows)*float64(b.N)/seconds/1e6, "Mrows/s")
}

func dirSize(tb testing.TB, dir string) (bytes int64) {
	entries, err := os.ReadDir(dir)
	require.NoError(tb, err)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(tb, err)
		if e.IsDir() {
			bytes += dirSize(tb, dir+"/"+e.Name())
		} else {
			bytes += info.Size()
		}
	}
	return bytes
}
