package httpapi

import (
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"lambdakappa/view"
)

// A column is one field of a row type R in Arrow: how it is written and how it is read back.
type column[R any] struct {
	name  string
	kind  arrow.DataType
	write func(b array.Builder, rows []R)
	read  func(a arrow.Array, rows []R) error // rows are as many as a is long

	//bench:change metric arrow-null
	nulls bool // a cell may be null
}

// numbers is a column whose cells are those of the Go slice that backs the array.
func numbers[R, T any, B interface{ Append(T) }](
	name string, kind arrow.DataType, at func(*R) *T, values func(arrow.Array) []T,
) column[R] {
	return column[R]{
		name: name,
		kind: kind,
		write: func(b array.Builder, rows []R) {
			cells := b.(B)
			for i := range rows {
				cells.Append(*at(&rows[i]))
			}
		},
		read: func(a arrow.Array, rows []R) error {
			for i, x := range values(a) {
				*at(&rows[i]) = x
			}
			return nil
		},
	}
}

func int64s[R any](name string, at func(*R) *int64) column[R] {
	return numbers[R, int64, *array.Int64Builder](name, arrow.PrimitiveTypes.Int64, at,
		func(a arrow.Array) []int64 { return a.(*array.Int64).Int64Values() })
}

func int32s[R any](name string, at func(*R) *int32) column[R] {
	return numbers[R, int32, *array.Int32Builder](name, arrow.PrimitiveTypes.Int32, at,
		func(a arrow.Array) []int32 { return a.(*array.Int32).Int32Values() })
}

func float32s[R any](name string, at func(*R) *float32) column[R] {
	return numbers[R, float32, *array.Float32Builder](name, arrow.PrimitiveTypes.Float32, at,
		func(a arrow.Array) []float32 { return a.(*array.Float32).Float32Values() })
}

func float64s[R any](name string, at func(*R) *float64) column[R] {
	return numbers[R, float64, *array.Float64Builder](name, arrow.PrimitiveTypes.Float64, at,
		func(a arrow.Array) []float64 { return a.(*array.Float64).Float64Values() })
}

// known is a column of metrics that not every version has: 0 says that nothing is known, and is null.
//
//bench:change metric arrow-null
func known[R any](name string, at func(*R) *float32) column[R] {
	return column[R]{
		name:  name,
		kind:  arrow.PrimitiveTypes.Float32,
		nulls: true,
		write: func(b array.Builder, rows []R) {
			cells := b.(*array.Float32Builder)
			for i := range rows {
				if x := *at(&rows[i]); x != 0 {
					cells.Append(x)
				} else {
					cells.AppendNull()
				}
			}
		},
		read: func(a arrow.Array, rows []R) error {
			cells := a.(*array.Float32)
			for i := range rows {
				if !cells.IsNull(i) {
					*at(&rows[i]) = cells.Value(i)
				}
			}
			return nil
		},
	}
}

// derived is a column for readers that do not want to compute; it is not read back.
func derived[R any](name string, get func(*R) float64) column[R] {
	return column[R]{
		name: name,
		kind: arrow.PrimitiveTypes.Float64,
		write: func(b array.Builder, rows []R) {
			cells := b.(*array.Float64Builder)
			for i := range rows {
				cells.Append(get(&rows[i]))
			}
		},
		read: func(arrow.Array, []R) error { return nil },
	}
}

// instant is a column of Unix milliseconds, as timestamp[ms] in UTC.
func instant[R any](name string, at func(*R) *int64) column[R] {
	return column[R]{
		name: name,
		kind: &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"},
		write: func(b array.Builder, rows []R) {
			cells := b.(*array.TimestampBuilder)
			for i := range rows {
				cells.Append(arrow.Timestamp(*at(&rows[i])))
			}
		},
		read: func(a arrow.Array, rows []R) error {
			for i, t := range a.(*array.Timestamp).TimestampValues() {
				*at(&rows[i]) = int64(t)
			}
			return nil
		},
	}
}

// text is a column of strings. Neighbouring rows are often of one car: they share its string.
func text[R any](name string, at func(*R) *string) column[R] {
	return column[R]{
		name: name,
		kind: arrow.BinaryTypes.String,
		write: func(b array.Builder, rows []R) {
			cells := b.(*array.StringBuilder)
			for i := range rows {
				cells.Append(*at(&rows[i]))
			}
		},
		read: func(a arrow.Array, rows []R) error {
			cells, last := a.(*array.String), ""
			for i := range rows {
				if s := cells.Value(i); s != last {
					last = strings.Clone(s) // the cell's bytes are the batch's
				}
				*at(&rows[i]) = last
			}
			return nil
		},
	}
}

// rules is a column of rule names.
func rules[R any](name string, at func(*R) *view.Rule) column[R] {
	return column[R]{
		name: name,
		kind: arrow.BinaryTypes.String,
		write: func(b array.Builder, rows []R) {
			cells := b.(*array.StringBuilder)
			for i := range rows {
				cells.Append(at(&rows[i]).String())
			}
		},
		read: func(a arrow.Array, rows []R) error {
			cells := a.(*array.String)
			for i := range rows {
				rule, known := view.ParseRule(cells.Value(i))
				if !known {
					return fmt.Errorf("unknown rule %q", cells.Value(i))
				}
				*at(&rows[i]) = rule
			}
			return nil
		},
	}
}
