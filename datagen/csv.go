package datagen

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"
	"unicode/utf8"

	"lambdakappa/event"
)

// csvColumns are the columns of the published car data set, in its order: the time in epoch
// seconds, the car, and the 18 sensor fields.
var csvColumns = [...]string{
	"time", "car", "coolant_temp", "intake_air_temp", "intake_air_flow_speed",
	"battery_percentage", "battery_voltage", "current_draw", "speed",
	"engine_vibration_amplitude", "throttle_pos",
	"tire_pressure_1_1", "tire_pressure_1_2", "tire_pressure_2_1", "tire_pressure_2_2",
	"accelerometer_1_1_value", "accelerometer_1_2_value",
	"accelerometer_2_1_value", "accelerometer_2_2_value", "control_unit_firmware",
}

// maxCSVLine bounds a line; a longer one is no car data. Real lines have about 200 bytes.
const maxCSVLine = 64 << 10

// A CSVError is a place in a CSV file that cannot be read.
type CSVError struct {
	Line   int    // from 1: the header
	Column string // name of the column; "" when the line as a whole is at fault
	Value  string
	Takes  string // what would be right
}

func (e *CSVError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("line %d: %s: must be %s", e.Line, e.Value, e.Takes)
	}
	return fmt.Sprintf("line %d, column %s: %q: must be %s", e.Line, e.Column, e.Value, e.Takes)
}

// ReadCSV reads events in the format of the published car data set (K. Waehner's HiveMQ/Kafka
// demo): a header and 20 columns, unquoted, lines ending in \n or \r\n, fractions of a second
// allowed. seq is the rank of the row within its car. The sequence ends at the first error, a
// [*CSVError] when it is the file's.
//
// Values are not judged: what the file says is what was measured. Only what an event cannot
// carry is an error.
func ReadCSV(r io.Reader) iter.Seq2[event.CarSensor, error] {
	return func(yield func(event.CarSensor, error) bool) {
		c := newCSVReader(r)
		for {
			e, err := c.read()
			if err == io.EOF {
				return
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

type csvReader struct {
	lines *bufio.Scanner
	line  int // that was read last; 0 before the header
	cars  map[string]*recordedCar

	fields [len(csvColumns)][]byte
	column int       // that is parsed next
	err    *CSVError // the first of the row
}

// A recordedCar is one car of the file; rows share its name.
type recordedCar struct {
	id   string
	rows int64
}

func newCSVReader(r io.Reader) *csvReader {
	c := &csvReader{lines: bufio.NewScanner(r), cars: map[string]*recordedCar{}}
	c.lines.Buffer(nil, maxCSVLine)
	return c
}

// read returns the next event, or io.EOF.
func (c *csvReader) read() (event.CarSensor, error) {
	if c.line == 0 {
		if err := c.header(); err != nil {
			return event.CarSensor{}, err
		}
	}
	if err := c.next(); err != nil {
		return event.CarSensor{}, err
	}
	return c.row()
}

// next finds the fields of the next line that is not empty.
func (c *csvReader) next() error {
	// A reader that failed hands out what it has of a line: that is no row.
	for c.lines.Scan() && c.lines.Err() == nil {
		c.line++
		if line := c.lines.Bytes(); len(line) > 0 {
			return c.split(line)
		}
	}
	switch err := c.lines.Err(); {
	case err == nil:
		return io.EOF
	case errors.Is(err, bufio.ErrTooLong):
		return &CSVError{
			Line: c.line + 1, Value: "a longer line",
			Takes: fmt.Sprintf("at most %d bytes", maxCSVLine),
		}
	default:
		return fmt.Errorf("read line %d: %w", c.line+1, err)
	}
}

func (c *csvReader) split(line []byte) error {
	if n := bytes.Count(line, []byte{','}) + 1; n != len(csvColumns) {
		return &CSVError{
			Line: c.line, Value: fmt.Sprintf("%d columns", n),
			Takes: fmt.Sprintf("%d columns, from %s to %s",
				len(csvColumns), csvColumns[0], csvColumns[len(csvColumns)-1]),
		}
	}
	for i := range c.fields {
		c.fields[i], line, _ = bytes.Cut(line, []byte{','})
	}
	return nil
}

func (c *csvReader) header() error {
	if err := c.next(); err == io.EOF {
		return &CSVError{Line: 1, Value: "an empty file", Takes: "a header and rows"}
	} else if err != nil {
		return err
	}
	for i, name := range csvColumns {
		if string(c.fields[i]) != name {
			return &CSVError{c.line, name, string(c.fields[i]), "the header " + name}
		}
	}
	return nil
}

// row parses the fields of a line.
func (c *csvReader) row() (event.CarSensor, error) {
	c.column, c.err = 0, nil
	e := event.CarSensor{EventTime: c.time()}
	car := c.car()
	e.CarID, e.Seq = car.id, car.rows
	e.CoolantTemp, e.IntakeAirTemp, e.IntakeAirFlowSpeed = c.float(), c.float(), c.float()
	e.BatteryPercentage, e.BatteryVoltage, e.CurrentDraw = c.float(), c.float(), c.float()
	e.Speed, e.EngineVibrationAmplitude, e.ThrottlePos = c.float(), c.float(), c.float()
	e.TirePressure11, e.TirePressure12 = c.int(), c.int()
	e.TirePressure21, e.TirePressure22 = c.int(), c.int()
	e.Accelerometer11, e.Accelerometer12 = c.float(), c.float()
	e.Accelerometer21, e.Accelerometer22 = c.float(), c.float()
	e.ControlUnitFirmware = c.int()
	if c.err != nil {
		return event.CarSensor{}, c.err
	}
	car.rows++
	return e, nil
}

// field returns the next field of the row.
func (c *csvReader) field() []byte {
	c.column++
	return c.fields[c.column-1]
}

// wrong notes the first field of the row that cannot be read.
func (c *csvReader) wrong(takes string) {
	if c.err == nil {
		c.err = &CSVError{c.line, csvColumns[c.column-1], string(c.fields[c.column-1]), takes}
	}
}

func (c *csvReader) car() *recordedCar {
	name := c.field()
	if car := c.cars[string(name)]; car != nil {
		return car
	}
	if len(name) == 0 || !utf8.Valid(name) {
		c.wrong("the name of a car in UTF-8")
	}
	car := &recordedCar{id: string(name)}
	c.cars[car.id] = car
	return car
}

// float reads a number as it was measured, but no NaN: it would not be a row but a hole in it.
func (c *csvReader) float() float32 {
	x, err := strconv.ParseFloat(string(c.field()), 32)
	if err != nil || !(math.Abs(x) < event.MaxMagnitude) {
		c.wrong(fmt.Sprintf("a number below %d", event.MaxMagnitude))
	}
	return float32(x)
}

func (c *csvReader) int() int32 {
	n, err := strconv.ParseInt(string(c.field()), 10, 32)
	if err != nil {
		c.wrong("a whole number")
	}
	return int32(n)
}

// maxSeconds is the begin of the year 2262, in which int64 runs out of nanoseconds.
const maxSeconds = 9_214_646_400

// time reads epoch seconds with up to three decimals as milliseconds.
func (c *csvReader) time() int64 {
	whole, fraction, point := bytes.Cut(c.field(), []byte{'.'})
	seconds, err := strconv.ParseUint(string(whole), 10, 63)
	if err != nil || seconds >= maxSeconds || len(fraction) > 3 || point && len(fraction) == 0 {
		c.wrong("epoch seconds, e.g. 1567606196 or 1567606196.25")
		return 0
	}
	ms := int64(seconds)
	for i := range 3 {
		digit := byte('0')
		if i < len(fraction) {
			digit = fraction[i]
		}
		if digit < '0' || digit > '9' {
			c.wrong("epoch seconds, e.g. 1567606196 or 1567606196.25")
			return 0
		}
		ms = ms*10 + int64(digit-'0')
	}
	return ms
}
