package event

// CarSensor is one reading of one car. Its identity is (CarID, Seq); everything else is content.
//
// The 18 sensor fields are those of the published car data set (K. Waehner's HiveMQ/Kafka demo),
// in its order. Corners are numbered axle_side: 1_1 front left, 1_2 front right, 2_1 back left,
// 2_2 back right.
type CarSensor struct {
	CarID     string `avro:"car_id"`     // key on the log, e.g. "car-00042"; never empty
	Seq       int64  `avro:"seq"`        // per car, from 0, no gaps at the source
	EventTime int64  `avro:"event_time"` // when it was measured, Unix milliseconds

	CoolantTemp              float32 `avro:"coolant_temp"`               // degrees C
	IntakeAirTemp            float32 `avro:"intake_air_temp"`            // degrees C
	IntakeAirFlowSpeed       float32 `avro:"intake_air_flow_speed"`      // g/s
	BatteryPercentage        float32 `avro:"battery_percentage"`         // 0..100 %
	BatteryVoltage           float32 `avro:"battery_voltage"`            // V
	CurrentDraw              float32 `avro:"current_draw"`               // A
	Speed                    float32 `avro:"speed"`                      // m/s
	EngineVibrationAmplitude float32 `avro:"engine_vibration_amplitude"` // mV (piezo)
	ThrottlePos              float32 `avro:"throttle_pos"`               // 0..1
	TirePressure11           int32   `avro:"tire_pressure_1_1"`          // psi
	TirePressure12           int32   `avro:"tire_pressure_1_2"`          // psi
	TirePressure21           int32   `avro:"tire_pressure_2_1"`          // psi
	TirePressure22           int32   `avro:"tire_pressure_2_2"`          // psi
	Accelerometer11          float32 `avro:"accelerometer_1_1_value"`    // m/s²
	Accelerometer12          float32 `avro:"accelerometer_1_2_value"`    // m/s²
	Accelerometer21          float32 `avro:"accelerometer_2_1_value"`    // m/s²
	Accelerometer22          float32 `avro:"accelerometer_2_2_value"`    // m/s²
	ControlUnitFirmware      int32   `avro:"control_unit_firmware"`      // increasing version

	// Fields that came later. 0 says that nothing is known: the source does not measure it.
	//
	//bench:change field schema
	AmbientTemp float32 `avro:"ambient_temp"` // K, so that 0 is no temperature
}

// Schemas are the versions of CarSensor's Avro schema, the oldest first, as they are registered under
// [Subject]. Each can be read as any other: what a version adds has a default.
var Schemas = [...]string{
	Schema,
	Schema2, //bench:change field schema
}

// Schema is the first version.
const Schema = schemaFields + `
  ]
}`

// Schema2 adds the temperature outside. In a pilot the field had another name, which stays readable.
//
//bench:change field schema
const Schema2 = schemaFields + `,
    {"name": "ambient_temp", "type": "float", "default": 0, "aliases": ["outside_temp"]}
  ]
}`

// schemaFields are the fields that every version has.
const schemaFields = `{
  "type": "record", "name": "CarSensor", "namespace": "cars",
  "fields": [
    {"name": "car_id", "type": "string"},
    {"name": "seq", "type": "long"},
    {"name": "event_time", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "coolant_temp", "type": "float"},
    {"name": "intake_air_temp", "type": "float"},
    {"name": "intake_air_flow_speed", "type": "float"},
    {"name": "battery_percentage", "type": "float"},
    {"name": "battery_voltage", "type": "float"},
    {"name": "current_draw", "type": "float"},
    {"name": "speed", "type": "float"},
    {"name": "engine_vibration_amplitude", "type": "float"},
    {"name": "throttle_pos", "type": "float"},
    {"name": "tire_pressure_1_1", "type": "int"},
    {"name": "tire_pressure_1_2", "type": "int"},
    {"name": "tire_pressure_2_1", "type": "int"},
    {"name": "tire_pressure_2_2", "type": "int"},
    {"name": "accelerometer_1_1_value", "type": "float"},
    {"name": "accelerometer_1_2_value", "type": "float"},
    {"name": "accelerometer_2_1_value", "type": "float"},
    {"name": "accelerometer_2_2_value", "type": "float"},
    {"name": "control_unit_firmware", "type": "int"}`

// Subject is the schema registry's name for [Schemas] (Confluent's TopicNameStrategy for "cars").
const Subject = "cars-value"
