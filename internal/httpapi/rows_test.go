package httpapi

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/view"
)

const year10000 = 253_402_300_800_000 // ms; RFC 3339 ends here, and so do event times

func drawWindow(t *rapid.T) view.Window {
	finite := rapid.Float32Range(-1<<20, 1<<20)
	return view.Window{
		WindowKey: view.WindowKey{
			CarID: rapid.String().Draw(t, "car"),
			Start: rapid.Int64Range(0, year10000-1).Draw(t, "start"),
		},
		Tally: view.Tally{
			Readings:           rapid.Int64Min(1).Draw(t, "readings"),
			SpeedSum:           rapid.Int64().Draw(t, "speed sum"),
			SpeedMax:           finite.Draw(t, "speed"),
			CoolantTempMax:     finite.Draw(t, "coolant"),
			EngineVibrationMax: finite.Draw(t, "vibration"),
			TirePressureMin:    rapid.Int32().Draw(t, "pressure"),
			BatteryVoltageMin:  finite.Draw(t, "voltage"),
			CurrentDrawSum:     rapid.Int64().Draw(t, "current sum"),
			Anomalies:          rapid.Int64().Draw(t, "anomalies"),
			LastSeq:            rapid.Int64Min(0).Draw(t, "last seq"),
			IntakeAirFlowMax:   rapid.OneOf(rapid.Just[float32](0), finite).Draw(t, "air"),
			AmbientTempMax:     rapid.OneOf(rapid.Just[float32](0), finite).Draw(t, "outside"),
		},
	}
}

func drawAlert(t *rapid.T) view.Alert {
	return view.Alert{
		AlertKey: view.AlertKey{
			CarID: rapid.String().Draw(t, "car"),
			Seq:   rapid.Int64Min(0).Draw(t, "seq"),
		},
		EventTime: rapid.Int64Range(0, year10000-1).Draw(t, "time"),
		Rule:      view.Rule(rapid.IntRange(1, int(view.BatteryCell)).Draw(t, "rule")),
		Score:     rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64).Draw(t, "score"),
	}
}

func drawTrip(t *rapid.T) view.Trip {
	return view.Trip{
		CarID: rapid.String().Draw(t, "car"),
		Stretch: view.Stretch{
			Start:       rapid.Int64Range(0, year10000-1).Draw(t, "start"),
			End:         rapid.Int64Range(0, year10000-1).Draw(t, "end"),
			Readings:    rapid.Int64Min(1).Draw(t, "readings"),
			SpeedSum:    rapid.Int64().Draw(t, "speed sum"),
			HarshBrakes: rapid.Int64Min(0).Draw(t, "harsh"),
		},
		Distance: rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64).Draw(t, "distance"),
	}
}

// Ensure that both formats give back exactly the rows that went in, whatever they hold: answers
// are compared with ==.
func TestArrowAndJSONCarryTheSameRowsExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		windows := rapid.SliceOfN(rapid.Custom(drawWindow), 0, 20).Draw(t, "windows")
		checkFormats(t, windows, windowColumns(), appendWindow, newWindowRow, windowRow.window)
		alerts := rapid.SliceOfN(rapid.Custom(drawAlert), 0, 20).Draw(t, "alerts")
		checkFormats(t, alerts, alertColumns(), appendAlert, newAlertRow, alertRow.alert)
		trips := rapid.SliceOfN(rapid.Custom(drawTrip), 0, 20).Draw(t, "trips")
		checkFormats(t, trips, tripColumns(), appendTrip, newTripRow, tripRow.trip)
	})
}

func checkFormats[L any, R comparable](
	t *rapid.T, rows []R, columns []column[R], appendRow func([]byte, *R) []byte,
	newLine func() L, row func(L) (R, error),
) {
	var lines, stream bytes.Buffer
	require.NoError(t, writeLines(&lines, rows, appendRow))
	fromJSON, err := readLines(&lines, newLine, row)
	require.NoError(t, err)
	require.NoError(t, writeArrow(&stream, columns, rows, Stamp{}))
	fromArrow, err := readArrow(&stream, columns)
	require.NoError(t, err)
	require.Len(t, fromJSON, len(rows))
	require.Len(t, fromArrow, len(rows))
	for i := range rows {
		require.True(t, rows[i] == fromJSON[i], "JSON: %+v is not %+v", fromJSON[i], rows[i])
		require.True(t, rows[i] == fromArrow[i], "Arrow: %+v is not %+v", fromArrow[i], rows[i])
	}
}

func TestArrowStreamsOfManyBatchesAreWhole(t *testing.T) {
	rows := make([]view.Window, 2*arrowBatchRows+1)
	for i := range rows {
		rows[i] = view.Window{WindowKey: view.WindowKey{CarID: "car", Start: int64(i)}}
		rows[i].Readings = 1
	}
	var stream bytes.Buffer
	require.NoError(t, writeArrow(&stream, windowColumns(), rows, Stamp{}))
	whole := bytes.Clone(stream.Bytes())
	read, err := readArrow(&stream, windowColumns())
	require.NoError(t, err)
	require.Equal(t, rows, read)

	_, err = readArrow(bytes.NewReader(whole[:len(whole)/3]), windowColumns())
	require.Error(t, err, "half a stream must not pass for a whole one")
	_, err = readArrow(bytes.NewReader(whole), alertColumns())
	require.ErrorContains(t, err, "fields are")
}

// Ensure that the means that both formats offer are the ones of the exact sums.
func TestBothFormatsNameTheSameFieldsInTheSameOrder(t *testing.T) {
	w := view.Window{WindowKey: view.WindowKey{CarID: `a "car"`, Start: 1_800_000_000_123}}
	w.Readings, w.SpeedSum, w.CurrentDrawSum = 3, view.Fixed(10), -view.Fixed(1)
	line := string(appendWindow(nil, &w))
	require.Equal(t, `{"car_id":"a \"car\"","window_start":"2027-01-15T08:00:00.123Z","readings":3,`+
		`"speed_mean":3.3333333333333335,"speed_max":0,"coolant_temp_max":0,"engine_vibration_max":0,`+
		`"tire_pressure_min":0,"battery_voltage_min":0,"current_draw_mean":-0.3333333333333333,`+
		`"anomalies":0,"last_seq":0,"speed_sum":167772160,"current_draw_sum":-16777216}`, line)
	known := namesOf(windowColumns())[:14] // nothing is known of the metrics of later versions
	require.Equal(t, known, keysOf(t, line))
	w.IntakeAirFlowMax, w.AmbientTempMax = 7.25, 280.5
	line = string(appendWindow(nil, &w))
	require.Contains(t, line, `,"intake_air_flow_max":7.25,"ambient_temp_max":280.5}`)
	require.Equal(t, namesOf(windowColumns()), keysOf(t, line))
	a := view.Alert{AlertKey: view.AlertKey{CarID: "c", Seq: 4}, Rule: view.DriveShaft, Score: 1e30}
	line = string(appendAlert(nil, &a))
	require.Equal(t, `{"car_id":"c","seq":4,"event_time":"1970-01-01T00:00:00.000Z",`+
		`"rule":"drive_shaft","score":1e+30}`, line)
	require.Equal(t, namesOf(alertColumns()), keysOf(t, line))
	trip := view.Trip{CarID: "c", Distance: 12.5, Stretch: view.Stretch{
		Start: 1_000, End: 2_500, Readings: 3, SpeedSum: view.Fixed(12.5), HarshBrakes: 1,
	}}
	line = string(appendTrip(nil, &trip))
	require.Equal(t, `{"car_id":"c","trip_start":"1970-01-01T00:00:01.000Z",`+
		`"trip_end":"1970-01-01T00:00:02.500Z","readings":3,"distance":12.5,"harsh_brakes":1,`+
		`"speed_sum":209715200}`, line)
	require.Equal(t, namesOf(tripColumns()), keysOf(t, line))
}

// Ensure that a metric that a version does not have is absent in both formats, and not 0.
func TestUnknownMetricsAreAbsent(t *testing.T) {
	rows := make([]view.Window, 2)
	rows[1].IntakeAirFlowMax = 7.25
	require.NotContains(t, string(appendWindow(nil, &rows[0])), "intake_air_flow_max")

	var stream bytes.Buffer
	require.NoError(t, writeArrow(&stream, windowColumns(), rows, Stamp{}))
	in, err := ipc.NewReader(&stream)
	require.NoError(t, err)
	defer in.Release()
	require.True(t, in.Next())
	i := in.Schema().FieldIndices("intake_air_flow_max")[0]
	require.True(t, in.Schema().Field(i).Nullable)
	cells := in.Record().Column(i)
	require.True(t, cells.IsNull(0))
	require.False(t, cells.IsNull(1))
}

func namesOf[R any](columns []column[R]) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	return names
}

// keysOf lists the keys of a flat JSON object in order.
func keysOf(t *testing.T, line string) []string {
	var keys []string
	d := json.NewDecoder(strings.NewReader(line))
	_, err := d.Token()
	require.NoError(t, err)
	for d.More() {
		key, err := d.Token()
		require.NoError(t, err)
		keys = append(keys, key.(string))
		_, err = d.Token()
		require.NoError(t, err)
	}
	return keys
}
