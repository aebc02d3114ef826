package bench

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchfmt"

	"lambdakappa/bench/result"
	"lambdakappa/view"
)

var noon = time.Date(2026, 11, 22, 23, 30, 0, 0, time.UTC)

// Ensure that nothing is ever overwritten and that latest leads to the newest.
func TestFolder(t *testing.T) {
	out := t.TempDir()
	first, err := newFolder(out, "quick", noon)
	require.NoError(t, err)
	require.NoError(t, first.write("views/a.txt", []byte("a")))
	require.NoError(t, first.markLatest())
	second, err := newFolder(out, "quick", noon)
	require.NoError(t, err)
	require.NoError(t, second.markLatest())

	require.Equal(t, "20261122T233000Z-quick", first.name)
	require.Equal(t, "20261122T233000Z-quick-2", second.name)
	latest, err := os.Readlink(filepath.Join(out, "latest"))
	require.NoError(t, err)
	require.Equal(t, second.name, latest)
	require.FileExists(t, filepath.Join(first.path, "views", "a.txt"))
}

// Ensure that a results folder that cannot be written is named, with what to do. A file in its
// place stands for every reason: tests may run as root, whom no permission stops.
func TestFolderCannotBeWritten(t *testing.T) {
	out := filepath.Join(t.TempDir(), "results")
	require.NoError(t, os.WriteFile(out, nil, 0o644))
	_, err := newFolder(out, "quick", noon)
	require.ErrorContains(t, err, "create results folder")
	require.ErrorContains(t, err, "--out")

	o := DefaultOptions()
	o.Out = out
	_, err = Run(t.Context(), o)
	require.ErrorContains(t, err, "--out")
}

// Ensure that the windows view is left with exactly the documented columns and the served values.
func TestWindowsAsParquet(t *testing.T) {
	w := view.Window{
		WindowKey: view.WindowKey{CarID: "car-00001", Start: 20_000},
		Tally: view.Tally{
			Readings: 4, SpeedSum: 10 << 24, SpeedMax: 5, CoolantTempMax: 90, EngineVibrationMax: 700,
			TirePressureMin: 28, BatteryVoltageMin: 230, CurrentDrawSum: 2 << 24, Anomalies: 1, LastSeq: 39,
		},
	}
	earlier := w
	earlier.Start = 10_000
	raw, err := encodeWindows([]view.Window{w, earlier})
	require.NoError(t, err)

	f, err := parquet.OpenFile(bytes.NewReader(raw), int64(len(raw)))
	require.NoError(t, err)
	var names []string
	for _, field := range f.Schema().Fields() {
		names = append(names, field.Name())
	}
	require.Equal(t, []string{
		"car_id", "window_start", "readings", "speed_mean", "speed_max", "coolant_temp_max",
		"engine_vibration_max", "tire_pressure_min", "battery_voltage_min", "current_draw_mean",
		"anomalies", "last_seq", "intake_air_flow_max", "ambient_temp_max",
	}, names)
	rows, err := parquet.Read[windowRow](bytes.NewReader(raw), int64(len(raw)))
	require.NoError(t, err)
	require.EqualValues(t, 10_000, rows[0].WindowStart, "sorted by key")
	require.Equal(t, windowRow{
		CarID: "car-00001", WindowStart: 20_000, Readings: 4, SpeedMean: 2.5, SpeedMax: 5,
		CoolantTempMax: 90, EngineVibrationMax: 700, TirePressureMin: 28, BatteryVoltageMin: 230,
		CurrentDrawMean: 0.5, Anomalies: 1, LastSeq: 39,
	}, rows[1])
}

// Ensure that samples.txt is what benchstat reads, and holds right runs only.
func TestSamples(t *testing.T) {
	f, err := newFolder(t.TempDir(), "quick", noon)
	require.NoError(t, err)
	ms := 12.5
	run := func(arm, phase string, ok bool, void string) result.Run {
		return result.Run{
			Scenario: "replay", Arm: arm, Phase: phase, OK: ok, Void: void, EventsPerSecond: 1e6,
			LatencyMs: &result.Latencies{Visible: result.Quantiles{P50: &ms}},
		}
	}
	require.NoError(t, f.writeSamples(&result.Summary{
		Machine: result.Machine{OS: "linux", Arch: "amd64", CPU: "some cpu", Cores: 2},
		Runs: []result.Run{
			run("lambda", "log_to_served", true, ""), run("kappa", "replay", true, ""),
			run("kappa", "replay", false, ""), run("kappa", "replay", true, "too slow"),
		},
	}))
	file, err := os.Open(filepath.Join(f.path, "samples.txt"))
	require.NoError(t, err)
	defer file.Close()

	var names []string
	reader := benchfmt.NewReader(file, "samples.txt")
	for reader.Scan() {
		r, ok := reader.Result().(*benchfmt.Result)
		require.True(t, ok, "%v", reader.Result())
		names = append(names, string(r.Name.Full()))
		value, ok := r.Value("visible-p50-ms")
		require.True(t, ok)
		require.Equal(t, 12.5, value)
	}
	require.NoError(t, reader.Err())
	require.Equal(t, []string{"Replay/phase=reprocess/arch=lambda-2", "Replay/phase=reprocess/arch=kappa-2"}, names)
}
