//bench:only kappa-archived
package kappa

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
)

// A columnCursor goes through the pages of one column of a row group. Values are the page's own
// memory.
type columnCursor struct {
	name   string
	pages  parquet.Pages
	page   parquet.Page // nil before the first
	values encoding.Values
	rows   int // of page
	taken  int // rows of page that were taken

	//bench:change field nulls
	spread []float32 // memory for the values of a page with nulls
}

// newColumnCursor begins at the first row of a group. It returns nil for a column that is not there.
func newColumnCursor(group parquet.RowGroup, name string) *columnCursor {
	leaf, ok := group.Schema().Lookup(name)
	if !ok {
		return nil
	}
	return &columnCursor{name: name, pages: group.ColumnChunks()[leaf.ColumnIndex].Pages()}
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
		c.page, c.rows, c.taken = page, int(page.NumRows()), 0
		c.values = page.Data()
		if page.NumNulls() > 0 { //bench:change field nulls
			c.values = c.withNulls(c.values.Float(), page.DefinitionLevels())
		}
	}
	return nil
}

// withNulls returns the floats of a page with a zero for every null: the file holds only the others,
// and the levels say which rows they belong to.
//
//bench:change field nulls
func (c *columnCursor) withNulls(known []float32, levels []byte) encoding.Values {
	c.spread = append(c.spread[:0], make([]float32, len(levels))...)
	for row, level := range levels {
		if level > 0 {
			c.spread[row], known = known[0], known[1:]
		}
	}
	return encoding.FloatValues(c.spread)
}

// readWords appends the dictionary of a column of strings, whose values are its indices. It is there
// with the first page. A word that is known already is not allocated again: a car is in every file.
func (c *columnCursor) readWords(words []string, known map[string]string) ([]string, error) {
	dictionary := c.page.Dictionary()
	if dictionary == nil {
		return nil, fmt.Errorf("column %s has no dictionary", c.name)
	}
	for i := range dictionary.Len() {
		text := dictionary.Index(int32(i)).ByteArray()
		word, ok := known[string(text)]
		if !ok {
			word = string(text)
			known[word] = word
		}
		words = append(words, word)
	}
	return words, nil
}

func (c *columnCursor) release() {
	if c.page != nil {
		parquet.Release(c.page)
		c.page = nil
	}
}

func (c *columnCursor) close() error {
	c.release()
	return c.pages.Close()
}

// A field is where the values of a column go, one after the other.
type field[T any] struct {
	cursor *columnCursor
	to     *T
	values []T // of the run that is being read
}

// set sets fields to their values of row i.
func set[T any](fields []field[T], i int) {
	for j := range fields {
		f := &fields[j]
		*f.to = f.values[i]
	}
}

// cut sets the values of a field to those of the next n rows.
func (f *field[T]) cut(n int, ofPage func(*encoding.Values) []T) {
	f.values = ofPage(&f.cursor.values)[f.cursor.taken:][:n]
}

// cut sets the values of fields to those of the next n rows.
func cut[T any](fields []field[T], n int, ofPage func(*encoding.Values) []T) {
	for i := range fields {
		fields[i].cut(n, ofPage)
	}
}
