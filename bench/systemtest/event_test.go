package systemtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"lambdakappa/bench/oracle"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// midnight of the day that every transcript plays on.
var midnight = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

const clock = "15:04:05"

// instant reads a time of that day, in milliseconds since the epoch.
func instant(text string) (int64, error) {
	t, err := time.Parse(clock, text)
	if err != nil {
		return 0, fmt.Errorf("time %q: want %s", text, clock)
	}
	return midnight.Add(t.Sub(t.Truncate(24 * time.Hour))).UnixMilli(), nil
}

// clockOf writes an instant as instant reads it, with a fraction where there is one.
func clockOf(ms int64) string { return time.UnixMilli(ms).UTC().Format(clock + ".999") }

// A draft is an event as a line of "send" says it.
type draft struct {
	event  event.CarSensor
	append int64
	key    string
	broken string
}

// parseDraft reads "car=a seq=0 t=12:00:03 ..." The other sensors are those of a healthy car.
func parseDraft(line string) (draft, error) {
	d := draft{append: math.MinInt64, event: event.CarSensor{
		CoolantTemp: 90, BatteryPercentage: 50, BatteryVoltage: 240, Speed: 10,
		TirePressure11: 32, TirePressure12: 32, TirePressure21: 32, TirePressure22: 32,
	}}
	for _, field := range strings.Fields(line) {
		name, value, _ := strings.Cut(field, "=")
		if err := d.set(name, value); err != nil {
			return d, fmt.Errorf("line %q: %s: %w", line, name, err)
		}
	}
	if d.append == math.MinInt64 {
		d.append = d.event.EventTime
	}
	if d.key == "" {
		d.key = d.event.CarID
	}
	return d, nil
}

func (d *draft) set(name, value string) (err error) {
	switch name {
	case "car":
		d.event.CarID = value
	case "key":
		d.key = value
	case "broken":
		d.broken = value
	case "seq":
		d.event.Seq, err = strconv.ParseInt(value, 10, 64)
	case "t":
		d.event.EventTime, err = instant(value)
	case "append":
		d.append, err = instant(value)
	default:
		err = d.setSensor(name, value)
	}
	return err
}

// setSensor sets a sensor by its short name; ..._1_1 to ..._2_2 are the corners of the car.
func (d *draft) setSensor(name, value string) error {
	e := &d.event
	tires := map[string]*int32{
		"tire_1_1": &e.TirePressure11, "tire_1_2": &e.TirePressure12,
		"tire_2_1": &e.TirePressure21, "tire_2_2": &e.TirePressure22,
	}
	if tire, known := tires[name]; known {
		n, err := strconv.ParseInt(value, 10, 32)
		*tire = int32(n)
		return err
	}
	sensors := map[string]*float32{
		"speed": &e.Speed, "coolant": &e.CoolantTemp, "vibration": &e.EngineVibrationAmplitude,
		"air":     &e.IntakeAirFlowSpeed,
		"outside": &e.AmbientTemp, //bench:change field
		"voltage": &e.BatteryVoltage, "charge": &e.BatteryPercentage, "current": &e.CurrentDraw,
		"shock_1_1": &e.Accelerometer11, "shock_1_2": &e.Accelerometer12,
		"shock_2_1": &e.Accelerometer21, "shock_2_2": &e.Accelerometer22,
	}
	sensor, known := sensors[name]
	if !known {
		return errors.New("no such field")
	}
	x, err := strconv.ParseFloat(value, 32)
	*sensor = float32(x)
	return err
}

// record encodes the draft, and breaks its bytes if it says so.
func (d *draft) record(encoder *event.Encoder) (eventlog.Record, error) {
	value, err := encoder.Append(nil, &d.event)
	if err != nil {
		return eventlog.Record{}, err
	}
	switch d.broken {
	case "":
	case "magic":
		value[0] = 1
	case "schema":
		value[1] = 0x7f
	case "truncated":
		value = value[:len(value)-3]
	case "trailing":
		value = append(value, 0)
	default:
		return eventlog.Record{}, fmt.Errorf("broken=%s: no such way", d.broken)
	}
	return record(d.key, d.append, value), nil
}

// record is how the generator puts bytes on the log.
func record(key string, appendTime int64, value []byte) eventlog.Record {
	intended := strconv.FormatInt(appendTime*int64(time.Millisecond), 10)
	return eventlog.Record{
		AppendTime: appendTime, Key: []byte(key), Value: value,
		Headers: []eventlog.Header{{Key: eventlog.IntendedHeader, Value: []byte(intended)}},
	}
}

// readLog reads a whole topic. Bytes are copied.
func readLog(ctx context.Context, log *eventlog.Log, topic string) (map[oracle.Position]eventlog.Record, error) {
	ends, err := log.EndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	starts, err := log.StartOffsets(ctx, topic) // compaction may have moved them
	if err != nil {
		return nil, err
	}
	all := map[oracle.Position]eventlog.Record{}
	for partition, end := range ends {
		reader, err := log.Reader(ctx, topic, partition, starts[partition])
		if err != nil {
			return nil, err
		}
		for next := starts[partition]; next < end; {
			batch, err := reader.Read(ctx, time.Second)
			if err != nil {
				return nil, errors.Join(err, reader.Close())
			}
			for _, r := range batch.Records {
				all[oracle.Position{Partition: partition, Offset: r.Offset}] = copyOf(r)
			}
			next = batch.Next
		}
		if err := reader.Close(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// copyOf returns r with bytes of its own: a reader's are valid until its next read.
func copyOf(r eventlog.Record) eventlog.Record {
	r.Key, r.Value = bytes.Clone(r.Key), bytes.Clone(r.Value)
	r.Headers = slices.Clone(r.Headers)
	for i := range r.Headers {
		r.Headers[i].Value = bytes.Clone(r.Headers[i].Value)
	}
	return r
}
