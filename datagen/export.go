package datagen

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

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

	//bench:change field
	AmbientTemp float32 `parquet:"ambient_temp,optional"` // null when the car does not measure it
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
		AmbientTemp:         e.AmbientTemp, //bench:change field
	}
}
