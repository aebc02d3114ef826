package lambda

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
)

// BenchmarkIngest decodes events and writes them into a master file, without a broker: 10,000 cars
// at 1 Hz in one partition, in reads of 5,000.
func BenchmarkIngest(b *testing.B) {
	const cars, seconds = 10_000, 25
	var records []eventlog.Record
	for seq := range int64(seconds) {
		for car := range cars {
			r := recordOf(b, testEvent(car, seq))
			r.Offset = int64(len(records))
			records = append(records, r)
		}
	}
	cfg := testConfig(b)
	b.ReportAllocs()
	start := time.Now()
	for b.Loop() {
		task := newIngestTask(cfg, 0, &deadLetterBox{}, schemas{})
		for i := 0; i < len(records); i += 5000 {
			require.NoError(b, task.add(context.Background(), records[i:i+5000]))
		}
		require.NoError(b, task.roll(int64(len(records))))
	}
	reportRows(b, len(records), start)
	b.ReportMetric(float64(dirSize(b, cfg.masterDir()))/float64(len(records)), "B/row")
}
