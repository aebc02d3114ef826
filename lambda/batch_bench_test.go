package lambda

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"lambdakappa/view"
)

// BenchmarkBatch is a whole batch run: Parquet in, published batch view out.
func BenchmarkBatch(b *testing.B) { benchmarkViews(b, ByColumns) }

// BenchmarkBatchEvents is the same by the speed layer's logic.
func BenchmarkBatchEvents(b *testing.B) { benchmarkViews(b, ByEvents) }

func benchmarkViews(b *testing.B, logic string) {
	for _, views := range []view.Set{view.Windows | view.Alerts, view.All} {
		b.Run(views.String(), func(b *testing.B) { benchmarkBatch(b, logic, views) })
	}
}

func benchmarkBatch(b *testing.B, logic string, views view.Set) {
	cfg, partitions, rows := benchFleet(b)
	cfg.Logic, cfg.Views = logic, views
	b.ReportAllocs()
	start := time.Now()
	for b.Loop() {
		m, err := runBatch(context.Background(), cfg, partitions)
		require.NoError(b, err)
		require.EqualValues(b, rows, m.Rows)
		b.ReportMetric(float64(m.ReadMS), "read-ms")
		b.ReportMetric(float64(m.WriteMS), "write-ms")
	}
	reportRows(b, rows, start)
	b.ReportMetric(float64(dirSize(b, cfg.viewsDir())/keepGenerations)/1e6, "view-MB")
}

// BenchmarkRawRead reads the same columns of the same files on the same cores, and does nothing
// with them: the limit of BenchmarkBatch.
func BenchmarkRawRead(b *testing.B) {
	cfg, _, rows := benchFleet(b)
	master, err := cfg.scanMaster()
	require.NoError(b, err)
	start := time.Now()
	for b.Loop() {
		var group errgroup.Group
		group.SetLimit(2)
		for _, segments := range master {
			group.Go(func() error {
				for _, s := range segments {
					err := scanFile(s.path, columnLogicOf("v1").names(), func(*columnBatch) error { return nil })
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(b, group.Wait())
	}
	reportRows(b, rows, start)
	b.ReportMetric(float64(dirSize(b, cfg.masterDir()))/float64(rows), "B/row")
}
