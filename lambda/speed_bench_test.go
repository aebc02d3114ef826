package lambda

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// BenchmarkSpeed judges events and encodes the rows of a flush every 0.1 s of event time, without
// a broker: 10,000 cars at 1 Hz in one partition.
func BenchmarkSpeed(b *testing.B) {
	const cars, seconds = 10_000, 30
	cfg := testConfig(b)
	var records []eventlog.Record
	for seq := range int64(seconds) {
		for car := range cars {
			e := testEvent(car, seq)
			r := recordOf(b, e)
			r.Offset = int64(len(records))
			records = append(records, r)
		}
	}
	for _, views := range []view.Set{view.Windows | view.Alerts, view.All} {
		cfg.Views = views
		b.Run(views.String(), func(b *testing.B) { benchmarkSpeed(b, cfg, cars, records) })
	}
}

func benchmarkSpeed(b *testing.B, cfg Config, cars int, records []eventlog.Record) {
	b.ReportAllocs()
	start := time.Now()
	for b.Loop() {
		g := newGeneration(cfg, emptyHandover(cfg, 0), event.NewDecoder(schemas{}))
		for i := range records {
			if err := g.judge(&records[i]); err != nil { // require.NoError costs as much as judge
				b.Fatal(err)
			}
			if i%(cars/10) == 0 {
				require.NoError(b, g.encode())
				g.flushed()
			}
		}
	}
	reportRows(b, len(records), start)
}
