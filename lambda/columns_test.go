package lambda

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/view"
)

// A firstRow is a row of a master file from before a field came, as far as the fold of v3 reads it.
type firstRow struct {
	CarID              string  `parquet:"car_id,dict"`
	Seq                int64   `parquet:"seq"`
	EventTime          int64   `parquet:"event_time"`
	Speed              float32 `parquet:"speed"`
	CoolantTemp        float32 `parquet:"coolant_temp"`
	Vibration          float32 `parquet:"engine_vibration_amplitude"`
	BatteryPercentage  float32 `parquet:"battery_percentage"`
	BatteryVoltage     float32 `parquet:"battery_voltage"`
	CurrentDraw        float32 `parquet:"current_draw"`
	Tire11             int32   `parquet:"tire_pressure_1_1"`
	Tire12             int32   `parquet:"tire_pressure_1_2"`
	Tire21             int32   `parquet:"tire_pressure_2_1"`
	Tire22             int32   `parquet:"tire_pressure_2_2"`
	Accelerometer11    float32 `parquet:"accelerometer_1_1_value"`
	Accelerometer12    float32 `parquet:"accelerometer_1_2_value"`
	Accelerometer21    float32 `parquet:"accelerometer_2_1_value"`
	Accelerometer22    float32 `parquet:"accelerometer_2_2_value"`
	Fingerprint        uint32  `parquet:"fingerprint"`
	IntakeAirFlowSpeed float32 `parquet:"intake_air_flow_speed"`
}

// Ensure that a field which came later is read where it is known: a file may lack its column, have it
// with nulls anywhere, have nothing but nulls, or no null at all.
func TestLaterColumns(t *testing.T) {
	const rows = 5000 // more than a page
	known := func(i int) float32 { return float32(270 + i%20) }
	for name, at := range map[string]func(i int) float32{
		"all known":  known,
		"none known": func(int) float32 { return 0 },
		"some known": func(i int) float32 {
			if i%7 < 3 {
				return 0
			}
			return known(i)
		},
		"from the middle on": func(i int) float32 {
			if i < rows/2+3 {
				return 0
			}
			return known(i)
		},
	} {
		path := t.TempDir() + "/rows.parquet"
		require.NoError(t, writeParquet(path, func(emit func(masterRow)) {
			for i := range rows {
				e := measured("car-1", int64(i), int64(i)*1000)
				e.AmbientTemp = at(i)
				emit(newMasterRow(&e, int64(i), 0, 0))
			}
		}))
		var read []float32
		require.NoError(t, scanFile(path, []string{"seq", "ambient_temp"}, func(b *columnBatch) error {
			read = append(read, b.floats(1)...)
			return nil
		}))
		require.Len(t, read, rows, name)
		for i, x := range read {
			require.Equal(t, at(i), x, "%s, row %d", name, i)
		}
	}
}

// Ensure that v4 reads master files from before the field came.
func TestFilesFromBeforeAField(t *testing.T) {
	path := t.TempDir() + "/old.parquet"
	require.NoError(t, writeParquet(path, func(emit func(firstRow)) {
		for seq := range int64(10) {
			emit(firstRow{CarID: "car-1", Seq: seq, EventTime: seq * 1000, IntakeAirFlowSpeed: 4.5})
		}
	}))
	for name, logic := range batchLogics {
		f := newBatchFold(event.DefaultRules(), view.All)
		l := logic(f, "v4")
		require.NoError(t, scanFile(path, l.names(), l.add), name)
		tally := f.windows.at(0).tally
		require.EqualValues(t, 10, tally.Readings)
		require.EqualValues(t, 4.5, tally.IntakeAirFlowMax)
		require.Zero(t, tally.AmbientTempMax)
	}

	err := scanFile(path, []string{"intended"}, nil)
	require.ErrorContains(t, err, "column intended is missing", "only later columns may be")
}

// Ensure that a version reads the columns that it needs, and no other.
func TestColumnsOfVersions(t *testing.T) {
	f := func(version string, more ...string) {
		t.Helper()
		for name, logic := range batchLogics {
			require.Equal(t, append(foldColumns[:colFingerprint+1:colFingerprint+1], more...),
				logic(newBatchFold(event.DefaultRules(), view.All), version).names(), name)
		}
	}
	f("v1")
	f("v2")
	f("v3", "intake_air_flow_speed")
	f("v4", "intake_air_flow_speed", "ambient_temp")
	require.Len(t, logics, len(columnLogics))
	require.Len(t, eventColumns, len(logics))
	for i := range logics {
		require.Equal(t, logics[i].version, columnLogics[i].version)
		require.Contains(t, eventColumns, logics[i].version)
	}
}
