package oracle

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/view"
)

// small rules make cases short: 10 s windows that close 10 s + 3 s after their end.
func small(partitions int) Config {
	return Config{
		WindowMs: 10_000, DisorderMs: 3_000, LatenessMs: 10_000, SkewMs: 5_000,
		Version: "v1", Partitions: partitions,
	}
}

// reading is a healthy reading of a car at a second of event time.
func reading(car string, seq, second int64) *event.CarSensor {
	return &event.CarSensor{
		CarID: car, Seq: seq, EventTime: second * 1000,
		CoolantTemp: 90, BatteryPercentage: 50, BatteryVoltage: 240, Speed: 10,
		EngineVibrationAmplitude: 100,
		TirePressure11:           32, TirePressure12: 32, TirePressure21: 32, TirePressure22: 32,
	}
}

// hot is a reading that both versions flag.
func hot(car string, seq, second int64) *event.CarSensor {
	e := reading(car, seq, second)
	e.CoolantTemp = 121
	return e
}

// logOf is a log of one partition: every reading appended at its own event time.
func logOf(readings ...*event.CarSensor) []Entry {
	var log []Entry
	for offset, e := range readings {
		log = append(log, Entry{Offset: int64(offset), AppendTime: e.EventTime, Event: e})
	}
	return log
}

func oracleOf(t require.TestingT, cfg Config, log []Entry) *Oracle {
	o, err := New(cfg)
	require.NoError(t, err)
	for _, e := range log {
		o.Add(e)
	}
	return o
}

// counts is a window in short: how many readings, and the last of them.
type counts struct{ readings, lastSeq int64 }

// inShort lists the windows of one car by the second they start at.
func inShort(t *testing.T, a Answer) map[int64]counts {
	t.Helper()
	short := map[int64]counts{}
	for _, w := range a.Windows {
		short[w.Start/1000] = counts{w.Readings, w.LastSeq}
	}
	return short
}

func alertKeys(a Answer) []view.AlertKey {
	var keys []view.AlertKey
	for _, row := range a.Alerts {
		keys = append(keys, row.Key())
	}
	return keys
}
