package fleetreport

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
)

// columns are those columns of a row group that the report needs; no other is read.
type columns struct {
	cars    []string // dictionary
	car     []int32  // index in cars, of every row
	seq     []int64
	time    []int64
	speed   []float32
	coolant []float32
	voltage []float32
	tires   [4][]int32
	print   []int32 // fingerprint
}

var tireColumns = [4]string{
	"tire_pressure_1_1", "tire_pressure_1_2", "tire_pressure_2_1", "tire_pressure_2_2",
}

func readColumns(group parquet.RowGroup) (c *columns, err error) {
	c = &columns{}
	if err := c.readCars(group); err != nil {
		return nil, err
	}
	read := func(name string, values func(pages parquet.Pages, rows int) error) {
		if err == nil {
			err = withPages(group, name, values)
		}
	}
	read("seq", into(&c.seq))
	read("event_time", into(&c.time))
	read("speed", into(&c.speed))
	read("coolant_temp", into(&c.coolant))
	read("battery_voltage", into(&c.voltage))
	for i, name := range tireColumns {
		read(name, into(&c.tires[i]))
	}
	read("fingerprint", into(&c.print))
	return c, err
}

// withPages opens the pages of a column.
func withPages(
	group parquet.RowGroup, name string, read func(pages parquet.Pages, rows int) error,
) (err error) {
	leaf, ok := group.Schema().Lookup(name)
	if !ok {
		return fmt.Errorf("column %s is missing", name)
	}
	pages := group.ColumnChunks()[leaf.ColumnIndex].Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	if err := read(pages, int(group.NumRows())); err != nil {
		return fmt.Errorf("column %s: %w", name, err)
	}
	return nil
}

// into reads all values of a column into dst, page by page.
func into[T int32 | int64 | float32](dst *[]T) func(parquet.Pages, int) error {
	return func(pages parquet.Pages, rows int) error {
		*dst = make([]T, 0, rows)
		for len(*dst) < rows {
			page, err := pages.ReadPage()
			if errors.Is(err, io.EOF) {
				return io.ErrUnexpectedEOF
			}
			if err != nil {
				return err
			}
			data := page.Data()
			*dst = append(*dst, valuesOf[T](&data)...)
			parquet.Release(page)
		}
		return nil
	}
}

// readCars reads the cars of the rows, and the dictionary that they are indices of.
func (c *columns) readCars(group parquet.RowGroup) error {
	return withPages(group, "car_id", func(pages parquet.Pages, rows int) error {
		for len(c.car) < rows {
			page, err := pages.ReadPage()
			if err != nil {
				return err
			}
			if dictionary := page.Dictionary(); dictionary != nil && c.cars == nil {
				for i := range dictionary.Len() {
					c.cars = append(c.cars, string(dictionary.Index(int32(i)).ByteArray()))
				}
			}
			if page.Dictionary() == nil {
				return errors.New("it has no dictionary")
			}
			data := page.Data()
			c.car = append(c.car, data.Int32()...)
			parquet.Release(page)
		}
		return nil
	})
}

// valuesOf returns the values of a page as what they are. They are the page's own memory.
func valuesOf[T int32 | int64 | float32](data *encoding.Values) []T {
	switch any(T(0)).(type) {
	case int32:
		return any(data.Int32()).([]T)
	case int64:
		return any(data.Int64()).([]T)
	default:
		return any(data.Float()).([]T)
	}
}
