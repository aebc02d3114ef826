//bench:only kappa-archived
package kappa

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"lambdakappa/event"
	"lambdakappa/view"
)

// An archiveRow is one event that decoded and passed the skew guard, duplicates and latecomers
// included. The layout is agreed upon: see docs/archive-layout.md.
type archiveRow struct {
	CarID       string `parquet:"car_id,dict"`
	Seq         int64  `parquet:"seq"`
	Offset      int64  `parquet:"offset,delta"`
	AppendTime  int64  `parquet:"append_time,delta"`
	EventTime   int64  `parquet:"event_time"`
	Fingerprint uint32 `parquet:"fingerprint"`

	CoolantTemp              float32 `parquet:"coolant_temp"`
	IntakeAirTemp            float32 `parquet:"intake_air_temp"`
	IntakeAirFlowSpeed       float32 `parquet:"intake_air_flow_speed"`
	BatteryPercentage        float32 `parquet:"battery_percentage"`
	BatteryVoltage           float32 `parquet:"battery_voltage"`
	CurrentDraw              float32 `parquet:"current_draw"`
	Speed                    float32 `parquet:"speed"`
	EngineVibrationAmplitude float32 `parquet:"engine_vibration_amplitude"`
	ThrottlePos              float32 `parquet:"throttle_pos"`
	TirePressure11           int32   `parquet:"tire_pressure_1_1"`
	TirePressure12           int32   `parquet:"tire_pressure_1_2"`
	TirePressure21           int32   `parquet:"tire_pressure_2_1"`
	TirePressure22           int32   `parquet:"tire_pressure_2_2"`
	Accelerometer11          float32 `parquet:"accelerometer_1_1_value"`
	Accelerometer12          float32 `parquet:"accelerometer_1_2_value"`
	Accelerometer21          float32 `parquet:"accelerometer_2_1_value"`
	Accelerometer22          float32 `parquet:"accelerometer_2_2_value"`
	ControlUnitFirmware      int32   `parquet:"control_unit_firmware"`

	// Fields that came later: null where nothing is known. Files may lack the column.
	AmbientTemp float32 `parquet:"ambient_temp,optional"` //bench:change field store

	// Intended is the intended send time, Unix ns; 0 when the event had none. Lambda's master
	// dataset has no such column: only who republishes needs it.
	Intended int64 `parquet:"intended,delta"`
}

// newArchiveRow is e as it stood on the log at the given offset.
func newArchiveRow(
	e *event.CarSensor, offset, appendTime, intended int64, fingerprint uint32,
) archiveRow {
	return archiveRow{
		CarID: e.CarID, Seq: e.Seq, Offset: offset, AppendTime: appendTime,
		EventTime: e.EventTime, Fingerprint: fingerprint, Intended: intended,
		CoolantTemp: e.CoolantTemp, IntakeAirTemp: e.IntakeAirTemp,
		IntakeAirFlowSpeed: e.IntakeAirFlowSpeed, BatteryPercentage: e.BatteryPercentage,
		BatteryVoltage: e.BatteryVoltage, CurrentDraw: e.CurrentDraw, Speed: e.Speed,
		EngineVibrationAmplitude: e.EngineVibrationAmplitude, ThrottlePos: e.ThrottlePos,
		TirePressure11: e.TirePressure11, TirePressure12: e.TirePressure12,
		TirePressure21: e.TirePressure21, TirePressure22: e.TirePressure22,
		Accelerometer11: e.Accelerometer11, Accelerometer12: e.Accelerometer12,
		Accelerometer21: e.Accelerometer21, Accelerometer22: e.Accelerometer22,
		ControlUnitFirmware: e.ControlUnitFirmware,
		AmbientTemp:         e.AmbientTemp, //bench:change field store
	}
}

// segmentFacts stand in the metadata of a file of events: what its rows do not say, or say only to
// who reads them all.
type segmentFacts struct {
	Partition    int           `json:"partition"`
	First        int64         `json:"first"`
	End          int64         `json:"end"`
	MaxEventTime int64         `json:"max_event_time"` // of the rows; the least int64 when there are none
	NewestAppend int64         `json:"newest_append"`  // of all events, dead letters included
	Counters     view.Counters `json:"counters"`       // events and dead letters
}

// factsKey is the key of segmentFacts, as JSON, in the Parquet file's metadata.
const factsKey = "segment"

// check compares the facts with the name of the file that they are from.
func (f *segmentFacts) check(s segment) error {
	if f.Partition != s.partition || f.First != s.first || f.End != s.end {
		return fmt.Errorf("metadata says partition %d, offsets [%d, %d)", f.Partition, f.First, f.End)
	}
	return nil
}

// readFacts reads what the metadata of a file says.
func readFacts(f *parquet.File, facts any) error {
	text, _ := f.Lookup(factsKey)
	if err := json.Unmarshal([]byte(text), facts); err != nil {
		return fmt.Errorf("metadata %s: %w", factsKey, err)
	}
	return nil
}

// withArchiveFile opens a file for the time of read.
func withArchiveFile(path string, read func(f *parquet.File) error) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	// The page index and bloom filters help who looks for a few rows; we read all of them.
	f, err := parquet.OpenFile(file, info.Size(), parquet.SkipPageIndex(true),
		parquet.SkipBloomFilters(true), parquet.ReadBufferSize(readBufferBytes))
	if err != nil {
		return err
	}
	return read(f)
}

// readBufferBytes is per column; a page of a column of 4 bytes compresses to about this much.
const readBufferBytes = 64 << 10

// An archiveWriter writes one file aside.
type archiveWriter[Row any] struct {
	rows    int
	path    string
	file    *os.File
	buffer  *bufio.Writer
	parquet *parquet.GenericWriter[Row]
}

// newArchiveWriter starts a file whose name begins with prefix until it is published.
func newArchiveWriter[Row any](c Config, prefix string) (*archiveWriter[Row], error) {
	if err := os.MkdirAll(c.archiveTmp(), 0o755); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(c.archiveTmp(), prefix+"*")
	if err != nil {
		return nil, err
	}
	buffer := bufio.NewWriterSize(file, 1<<16)
	return &archiveWriter[Row]{
		path:   file.Name(),
		file:   file,
		buffer: buffer,
		// zstd at its fastest, as Lambda's ingest: the bytes of the two are compared.
		parquet: parquet.NewGenericWriter[Row](buffer,
			parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest})),
	}, nil
}

// write appends rows.
func (w *archiveWriter[Row]) write(rows []Row) error {
	w.rows += len(rows)
	_, err := w.parquet.Write(rows)
	return err
}

// errRemoved says that somebody has removed the file before it was published.
var errRemoved = errors.New("somebody removed it while it was written")

// publish completes the file, with facts in its metadata, and moves it to target. It fails with
// errRemoved when the file is no longer there.
func (w *archiveWriter[Row]) publish(c Config, facts any, target string) error {
	text, err := json.Marshal(facts)
	if err != nil {
		return err
	}
	w.parquet.SetKeyValueMetadata(factsKey, string(text))
	if err := errors.Join(w.parquet.Close(), w.buffer.Flush(), w.file.Close()); err != nil {
		return err
	}
	err = c.publishFile(w.path, target)
	if errors.Is(err, fs.ErrNotExist) && w.isRemoved() {
		err = fmt.Errorf("%w: %w", errRemoved, err)
	}
	if err != nil {
		return fmt.Errorf("publish %s: %w", filepath.Base(target), err)
	}
	return nil
}

// isRemoved tells a file that is gone from a folder at its target that is.
func (w *archiveWriter[Row]) isRemoved() bool {
	_, err := os.Lstat(w.path)
	return errors.Is(err, fs.ErrNotExist)
}

// abandon removes what was written.
func (w *archiveWriter[Row]) abandon() error {
	return errors.Join(w.file.Close(), os.Remove(w.path))
}
