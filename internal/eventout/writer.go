package eventout

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/parquet-go/parquet-go"

	"lambdakappa/event"
)

// A Writer writes events; Close completes what was written, not what it is written to.
type Writer interface {
	Write(e *event.CarSensor) error
	Close() error
}

// NewWriter returns the writer for a file of that name: .ndjson, .arrow (an IPC stream) or .parquet.
func NewWriter(w io.Writer, name string) (Writer, error) {
	switch filepath.Ext(name) {
	case ".ndjson":
		return &ndjson{w: w}, nil
	case ".arrow":
		return newArrow(w), nil
	case ".parquet":
		return newParquet(w), nil
	}
	return nil, fmt.Errorf("file %q: must end in .ndjson, .arrow or .parquet", name)
}

// ndjson writes a line per event.
type ndjson struct {
	w    io.Writer
	line []byte
}

func (n *ndjson) Write(e *event.CarSensor) error {
	v, line := reflect.ValueOf(e).Elem(), append(n.line[:0], '{')
	for i, f := range fields {
		if i > 0 {
			line = append(line, ',')
		}
		line = append(append(append(line, '"'), f.name...), '"', ':')
		switch x := v.Field(f.index); f.kind {
		case reflect.String:
			text, err := json.Marshal(x.String())
			if err != nil {
				return err
			}
			line = append(line, text...)
		case reflect.Float32:
			line = strconv.AppendFloat(line, x.Float(), 'g', -1, 32)
		default:
			line = strconv.AppendInt(line, x.Int(), 10)
		}
	}
	n.line = append(line, '}', '\n')
	_, err := n.w.Write(n.line)
	return err
}

func (n *ndjson) Close() error { return nil }

// rowsPerBatch is how many events become one Arrow batch, or one call of the Parquet writer.
const rowsPerBatch = 4096

// arrowStream writes an Arrow IPC stream.
type arrowStream struct {
	builder *array.RecordBuilder
	out     *ipc.Writer
	rows    int
}

func newArrow(w io.Writer) *arrowStream {
	var columns []arrow.Field
	for _, f := range fields {
		columns = append(columns, arrow.Field{Name: f.name, Type: arrowTypes[f.kind]})
	}
	schema := arrow.NewSchema(columns, nil)
	return &arrowStream{
		builder: array.NewRecordBuilder(memory.DefaultAllocator, schema),
		out:     ipc.NewWriter(w, ipc.WithSchema(schema)),
	}
}

var arrowTypes = map[reflect.Kind]arrow.DataType{
	reflect.String: arrow.BinaryTypes.String, reflect.Int64: arrow.PrimitiveTypes.Int64,
	reflect.Int32: arrow.PrimitiveTypes.Int32, reflect.Float32: arrow.PrimitiveTypes.Float32,
}

func (a *arrowStream) Write(e *event.CarSensor) error {
	v := reflect.ValueOf(e).Elem()
	for i, f := range fields {
		switch x := v.Field(f.index); column := a.builder.Field(i).(type) {
		case *array.StringBuilder:
			column.Append(x.String())
		case *array.Int64Builder:
			column.Append(x.Int())
		case *array.Int32Builder:
			column.Append(int32(x.Int()))
		case *array.Float32Builder:
			column.Append(float32(x.Float()))
		}
	}
	if a.rows++; a.rows < rowsPerBatch {
		return nil
	}
	return a.flush()
}

func (a *arrowStream) flush() error {
	record := a.builder.NewRecord()
	defer record.Release()
	a.rows = 0
	return a.out.Write(record)
}

func (a *arrowStream) Close() error {
	defer a.builder.Release()
	if err := a.flush(); err != nil {
		return err
	}
	return a.out.Close()
}

// parquetFile writes Parquet with snappy. Its columns are in the order of their names.
type parquetFile struct {
	out    *parquet.GenericWriter[any]
	column []int // of every field
	rows   []parquet.Row
}

func newParquet(w io.Writer) *parquetFile {
	group := parquet.Group{}
	for _, f := range fields {
		group[f.name] = parquetTypes[f.kind]()
	}
	schema := parquet.NewSchema("CarSensor", group)
	p := &parquetFile{out: parquet.NewGenericWriter[any](w, schema, parquet.Compression(&parquet.Snappy))}
	for _, f := range fields {
		leaf, _ := schema.Lookup(f.name)
		p.column = append(p.column, leaf.ColumnIndex)
	}
	return p
}

var parquetTypes = map[reflect.Kind]func() parquet.Node{
	reflect.String:  parquet.String,
	reflect.Int64:   func() parquet.Node { return parquet.Int(64) },
	reflect.Int32:   func() parquet.Node { return parquet.Int(32) },
	reflect.Float32: func() parquet.Node { return parquet.Leaf(parquet.FloatType) },
}

func (p *parquetFile) Write(e *event.CarSensor) error {
	v, row := reflect.ValueOf(e).Elem(), make(parquet.Row, len(fields))
	for i, f := range fields {
		value := parquet.ValueOf(v.Field(f.index).Interface())
		row[p.column[i]] = value.Level(0, 0, p.column[i])
	}
	if p.rows = append(p.rows, row); len(p.rows) < rowsPerBatch {
		return nil
	}
	return p.flush()
}

func (p *parquetFile) flush() error {
	_, err := p.out.WriteRows(p.rows)
	p.rows = p.rows[:0]
	return err
}

func (p *parquetFile) Close() error {
	if err := p.flush(); err != nil {
		return err
	}
	return p.out.Close()
}
