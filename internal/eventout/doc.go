// Package eventout hands events to whoever asked for them: it counts them, or writes them as NDJSON,
// Arrow or Parquet. Its columns are the fields of [event.CarSensor] under their names in the Avro
// schema, whichever these are.
package eventout
