package httpapi

import (
	"fmt"
	"io"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// arrowBatchRows is how many rows one Arrow batch holds: 8,192 windows are about 0.8 MB, so the
// first rows arrive early and a reader holds little beside its result.
const arrowBatchRows = 8192

// writeArrow writes rows as an Arrow IPC stream. The stamp is metadata of the schema, so that a
// stream that was saved to a file still names its version.
func writeArrow[R any](w io.Writer, columns []column[R], rows []R, s Stamp) error {
	schema := schemaOf(columns, s)
	out := ipc.NewWriter(w, ipc.WithSchema(schema))
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	for len(rows) > 0 {
		n := min(len(rows), arrowBatchRows)
		for i, c := range columns {
			c.write(builder.Field(i), rows[:n])
		}
		if err := writeBatch(out, builder); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return out.Close()
}

func writeBatch(out *ipc.Writer, builder *array.RecordBuilder) error {
	batch := builder.NewRecord()
	defer batch.Release()
	return out.Write(batch)
}

func schemaOf[R any](columns []column[R], s Stamp) *arrow.Schema {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{
			Name: c.name, Type: c.kind,
			Nullable: c.nulls, //bench:change metric arrow-field
		}
	}
	stamp := arrow.NewMetadata([]string{"version", "generation", "mistake"},
		[]string{s.Version, strconv.FormatInt(s.Generation, 10), s.Mistake})
	return arrow.NewSchema(fields, &stamp)
}

// readArrow reads what writeArrow wrote.
func readArrow[R any](r io.Reader, columns []column[R]) ([]R, error) {
	in, err := ipc.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("open arrow stream: %w", err)
	}
	defer in.Release()
	if want := schemaOf(columns, Stamp{}); !in.Schema().Equal(want) {
		return nil, fmt.Errorf("read arrow stream: fields are %v, not %v",
			in.Schema().Fields(), want.Fields())
	}
	var rows []R
	for in.Next() {
		batch := in.Record()
		have := len(rows)
		rows = append(rows, make([]R, batch.NumRows())...)
		for i, c := range columns {
			if err := c.read(batch.Column(i), rows[have:]); err != nil {
				return nil, fmt.Errorf("read column %s: %w", c.name, err)
			}
		}
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("read arrow stream: %w", err)
	}
	return rows, nil
}
