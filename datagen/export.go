package datagen

import (
	"bufio"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"

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

// A LabelledRow is one event in a Parquet file for other people's tools: the reading, how it was
// sent, and the ground truth that never travels on the log.
type LabelledRow struct {
	CarID                    string  `parquet:"car_id,dict"`
	Seq                      int64   `parquet:"seq"`
	EventTime                int64   `parquet:"event_time,timestamp(millisecond)"`
	Intended                 int64   `parquet:"intended,timestamp(nanosecond)"`
	Kind                     string  `parquet:"kind,dict"`
	Failure                  string  `parquet:"failure,dict"`
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
}

// rowsPerWrite is how many rows go to the Parquet writer at once: it works column by column.
const rowsPerWrite = 1024

// WriteParquet writes the events of src in the order in which they are sent, as [LabelledRow]
// with snappy, and returns how many it wrote. Malformed events have no columns and are left out.
func WriteParquet(w io.Writer, src Source) (rows int64, err error) {
	out := parquet.NewGenericWriter[LabelledRow](w, parquet.Compression(&parquet.Snappy))
	batch := make([]LabelledRow, 0, rowsPerWrite)
	flush := func() error {
		n, err := out.Write(batch)
		rows += int64(n)
		batch = batch[:0]
		return err
	}
	var p Planned
	for err == nil && src.Next(&p) {
		if p.Kind == Malformed {
			continue
		}
		batch = append(batch, labelledRow(&p))
		if len(batch) == rowsPerWrite {
			err = flush()
		}
	}
	if err == nil {
		err = flush()
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		return rows, fmt.Errorf("write parquet: %w", err)
	}
	return rows, nil
}

func labelledRow(p *Planned) LabelledRow {
	e := &p.Event
	return LabelledRow{
		CarID: e.CarID, Seq: e.Seq, EventTime: e.EventTime,
		Intended: p.Intended, Kind: p.Kind.String(), Failure: p.Labels.String(),
		CoolantTemp: e.CoolantTemp, IntakeAirTemp: e.IntakeAirTemp,
		IntakeAirFlowSpeed: e.IntakeAirFlowSpeed, BatteryPercentage: e.BatteryPercentage,
		BatteryVoltage: e.BatteryVoltage, CurrentDraw: e.CurrentDraw,
		Speed: e.Speed, EngineVibrationAmplitude: e.EngineVibrationAmplitude,
		ThrottlePos:    e.ThrottlePos,
		TirePressure11: e.TirePressure11, TirePressure12: e.TirePressure12,
		TirePressure21: e.TirePressure21, TirePressure22: e.TirePressure22,
		Accelerometer11: e.Accelerometer11, Accelerometer12: e.Accelerometer12,
		Accelerometer21: e.Accelerometer21, Accelerometer22: e.Accelerometer22,
		ControlUnitFirmware: e.ControlUnitFirmware,
	}
}
