//bench:only kappa-archived
package kappa

import (
	"errors"
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"

	"lambdakappa/event"
)

// An archivedEvent is a row of the archive as it is read.
type archivedEvent struct {
	event.CarSensor
	Offset      int64 // on the log
	AppendTime  int64 // Unix ms
	Intended    int64 // Unix ns; 0 when it is not known
	Fingerprint uint32
}

// columns are those of a file of events, and where their values go. Cars have a dictionary: see
// archiveReader.
func (e *archivedEvent) columns() []archiveColumn {
	return []archiveColumn{
		{"seq", &e.Seq},
		{"offset", &e.Offset},
		{"append_time", &e.AppendTime},
		{"event_time", &e.EventTime},
		{"fingerprint", &e.Fingerprint},
		{"coolant_temp", &e.CoolantTemp},
		{"intake_air_temp", &e.IntakeAirTemp},
		{"intake_air_flow_speed", &e.IntakeAirFlowSpeed},
		{"battery_percentage", &e.BatteryPercentage},
		{"battery_voltage", &e.BatteryVoltage},
		{"current_draw", &e.CurrentDraw},
		{"speed", &e.Speed},
		{"engine_vibration_amplitude", &e.EngineVibrationAmplitude},
		{"throttle_pos", &e.ThrottlePos},
		{"tire_pressure_1_1", &e.TirePressure11},
		{"tire_pressure_1_2", &e.TirePressure12},
		{"tire_pressure_2_1", &e.TirePressure21},
		{"tire_pressure_2_2", &e.TirePressure22},
		{"accelerometer_1_1_value", &e.Accelerometer11},
		{"accelerometer_1_2_value", &e.Accelerometer12},
		{"accelerometer_2_1_value", &e.Accelerometer21},
		{"accelerometer_2_2_value", &e.Accelerometer22},
		{"control_unit_firmware", &e.ControlUnitFirmware},
		{"ambient_temp", &e.AmbientTemp}, //bench:change field load
		{"intended", &e.Intended},
	}
}

type archiveColumn struct {
	name string
	to   any // *int64, *int32, *uint32 or *float32
}

// laterColumns are those that a file may lack: their fields stay zero.
var laterColumns = []string{
	"ambient_temp", //bench:change field load
	"intended",     // Lambda's files have none
}

// An archiveReader reads files of events: columns, page by page, without copying values. Events are
// made of them one by one, and nothing is allocated for a row.
type archiveReader struct {
	rows    int           // of the run that is being read: see event
	current archivedEvent // where the fields lead to

	cursors  []*columnCursor
	int64s   []field[int64]
	int32s   []field[int32]
	uint32s  []field[uint32]
	float32s []field[float32]
	car      field[int32]      // indices of cars
	cars     []string          // the dictionary of the row group
	known    map[string]string // cars that were met in any file
}

func newArchiveReader() *archiveReader { return &archiveReader{known: map[string]string{}} }

// rowsPerRun is how many rows are handed on at once, at most: about 0.5 ms of work.
const rowsPerRun = 512

// event returns row i of the run. It is valid until the next call.
func (r *archiveReader) event(i int) *archivedEvent {
	set(r.int64s, i)
	set(r.int32s, i)
	set(r.uint32s, i)
	set(r.float32s, i)
	r.current.CarID = r.cars[r.car.values[i]]
	return &r.current
}

// read hands the rows of a file on in log order: it calls each for every run of rows. The facts are
// there before the first.
//
// A file that was damaged behind our back may make the decoder panic: that is an error like any
// other damage.
func (r *archiveReader) read(s segment, facts *segmentFacts, each func() error) error {
	return withArchiveFile(s.path, func(f *parquet.File) error {
		if err := readFacts(f, facts); err != nil {
			return err
		}
		if err := facts.check(s); err != nil {
			return err
		}
		for _, group := range f.RowGroups() {
			if err := r.readGroup(group, each); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *archiveReader) readGroup(group parquet.RowGroup, each func() error) (err error) {
	defer func() {
		for _, c := range r.cursors {
			err = errors.Join(err, c.close())
		}
	}()
	if err := r.open(group); err != nil {
		return err
	}
	for left := int(group.NumRows()); left > 0; left -= r.rows {
		if err := r.next(min(left, rowsPerRun)); err != nil {
			return err
		}
		if err := each(); err != nil {
			return err
		}
	}
	return nil
}

// open begins at the first row of a group.
func (r *archiveReader) open(group parquet.RowGroup) error {
	*r = archiveReader{cars: r.cars[:0], known: r.known}
	car, err := r.cursor(group, "car_id")
	if err != nil {
		return err
	}
	r.car.cursor = car
	for _, c := range r.current.columns() {
		if err := r.bind(group, c.name, c.to); err != nil {
			return err
		}
	}
	return nil
}

// cursor opens a column; nil for a later one that is not there.
func (r *archiveReader) cursor(group parquet.RowGroup, name string) (*columnCursor, error) {
	c := newColumnCursor(group, name)
	switch {
	case c != nil:
		r.cursors = append(r.cursors, c)
	case !slices.Contains(laterColumns, name):
		return nil, fmt.Errorf("column %s is missing", name)
	}
	return c, nil
}

// bind makes the values of a column go to a field.
func (r *archiveReader) bind(group parquet.RowGroup, name string, to any) error {
	cursor, err := r.cursor(group, name)
	if cursor == nil {
		return err
	}
	switch to := to.(type) {
	case *int64:
		r.int64s = append(r.int64s, field[int64]{cursor: cursor, to: to})
	case *int32:
		r.int32s = append(r.int32s, field[int32]{cursor: cursor, to: to})
	case *uint32:
		r.uint32s = append(r.uint32s, field[uint32]{cursor: cursor, to: to})
	case *float32:
		r.float32s = append(r.float32s, field[float32]{cursor: cursor, to: to})
	}
	return nil
}

// next goes to the next run: at most that many rows, and none beyond the end of any page.
func (r *archiveReader) next(most int) (err error) {
	defer func() {
		if damage := recover(); damage != nil {
			err = fmt.Errorf("damaged: %v", damage)
		}
	}()
	r.rows = most
	for _, c := range r.cursors {
		if err := c.fill(); err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
		r.rows = min(r.rows, c.left())
	}
	if len(r.cars) == 0 {
		if r.cars, err = r.car.cursor.readWords(r.cars, r.known); err != nil {
			return err
		}
	}
	r.car.cut(r.rows, (*encoding.Values).Int32)
	cut(r.int64s, r.rows, (*encoding.Values).Int64)
	cut(r.int32s, r.rows, (*encoding.Values).Int32)
	cut(r.uint32s, r.rows, (*encoding.Values).Uint32)
	cut(r.float32s, r.rows, (*encoding.Values).Float)
	for _, c := range r.cursors {
		c.taken += r.rows
	}
	return nil
}
