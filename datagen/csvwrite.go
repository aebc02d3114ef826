package datagen

import (
	"bufio"
	"fmt"
	"io"
	"strconv"

	"lambdakappa/event"
)

// WriteCSV writes the readings of src in the format of the published car data set, in the order
// in which they are sent, and returns how many it wrote. The format has no identity, so events
// that come on top of the readings (duplicates, conflicts, malformed) are left out, and a reading
// that was overtaken gets another seq when the file is read again.
func WriteCSV(w io.Writer, src Source) (rows int64, err error) {
	out := bufio.NewWriterSize(w, 1<<16)
	for i, name := range csvColumns {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(name)
	}
	out.WriteByte('\n')
	var p Planned
	var line []byte
	for src.Next(&p) {
		if p.Kind.Extra() {
			continue
		}
		line = appendCSV(line[:0], &p.Event)
		if _, err := out.Write(line); err != nil {
			return rows, fmt.Errorf("write CSV: %w", err)
		}
		rows++
	}
	if err := out.Flush(); err != nil {
		return rows, fmt.Errorf("write CSV: %w", err)
	}
	return rows, nil
}

func appendCSV(line []byte, e *event.CarSensor) []byte {
	line = appendSeconds(line, e.EventTime)
	line = append(append(line, ','), e.CarID...)
	for _, x := range [...]float32{
		e.CoolantTemp, e.IntakeAirTemp, e.IntakeAirFlowSpeed, e.BatteryPercentage,
		e.BatteryVoltage, e.CurrentDraw, e.Speed, e.EngineVibrationAmplitude, e.ThrottlePos,
	} {
		line = appendFloat(line, x)
	}
	for _, n := range [...]int32{e.TirePressure11, e.TirePressure12, e.TirePressure21, e.TirePressure22} {
		line = strconv.AppendInt(append(line, ','), int64(n), 10)
	}
	for _, x := range [...]float32{
		e.Accelerometer11, e.Accelerometer12, e.Accelerometer21, e.Accelerometer22,
	} {
		line = appendFloat(line, x)
	}
	line = strconv.AppendInt(append(line, ','), int64(e.ControlUnitFirmware), 10)
	return append(line, '\n')
}

// appendFloat writes the shortest decimal that reads back as x.
func appendFloat(line []byte, x float32) []byte {
	return strconv.AppendFloat(append(line, ','), float64(x), 'f', -1, 32)
}

// appendSeconds writes ms as epoch seconds, with a fraction only when there is one.
func appendSeconds(line []byte, ms int64) []byte {
	line = strconv.AppendInt(line, ms/1000, 10)
	if rest := ms % 1000; rest != 0 {
		line = append(line, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
	}
	return line
}
