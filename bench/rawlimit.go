package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"

	"lambdakappa/bench/oracle"
	"lambdakappa/bench/result"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// oracleEvents is how many events of each partition the single-threaded program is timed on: it
// keeps them in memory (some 350 B each), and its rate hardly depends on how many there are.
const oracleEvents = 100_000

// limits returns the raw limits of the summary, to be raised.
func (d *driver) limits() *result.RawLimits {
	if d.summary.RawLimits == nil {
		d.summary.RawLimits = new(result.RawLimits)
	}
	return d.summary.RawLimits
}

// logLimits measures what can be done with the log at most: fetch and decode alone on all cores,
// and what the plain program makes of the events.
func (x *execution) logLimits(ctx context.Context, end []int64) error {
	x.progress.say("raw limits of the log")
	began := time.Now()
	g, inner := errgroup.WithContext(ctx)
	for p := range end {
		g.Go(func() error {
			return x.decodeAll(inner, p, end[p], func(*eventlog.Record, *event.CarSensor) {})
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("fetch and decode: %w", err)
	}
	rate := float64(sumOf(end)) / time.Since(began).Seconds()
	x.limits().FetchDecodeEventsPerSecond = max(rate, x.limits().FetchDecodeEventsPerSecond)
	return x.oracleLimit(ctx, end)
}

// decodeAll fetches and decodes one partition and hands out what decodes.
func (x *execution) decodeAll(
	ctx context.Context, partition int, end int64, each func(*eventlog.Record, *event.CarSensor),
) error {
	decoder := event.NewDecoder(x.sut.log)
	var e event.CarSensor
	return eachRecord(ctx, x.sut.log, eventlog.CarsTopic, partition, 0, end, func(r *eventlog.Record) error {
		err := decoder.Decode(r.Key, r.Value, &e)
		var reject *event.Reject
		if errors.As(err, &reject) {
			return nil
		}
		if err == nil {
			each(r, &e)
		}
		return err
	})
}

// oracleLimit times the plain single-threaded program on events that are in memory already.
func (x *execution) oracleLimit(ctx context.Context, end []int64) error {
	o, err := oracle.New(oracleConfig(x.scenario.rules, x.sut.logic(), len(end)))
	if err != nil {
		return err
	}
	for p := range end {
		err := x.decodeAll(ctx, p, min(end[p], oracleEvents), func(r *eventlog.Record, e *event.CarSensor) {
			o.Add(oracle.Entry{
				Partition: p, Offset: r.Offset, AppendTime: r.AppendTime, Event: e,
				Fingerprint: event.Fingerprint(r.Value),
			})
		})
		if err != nil {
			return fmt.Errorf("oracle: %w", err)
		}
	}
	began := time.Now()
	_ = o.TruthB()
	rate := float64(o.Len()) / time.Since(began).Seconds()
	x.limits().OracleEventsPerSecond = max(rate, x.limits().OracleEventsPerSecond)
	return nil
}

// columnRate measures how fast the master dataset's columns can be read at most, rows/s: the columns
// that the batch layer reads, page by page, files in parallel on all cores, and nothing done with
// them.
func (x *execution) columnRate(ctx context.Context, columns []string) (float64, error) {
	files, err := parquetFiles(filepath.Join(x.sut.dir, armLambda, "master"))
	if err != nil {
		return 0, fmt.Errorf("read columns: %w", err)
	}
	var rows atomic.Int64
	began := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cores())
	for _, file := range files {
		g.Go(func() error {
			n, err := readColumns(ctx, file, columns)
			rows.Add(n)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return 0, fmt.Errorf("read columns: %w", err)
	}
	return float64(rows.Load()) / time.Since(began).Seconds(), nil
}

func parquetFiles(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(path, ".parquet") {
			files = append(files, path)
		}
		return err
	})
	return files, err
}

// readColumns reads the pages of the named columns of one file and returns its number of rows.
func readColumns(ctx context.Context, path string, columns []string) (int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	f, err := parquet.OpenFile(file, info.Size(),
		parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(64<<10))
	if err != nil {
		return 0, err
	}
	for _, group := range f.RowGroups() {
		for _, name := range columns {
			leaf, ok := group.Schema().Lookup(name)
			if !ok {
				return 0, fmt.Errorf("%s has no column %s", path, name)
			}
			if err := readPages(ctx, group.ColumnChunks()[leaf.ColumnIndex].Pages()); err != nil {
				return 0, err
			}
		}
	}
	return f.NumRows(), nil
}

func readPages(ctx context.Context, pages parquet.Pages) error {
	defer pages.Close()
	for ctx.Err() == nil {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		parquet.Release(page)
	}
	return ctx.Err()
}
