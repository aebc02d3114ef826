package lambda

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/parquet-go/parquet-go"
)

// A parquetFile is an open Parquet file whose columns are read as Arrow arrays: only the columns
// that are asked for, page by page, without assembling rows and without copying values.
type parquetFile struct {
	*parquet.File
	file *os.File
}

// openParquet opens a file; see withParquet, which also closes it.
func openParquet(path string) (*parquetFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	// The page index and bloom filters help who looks for a few rows; we read all of them.
	f, err := parquet.OpenFile(file, info.Size(),
		parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true),
		parquet.ReadBufferSize(readBufferBytes))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &parquetFile{File: f, file: file}, nil
}

// readBufferBytes is per column; a page of a column of 4 bytes compresses to about this much.
const readBufferBytes = 64 << 10

// int64Range returns the least and greatest value of a column by the file's statistics, false
// when it has none.
func (f *parquetFile) int64Range(name string) (least, greatest int64, ok bool) {
	leaf, found := f.Schema().Lookup(name)
	if !found || len(f.RowGroups()) == 0 {
		return 0, 0, false
	}
	least, greatest = math.MaxInt64, math.MinInt64
	for _, group := range f.RowGroups() {
		low, high, ok := group.ColumnChunks()[leaf.ColumnIndex].(*parquet.FileColumnChunk).Bounds()
		if !ok {
			return 0, 0, false
		}
		least, greatest = min(least, low.Int64()), max(greatest, high.Int64())
	}
	return least, greatest, true
}

// A columnBatch is a run of consecutive rows: one array per column that was asked for, in that
// order, all of the same length. A dictionary column holds indices (see dictionary). It is valid
// until the next batch.
type columnBatch struct {
	rows      int
	firstRow  int  // index of the first row in the file
	newGroup  bool // the first batch of a row group, or of a range of it: dictionaries are new
	groupRows int  // rows of the whole row group
	columns   []arrow.Array
	cursors   []*columnCursor
}

func (b *columnBatch) int64s(i int) []int64   { return b.columns[i].(*array.Int64).Int64Values() }
func (b *columnBatch) int32s(i int) []int32   { return b.columns[i].(*array.Int32).Int32Values() }
func (b *columnBatch) floats(i int) []float32 { return b.columns[i].(*array.Float32).Float32Values() }

// laterFloats are the values of a column that later versions read; none when this one does not.
//
//bench:change metric later
func (b *columnBatch) laterFloats(i int) []float32 {
	if i >= len(b.columns) {
		return nil
	}
	return b.floats(i)
}

// dictionary calls add for every value of the dictionary of column i, in the order of its indices.
func (b *columnBatch) dictionary(i int, add func(value []byte)) error {
	dictionary := b.cursors[i].page.Dictionary()
	if dictionary == nil {
		return fmt.Errorf("column %s has no dictionary", b.cursors[i].name)
	}
	for n := range dictionary.Len() {
		add(dictionary.Index(int32(n)).ByteArray())
	}
	return nil
}

// scan reads the named columns of all row groups in order.
func (f *parquetFile) scan(names []string, each func(*columnBatch) error) error {
	row := 0
	for _, group := range f.RowGroups() {
		if err := scanGroup(group, row, names, each); err != nil {
			return err
		}
		row += int(group.NumRows())
	}
	return nil
}

// scanGroup reads one row group, whose first row has the given index in the file.
func scanGroup(
	group parquet.RowGroup, first int, names []string, each func(*columnBatch) error,
) error {
	return scanRows(group, first, 0, int(group.NumRows()), names, each)
}

// scanRows reads the rows [begin, end) of a row group, and of its pages only those that hold some.
func scanRows(
	group parquet.RowGroup, first, begin, end int, names []string, each func(*columnBatch) error,
) (err error) {
	batch := columnBatch{
		columns: make([]arrow.Array, len(names)), firstRow: first + begin,
		groupRows: int(group.NumRows()),
	}
	defer func() {
		for _, c := range batch.cursors {
			err = errors.Join(err, c.close())
		}
	}()
	for _, name := range names {
		cursor, err := newColumnCursor(group, name)
		if err != nil {
			return err
		}
		batch.cursors = append(batch.cursors, cursor)
		if err := cursor.seek(begin); err != nil {
			return fmt.Errorf("column %s: %w", name, err)
		}
	}
	for ; batch.firstRow < first+end; batch.firstRow += batch.rows {
		batch.newGroup = batch.firstRow == first+begin
		batch.rows = first + end - batch.firstRow
		for _, c := range batch.cursors {
			if err := c.fill(); err != nil {
				return fmt.Errorf("column %s: %w", c.name, err)
			}
			batch.rows = min(batch.rows, c.left())
		}
		for i, c := range batch.cursors {
			batch.columns[i] = c.take(batch.rows)
		}
		if err := each(&batch); err != nil {
			return err
		}
	}
	return nil
}

// A columnCursor goes through the pages of one column chunk.
type columnCursor struct {
	name  string
	kind  parquet.Kind
	pages parquet.Pages // nil when the file lacks the column
	page  parquet.Page  // nil before the first
	rows  int           // of page
	bytes *memory.Buffer
	taken int // rows of page that were taken

	//bench:change metric nulls
	spread []byte // memory for the values of a page with nulls
}

func newColumnCursor(group parquet.RowGroup, name string) (*columnCursor, error) {
	leaf, ok := group.Schema().Lookup(name)
	if !ok && slices.Contains(laterColumns, name) { //bench:change metric older-files
		return unknownColumn(name, int(group.NumRows())), nil
	}
	if !ok {
		return nil, fmt.Errorf("column %s is missing", name)
	}
	return &columnCursor{
		name:  name,
		kind:  leaf.Node.Type().Kind(),
		pages: group.ColumnChunks()[leaf.ColumnIndex].Pages(),
	}, nil
}

// laterColumns are the columns that a file may lack: it was written before there were any. They are
// floats of which 0 says that nothing is known.
//
//bench:change metric older-files
var laterColumns = []string{
	"intake_air_flow_max",
	"ambient_temp",     //bench:change field older-files
	"ambient_temp_max", //bench:change field older-files
}

// unknownColumn stands for a later column in a file that lacks it: all zeros.
//
//bench:change metric older-files
func unknownColumn(name string, rows int) *columnCursor {
	return &columnCursor{
		name: name, kind: parquet.Float, rows: rows,
		bytes: memory.NewBufferBytes(make([]byte, floatBytes*rows)),
	}
}

//bench:change metric nulls
const floatBytes = 4

// seek goes to a row of the group, before anything was read.
func (c *columnCursor) seek(row int) error {
	if row == 0 || c.pages == nil {
		return nil
	}
	return c.pages.SeekToRow(int64(row))
}

// left is the number of rows of the page that were not taken.
func (c *columnCursor) left() int { return c.rows - c.taken }

// fill goes to the next page when everything of this one was taken.
func (c *columnCursor) fill() error {
	for c.left() == 0 {
		page, err := c.pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		c.release()
		values := page.Data()
		data, _ := values.Data()
		if page.NumNulls() > 0 { //bench:change metric nulls
			data = c.withNulls(data, page.DefinitionLevels())
		}
		c.page, c.rows, c.taken = page, int(page.NumRows()), 0
		c.bytes = memory.NewBufferBytes(data)
	}
	return nil
}

// withNulls returns the floats of a page with a zero for every null: the file holds only the others,
// and the levels say which rows they belong to.
//
//bench:change metric nulls
func (c *columnCursor) withNulls(data, levels []byte) []byte {
	c.spread = slices.Grow(c.spread[:0], floatBytes*len(levels))[:floatBytes*len(levels)]
	clear(c.spread)
	for row, level := range levels {
		if level > 0 {
			data = data[copy(c.spread[floatBytes*row:][:floatBytes], data):]
		}
	}
	return c.spread
}

// take returns the next n rows of the page as an Arrow array over the page's own memory.
func (c *columnCursor) take(n int) arrow.Array {
	data := func(t arrow.DataType) *array.Data {
		return array.NewData(t, n, []*memory.Buffer{nil, c.bytes}, nil, 0, c.taken)
	}
	defer func() { c.taken += n }()
	switch c.kind {
	case parquet.Int64:
		return array.NewInt64Data(data(arrow.PrimitiveTypes.Int64))
	case parquet.Float:
		return array.NewFloat32Data(data(arrow.PrimitiveTypes.Float32))
	default: // an int32, or the indices of a dictionary
		return array.NewInt32Data(data(arrow.PrimitiveTypes.Int32))
	}
}

func (c *columnCursor) release() {
	if c.page != nil {
		parquet.Release(c.page)
		c.page = nil
	}
}

func (c *columnCursor) close() error {
	c.release()
	if c.pages == nil { //bench:change metric older-files
		return nil
	}
	return c.pages.Close()
}
