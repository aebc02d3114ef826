package lambda

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"lambdakappa/event"
)

// EventsRead is what it took to find the events of a time.
type EventsRead struct {
	Bytes  int64   // that were read from files
	Events int64   // rows that were looked at, those of pages that were passed over not
	Files  int     // that were opened
	Ends   []int64 // per partition: offsets from here on are not in the master dataset
}

// Events calls each with all events of the master dataset whose event time is in [from, to),
// partition by partition in log order: as they were appended, duplicates included, without dead
// letters. What each is given is valid until it returns.
//
// Files know event times, so only what holds wanted events is read:
//
//   - A file of an hour that was over at append time from - MaxFutureSkew is not opened: an event that
//     was appended earlier and is from within the range is a dead letter by the guard.
//   - Of a file that is opened, the statistics of its pages of event_time say where to look.
//   - Of the other columns, only the pages of rows that are wanted are read.
//
// How late an event arrived makes no difference, but what ingest has not written yet is not found.
//
// It fails when the master dataset begins where there may be such events before it, and when files
// are missing in it.
func Events(
	ctx context.Context, cfg Config, from, to time.Time, each func(*event.CarSensor) error,
) (EventsRead, error) {
	s := eventScan{from: from.UnixMilli(), to: to.UnixMilli(), each: each, rows: newEventRows()}
	if cfg.Dir == "" {
		return s.read, fmt.Errorf("dir: must be given")
	}
	chains, err := cfg.wholeChains()
	if err != nil {
		return s.read, err
	}
	if len(chains) == 0 {
		return s.read, fmt.Errorf("there is no master dataset in %s: give the --dir of 'lambda ingest'",
			cfg.Dir)
	}
	earliest := s.from - cfg.Rules.MaxFutureSkew
	partitions := slices.Sorted(maps.Keys(chains))
	s.read.Ends = make([]int64, 1+partitions[len(partitions)-1])
	for _, partition := range partitions {
		chain := chains[partition]
		if len(chain) == 0 {
			continue // all of it was removed between two looks
		}
		if err := chain[0].beginsBefore(earliest); err != nil {
			return s.read, err
		}
		s.read.Ends[partition] = chain[len(chain)-1].end
		for _, segment := range chain {
			if err := ctx.Err(); err != nil {
				return s.read, err
			}
			if over, ok := segment.hourEnd(); ok && over <= earliest {
				continue
			}
			err := s.file(segment.path)
			if errors.Is(err, fs.ErrNotExist) {
				return s.read, fmt.Errorf("%s: the batch layer has removed it meanwhile, for it is older than the view retention: "+
					"ask for a later time", segment.path)
			}
			if err != nil {
				return s.read, fmt.Errorf("%s: %w", segment.path, err)
			}
		}
	}
	return s.read, nil
}

// wholeChains returns the files of every partition that has some. A gap between them is an error. But
// a scan that ingest overtakes may see a file and not the one before it: the next scan sees both.
func (c Config) wholeChains() (map[int][]segment, error) {
	chains, err := c.chains()
	if errors.As(err, new(gap)) {
		chains, err = c.chains()
	}
	return chains, err
}

func (c Config) chains() (map[int][]segment, error) {
	master, err := c.scanMaster()
	if err != nil {
		return nil, err
	}
	left, err := c.readRemains()
	for partition, segments := range master {
		first := left.of(partition).first(segments)
		chain := longestChain(segments, first)
		end := chainEnd(chain, first)
		behind := func(s segment) bool { return s.first > end }
		if slices.ContainsFunc(segments, behind) {
			return nil, gap{partition, end}
		}
		master[partition] = chain
	}
	return master, err
}

// A gap says that files are missing in the master dataset.
type gap struct {
	partition int
	from      int64
}

func (g gap) Error() string {
	return fmt.Sprintf("offsets from %d of partition %d are missing in the master dataset, and later ones "+
		"are there", g.from, g.partition)
}

// beginsBefore fails if events that were appended at earliest (Unix ms) or later may have been before
// the first file of a chain, going by its first row.
func (s segment) beginsBefore(earliest int64) error {
	if over, ok := s.hourEnd(); s.first == 0 || ok && over <= earliest {
		return nil
	}
	begin := earliest
	err := withParquet(s.path, func(f *parquetFile) error {
		if f.NumRows() == 0 { // there were dead letters only
			return nil
		}
		return scanRows(f.RowGroups()[0], 0, 0, 1, []string{"append_time"}, func(b *columnBatch) error {
			begin = b.int64s(0)[0]
			return nil
		})
	})
	if err == nil && begin >= earliest {
		err = fmt.Errorf("offsets below %d of partition %d are gone, and may hold events of that time",
			s.first, s.partition)
	}
	return err
}

// hourEnd returns the end of the hour that a segment's folder names, Unix ms: nothing in it was
// appended later. It is false for a file that is somewhere else.
func (s segment) hourEnd() (int64, bool) {
	hour := filepath.Dir(s.path)
	text := strings.TrimPrefix(filepath.Base(filepath.Dir(hour)), "date=") +
		strings.TrimPrefix(filepath.Base(hour), "hour=")
	begin, err := time.Parse(time.DateOnly+"15", text)
	return begin.Add(time.Hour).UnixMilli(), err == nil
}

// An eventScan looks for events in files.
type eventScan struct {
	from, to int64 // event time, Unix ms
	each     func(*event.CarSensor) error
	read     EventsRead
	rows     eventRows
}

// eventsBuffer is how much is read from a file at once, per column. A page is mostly larger; what is
// read beyond it is for nothing.
const eventsBuffer = 4 << 10

// A meter counts what is read from a file.
type meter struct {
	io.ReaderAt
	bytes *int64
}

func (m meter) ReadAt(p []byte, at int64) (int, error) {
	n, err := m.ReaderAt.ReadAt(p, at)
	*m.bytes += int64(n)
	return n, err
}

func (s *eventScan) file(path string) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	s.read.Files++
	f, err := parquet.OpenFile(meter{file, &s.read.Bytes}, info.Size(),
		parquet.SkipBloomFilters(true), parquet.ReadBufferSize(eventsBuffer))
	if err != nil {
		return err
	}
	for _, group := range f.RowGroups() {
		if err := s.group(group); err != nil {
			return err
		}
	}
	return nil
}

// group looks at the pages of event_time that may hold wanted rows, and reads these rows.
func (s *eventScan) group(group parquet.RowGroup) error {
	leaf, ok := group.Schema().Lookup("event_time")
	if !ok {
		return errors.New("column event_time is missing")
	}
	chunk := group.ColumnChunks()[leaf.ColumnIndex]
	index, err := chunk.ColumnIndex()
	if err != nil {
		return err
	}
	places, err := chunk.OffsetIndex()
	if err != nil {
		return err
	}
	for page := range index.NumPages() {
		if index.NullPage(page) || index.MaxValue(page).Int64() < s.from ||
			index.MinValue(page).Int64() >= s.to {
			continue
		}
		begin, end := places.FirstRowIndex(page), group.NumRows()
		if page+1 < index.NumPages() {
			end = places.FirstRowIndex(page + 1)
		}
		begin, end, err := s.wanted(chunk, begin, end)
		if err == nil && begin < end {
			err = s.take(group, begin, end)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// wanted narrows a range of rows down to the first and the last that are wanted.
func (s *eventScan) wanted(
	chunk parquet.ColumnChunk, begin, end int64,
) (first, last int64, err error) {
	pages := chunk.Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	if err := pages.SeekToRow(begin); err != nil {
		return 0, 0, err
	}
	first, last = end, begin
	for row := begin; row < end; {
		page, err := pages.ReadPage()
		if err != nil {
			return 0, 0, err
		}
		data := page.Data()
		for i, t := range data.Int64() {
			if at := row + int64(i); at < end && t >= s.from && t < s.to {
				first, last = min(first, at), at+1
			}
		}
		row += page.NumRows()
		s.read.Events += page.NumRows()
		parquet.Release(page)
	}
	return first, last, nil
}

// take hands on the wanted rows of [begin, end).
func (s *eventScan) take(group parquet.RowGroup, begin, end int64) error {
	return scanRows(group, 0, int(begin), int(end), s.rows.names, func(b *columnBatch) error {
		if err := s.rows.bind(b); err != nil {
			return err
		}
		for i, t := range s.rows.times {
			if t < s.from || t >= s.to {
				continue
			}
			if err := s.each(s.rows.event(i)); err != nil {
				return err
			}
		}
		return nil
	})
}
