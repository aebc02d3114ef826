package eventout

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"lambdakappa/datagen"
	"lambdakappa/event"
)

// some are events, more than one batch.
func some(t testing.TB) (events []event.CarSensor) {
	t.Helper()
	source := datagen.Spec{
		Seed: 1, Cars: 7, Rate: 100, Duration: 50 * time.Second, Start: time.Unix(1_700_000_000, 0),
	}.Stream()
	var p datagen.Planned
	for source.Next(&p) {
		events = append(events, p.Event)
	}
	require.Greater(t, len(events), rowsPerBatch)
	return events
}

// Ensure that every format has every field of every event.
func TestFormatsHaveEverything(t *testing.T) {
	events := some(t)
	write := func(name string) []byte {
		t.Helper()
		var b bytes.Buffer
		w, err := NewWriter(&b, name)
		require.NoError(t, err)
		for i := range events {
			require.NoError(t, w.Write(&events[i]))
		}
		require.NoError(t, w.Close())
		return b.Bytes()
	}
	var wanted []map[string]any // as JSON has them: the plainest form
	for line := range bytes.Lines(write("x.ndjson")) {
		var row map[string]any
		require.NoError(t, json.Unmarshal(line, &row))
		for name, value := range row {
			if x, ok := value.(float64); ok && x != math.Trunc(x) {
				row[name] = float64(float32(x)) // the shortest text that is this float32 again
			}
		}
		wanted = append(wanted, row)
	}
	require.Len(t, wanted, len(events))
	for i, e := range events {
		require.Len(t, wanted[i], reflect.TypeFor[event.CarSensor]().NumField())
		require.Equal(t, e.CarID, wanted[i]["car_id"])
		require.EqualValues(t, e.EventTime, wanted[i]["event_time"])
		require.EqualValues(t, e.Speed, float32(wanted[i]["speed"].(float64)))
		require.EqualValues(t, e.TirePressure22, wanted[i]["tire_pressure_2_2"])
	}
	require.Equal(t, wanted, arrowRows(t, write("x.arrow")))
	require.Equal(t, wanted, parquetRows(t, write("x.parquet")))
	_, err := NewWriter(io.Discard, "x.csv")
	require.EqualError(t, err, `file "x.csv": must end in .ndjson, .arrow or .parquet`)
}

func arrowRows(t testing.TB, b []byte) (rows []map[string]any) {
	t.Helper()
	r, err := ipc.NewReader(bytes.NewReader(b))
	require.NoError(t, err)
	defer r.Release()
	for r.Next() {
		record := r.Record()
		for i := range int(record.NumRows()) {
			row := map[string]any{}
			for c, column := range record.Columns() {
				var value any
				switch column := column.(type) {
				case *array.String:
					value = column.Value(i)
				case *array.Int64:
					value = float64(column.Value(i))
				case *array.Int32:
					value = float64(column.Value(i))
				case *array.Float32:
					value = float64(column.Value(i))
				}
				row[record.ColumnName(c)] = value
			}
			rows = append(rows, row)
		}
	}
	require.NoError(t, r.Err())
	return rows
}

func parquetRows(t testing.TB, b []byte) (rows []map[string]any) {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	reader := parquet.NewReader(f)
	for {
		row := map[string]any{}
		err := reader.Read(&row)
		if errors.Is(err, io.EOF) {
			return rows
		}
		require.NoError(t, err)
		for name, value := range row {
			switch x := value.(type) {
			case []byte:
				row[name] = string(x)
			case int64:
				row[name] = float64(x)
			case int32:
				row[name] = float64(x)
			case float32:
				row[name] = float64(x)
			}
		}
		rows = append(rows, row)
	}
}

// Ensure that a summary is that of a set: the order makes no difference, what is in it does, and so
// does how often.
func TestSummary(t *testing.T) {
	events := some(t)[:3]
	sum := func(indices ...int) Summary {
		s := NewSummary()
		for _, i := range indices {
			require.NoError(t, s.Add(&events[i]))
		}
		s.encoder, s.buffer = nil, nil
		return *s
	}
	require.Equal(t, sum(0, 1, 2), sum(2, 0, 1))
	require.NotEqual(t, sum(0, 1).Hash, sum(0, 2).Hash)
	require.NotEqual(t, sum(0, 1, 1).Hash, sum(0).Hash)
	require.Greater(t, sum(0).Bytes, int64(80))
	require.Len(t, sum(0).Hash.String(), 16)
}
