package lambda

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"lambdakappa/event"
	"lambdakappa/view"
)

// A masterRow is one event that decoded and passed the skew guard, duplicates included: the
// master dataset keeps facts, and what they mean is up to the batch layer.
type masterRow struct {
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
}

// newMasterRow is e as it stood on the log at the given offset.
func newMasterRow(e *event.CarSensor, offset, appendTime int64, fingerprint uint32) masterRow {
	return masterRow{
		CarID: e.CarID, Seq: e.Seq, Offset: offset, AppendTime: appendTime,
		EventTime: e.EventTime, Fingerprint: fingerprint,
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

// segmentFacts stand in the metadata of a master file: what its rows do not say, or say only to
// who reads them all.
type segmentFacts struct {
	Partition    int           `json:"partition"`
	First        int64         `json:"first"`
	End          int64         `json:"end"`
	MaxEventTime int64         `json:"max_event_time"` // of the rows; the least int64 when there are none
	NewestAppend int64         `json:"newest_append"`  // of all events, dead letters included
	Counters     view.Counters `json:"counters"`       // events and dead letters
}

// rows is the number of rows: every event that is not a dead letter.
func (f *segmentFacts) rows() int64 {
	n := f.Counters.Events
	for _, dead := range f.Counters.DeadLetters {
		n -= dead
	}
	return n
}

// factsKey is the key of segmentFacts, as JSON, in the Parquet file's metadata.
const factsKey = "segment"

// A segmentWriter writes one master file aside.
type segmentWriter struct {
	facts       segmentFacts
	rows        int
	firstAppend int64 // append time of the first event: it names the folder
	path        string
	file        *os.File
	buffer      *bufio.Writer
	parquet     *parquet.GenericWriter[masterRow]
}

// newSegmentWriter starts the file of partition that begins at offset first.
func (c Config) newSegmentWriter(partition int, first, firstAppend int64) (*segmentWriter, error) {
	if err := os.MkdirAll(c.masterTmp(), 0o755); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(c.masterTmp(), fmt.Sprintf("p%03d-*", partition))
	if err != nil {
		return nil, err
	}
	buffer := bufio.NewWriterSize(file, 1<<16)
	return &segmentWriter{
		facts: segmentFacts{
			Partition: partition, First: first, End: first, MaxEventTime: math.MinInt64,
		},
		firstAppend: firstAppend,
		path:        file.Name(),
		file:        file,
		buffer:      buffer,
		// zstd at its fastest. Its default level takes another half of ingest's CPU for a seventh
		// fewer bytes; snappy takes as much CPU for a seventh more (BenchmarkIngest).
		parquet: parquet.NewGenericWriter[masterRow](buffer,
			parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest})),
	}, nil
}

// write appends rows in log order.
func (w *segmentWriter) write(rows []masterRow) error {
	for i := range rows {
		w.facts.MaxEventTime = max(w.facts.MaxEventTime, rows[i].EventTime)
	}
	w.rows += len(rows)
	_, err := w.parquet.Write(rows)
	return err
}

// errRemoved says that somebody has removed the file before it was published.
var errRemoved = errors.New("somebody removed it while it was written")

// publish completes the file as [First, end) and moves it to its place in the master dataset. It
// fails with errRemoved when the file is no longer there.
func (w *segmentWriter) publish(c Config, end int64) error {
	w.facts.End = end
	facts, err := json.Marshal(w.facts)
	if err != nil {
		return err
	}
	w.parquet.SetKeyValueMetadata(factsKey, string(facts))
	if err := errors.Join(w.parquet.Close(), w.buffer.Flush(), w.file.Close()); err != nil {
		return err
	}
	target := c.segmentPath(w.facts.Partition, w.facts.First, end, w.firstAppend)
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
func (w *segmentWriter) isRemoved() bool {
	_, err := os.Lstat(w.path)
	return errors.Is(err, fs.ErrNotExist)
}

// abandon removes what was written.
func (w *segmentWriter) abandon() error {
	return errors.Join(w.file.Close(), os.Remove(w.path))
}

// facts returns what the metadata of a master file says, checked against its name.
func (s segment) facts(f *parquetFile) (segmentFacts, error) {
	var facts segmentFacts
	text, _ := f.Lookup(factsKey)
	if err := json.Unmarshal([]byte(text), &facts); err != nil {
		return facts, fmt.Errorf("metadata %s: %w", factsKey, err)
	}
	if facts.Partition != s.partition || facts.First != s.first || facts.End != s.end {
		return facts, fmt.Errorf("metadata says partition %d, offsets [%d, %d)",
			facts.Partition, facts.First, facts.End)
	}
	return facts, nil
}
