package datagen_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/datagen"
	"lambdakappa/event"
)

func readAll(r io.Reader) ([]event.CarSensor, error) {
	var all []event.CarSensor
	for e, err := range datagen.ReadCSV(r) {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

func ourCSV(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("testdata/cars.csv")
	require.NoError(t, err)
	return string(text)
}

func TestReadCSV(t *testing.T) {
	all, err := readAll(strings.NewReader(ourCSV(t)))
	require.NoError(t, err)
	require.Len(t, all, 5)
	require.Equal(t, event.CarSensor{
		CarID: "red", Seq: 1, EventTime: 1577836800500,
		CoolantTemp: 39.5, IntakeAirTemp: 24.5, IntakeAirFlowSpeed: 119.5,
		BatteryPercentage: 81.25, BatteryVoltage: 246.125, CurrentDraw: 0.5,
		Speed: 24.75, EngineVibrationAmplitude: 2475, ThrottlePos: 0.25,
		TirePressure11: 32, TirePressure12: 31, TirePressure21: 34, TirePressure22: 34,
		Accelerometer11: -0.5, Accelerometer12: 0.9, Accelerometer21: 0.8, Accelerometer22: 0.1,
		ControlUnitFirmware: 2000,
	}, all[2])
	// Odd values are data: what the file says is what was measured.
	require.Equal(t, float32(-29.926895), all[3].BatteryPercentage)
	require.Equal(t, float32(7.8737736e-05), all[3].Accelerometer12)
	// seq is the rank within the car, whatever the time says.
	require.Equal(t, int64(1), all[4].Seq)
	require.Equal(t, int64(1577836805000), all[4].EventTime)
}

func TestReadCSVTakesEveryLineEnding(t *testing.T) {
	unix := ourCSV(t)
	want, err := readAll(strings.NewReader(unix))
	require.NoError(t, err)
	for _, text := range []string{
		strings.ReplaceAll(unix, "\n", "\r\n"), strings.TrimSuffix(unix, "\n"), unix + "\n\n",
	} {
		got, err := readAll(strings.NewReader(text))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestCSVErrorsNameThePlace(t *testing.T) {
	lines := strings.Split(ourCSV(t), "\n")
	header, row := lines[0], lines[1]
	f := func(text, want string) {
		t.Helper()
		_, err := readAll(strings.NewReader(text))
		var place *datagen.CSVError
		require.True(t, errors.As(err, &place), "%v", err)
		require.EqualError(t, err, want)
	}
	change := func(old, with string) string {
		require.Contains(t, row, old)
		return header + "\n" + row + "\n" + strings.Replace(row, old, with, 1) + "\n"
	}
	const seconds = "must be epoch seconds, e.g. 1567606196 or 1567606196.25"
	f("", "line 1: an empty file: must be a header and rows")
	f(strings.Replace(header, "speed,", "velocity,", 1),
		`line 1, column intake_air_flow_speed: "intake_air_flow_velocity": must be the header intake_air_flow_speed`)
	f("a,b\n", "line 1: 2 columns: must be 20 columns, from time to control_unit_firmware")
	f(change(",38.25,", ",hot,"), `line 3, column coolant_temp: "hot": must be a number below 1048576`)
	f(change(",38.25,", ",,"), `line 3, column coolant_temp: "": must be a number below 1048576`)
	f(change(",24.5,", ",NaN,"), `line 3, column intake_air_temp: "NaN": must be a number below 1048576`)
	f(change(",0.96,", ",1e7,"), `line 3, column accelerometer_1_2_value: "1e7": must be a number below 1048576`)
	f(change(",31,", ",31.5,"), `line 3, column tire_pressure_1_2: "31.5": must be a whole number`)
	f(change(",31,", ",99999999999,"), `line 3, column tire_pressure_1_2: "99999999999": must be a whole number`)
	f(change("red", ""), `line 3, column car: "": must be the name of a car in UTF-8`)
	f(change("red", "r\xffd"), `line 3, column car: "r\xffd": must be the name of a car in UTF-8`)
	for _, wrong := range []string{"-1", "1e9", "12.", "12.1234", "12.+1", "99999999999", "now", ""} {
		f(change("1577836800", wrong), fmt.Sprintf("line 3, column time: %q: %s", wrong, seconds))
	}
	f(change(",0.25,", ","), "line 3: 19 columns: must be 20 columns, from time to control_unit_firmware")
	f(header+"\n"+strings.Repeat("1", 1<<17), "line 2: a longer line: must be at most 65536 bytes")
}

func TestReadCSVReportsAFailingReader(t *testing.T) {
	broken := io.MultiReader(strings.NewReader(ourCSV(t)[:700]), iotest.ErrReader(io.ErrClosedPipe))
	_, err := readAll(broken)
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

// Ensure that a generated workload survives the detour through a file, to the bit.
func TestCSVRoundTrip(t *testing.T) {
	spec := fleet(8, 30, 2*time.Minute)
	var file bytes.Buffer
	rows, err := datagen.WriteCSV(&file, spec.Stream())
	require.NoError(t, err)
	require.Equal(t, spec.Events(), rows)
	all, err := readAll(&file)
	require.NoError(t, err)
	st := spec.Stream()
	var p datagen.Planned
	for _, e := range all {
		require.True(t, st.Next(&p))
		require.Equal(t, p.Event, e)
	}
	require.False(t, st.Next(&p))
}

// Ensure that a file holds every reading once: it has no identity that could tell a duplicate.
func TestCSVHoldsReadingsOnly(t *testing.T) {
	spec := fleet(8, 30, 2*time.Minute)
	spec.Disturbances = datagen.BadDay()
	spec.Malformed = 0.01
	rows, err := datagen.WriteCSV(io.Discard, spec.Stream())
	require.NoError(t, err)
	require.Equal(t, spec.Events(), rows)
}

func TestRecordingIsSentWhenItWasMeasured(t *testing.T) {
	r := datagen.ReadRecording(strings.NewReader(ourCSV(t)))
	var sent []int64
	var p datagen.Planned
	for r.Next(&p) {
		require.Equal(t, datagen.Clean, p.Kind)
		sent = append(sent, p.Intended-1577836800e9)
	}
	require.NoError(t, r.Err())
	require.False(t, r.Next(&p))
	// The second row shares its instant; the last is older than the one before it.
	require.Equal(t, []int64{0, 1, 0.5e9, 10e9, 10e9 + 1}, sent)
}

func TestRecordingEndsAtTheFirstError(t *testing.T) {
	r := datagen.ReadRecording(strings.NewReader(ourCSV(t) + "oops\n"))
	var p datagen.Planned
	n := 0
	for r.Next(&p) {
		n++
	}
	require.Equal(t, 5, n)
	require.ErrorContains(t, r.Err(), "line 7: 1 columns")
	require.False(t, r.Next(&p))
}

// The published data set, where it is there.
func TestPublishedCSV(t *testing.T) {
	file, err := openPublished()
	if err != nil {
		t.Log("no CSV given")
		return
	}
	defer file.Close()
	r := datagen.ReadRecording(file)
	rows := map[string]int64{}
	var p datagen.Planned
	last := int64(-1)
	for r.Next(&p) {
		require.Equal(t, rows[p.Event.CarID], p.Event.Seq)
		require.Equal(t, p.Event.EventTime, p.Intended/1e6, "append time is event time")
		require.Greater(t, p.Intended, last)
		rows[p.Event.CarID]++
		last = p.Intended
	}
	require.NoError(t, r.Err())
	require.Len(t, rows, 100)
	for car, n := range rows {
		require.EqualValues(t, 100, n, car)
	}
}

func openPublished() (*os.File, error) {
	if path := os.Getenv("LAMBDAKAPPA_CSV"); path != "" {
		return os.Open(path)
	}
	return os.Open("../../shared/data/car-sensor-data.csv")
}

// Ensure that no file makes the reader panic, and that what it takes it also writes: reading that
// again gives the same events.
func FuzzReadCSV(f *testing.F) {
	f.Add([]byte(ourCSV(f)))
	f.Add([]byte(strings.ReplaceAll(ourCSV(f)[:700], "\n", "\r\n")))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := readAll(bytes.NewReader(text))
		if err != nil {
			return
		}
		var file bytes.Buffer
		_, err = datagen.WriteCSV(&file, datagen.ReadRecording(bytes.NewReader(text)))
		require.NoError(t, err)
		again, err := readAll(&file)
		require.NoError(t, err)
		require.Equal(t, all, again)
	})
}

func ExampleReadCSV() {
	file, err := os.Open("testdata/cars.csv")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	for e, err := range datagen.ReadCSV(file) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(e.CarID, e.Seq, e.EventTime, e.Speed)
	}
	// Output:
	// red 0 1577836800000 24.5
	// blue 0 1577836800000 6.5
	// red 1 1577836800500 24.75
	// red 2 1577836810000 24.75
	// blue 1 1577836805000 6.75
}
