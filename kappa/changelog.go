package kappa

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// The changelog is the durable form of the state and the view at once. Its records are rows; the
// first byte of the key says which kind. The topic is compacted: the last row of a key stands for
// all before it. A version of the logic has a changelog of its own, so a change of this format
// needs no migration: it is a new version, and a replay.
const (
	windowRow = 'w' // key: start, car_id. value: tally, seen, later metrics
	alertRow  = 'a' // key: seq, car_id. value: alert, input offset
	//bench:change view
	tripKind = 't' // key: start, car_id. value: trip, input offset; nothing: it is gone, see triprows.go
	//bench:change view
	seenKind    = 's' // key: window start, car_id. value: seen, of the trips
	progressRow = 'p' // key: nothing more. value: JSON of progress. The last record of every flush
)

// keyHeader is the length of a row's key without the car_id: the kind and one big-endian int64.
const keyHeader = 1 + 8

// alert is a row of the alerts view with the input offset of its event.
type alert struct {
	view.Alert
	offset int64
}

// A changelogWriter encodes the rows of one flush into memory that it uses again. The records are
// valid until the next reset.
type changelogWriter struct {
	records []eventlog.Record
	buffer  []byte
}

func (c *changelogWriter) reset() { c.records, c.buffer = c.records[:0], c.buffer[:0] }

// add makes a record of what was appended to the buffer since start; the key ends at split.
//
// The buffer may move when it grows: records that are cut from it already keep the old memory.
func (c *changelogWriter) add(start, split int, appendTime int64) {
	c.records = append(c.records, eventlog.Record{
		AppendTime: appendTime,
		Key:        c.buffer[start:split:split],
		Value:      c.buffer[split:len(c.buffer):len(c.buffer)],
	})
}

func (c *changelogWriter) key(kind byte, n int64, car string) (start, split int) {
	start = len(c.buffer)
	c.buffer = append(c.buffer, kind)
	c.buffer = binary.BigEndian.AppendUint64(c.buffer, uint64(n))
	c.buffer = append(c.buffer, car...)
	return start, len(c.buffer)
}

// window appends the row of a window. Readings are not written: they are the number of seen.
func (c *changelogWriter) window(w *window, appendTime int64) {
	start, split := c.key(windowRow, w.start, w.car.id)
	b, t := c.buffer, &w.tally
	b = binary.AppendVarint(b, t.SpeedSum)
	b = binary.AppendVarint(b, t.CurrentDrawSum)
	b = binary.AppendVarint(b, t.Anomalies)
	b = binary.AppendVarint(b, t.LastSeq)
	b = binary.AppendVarint(b, int64(t.TirePressureMin))
	for _, x := range [...]float32{
		t.SpeedMax, t.CoolantTempMax, t.EngineVibrationMax, t.BatteryVoltageMin,
	} {
		b = binary.BigEndian.AppendUint32(b, math.Float32bits(x))
	}
	b = appendReadings(b, w.seen)
	b = appendKnown(b, //bench:change metric encode
		t.IntakeAirFlowMax,
		t.AmbientTempMax, //bench:change field encode
	)
	c.buffer = b
	c.add(start, split, appendTime)
}

// appendReadings appends seen readings. Seqs and offsets are written as distances: a byte or two
// instead of eight.
func appendReadings(b []byte, seen []reading) []byte {
	b = binary.AppendUvarint(b, uint64(len(seen)))
	var last reading
	for _, r := range seen {
		b = binary.AppendVarint(b, r.seq-last.seq)
		b = binary.AppendVarint(b, r.offset-last.offset)
		b = binary.BigEndian.AppendUint32(b, r.fingerprint)
		last = r
	}
	return b
}

// alert appends the row of an alert.
func (c *changelogWriter) alert(a *alert, appendTime int64) {
	start, split := c.key(alertRow, a.Seq, a.CarID)
	b := binary.AppendVarint(c.buffer, a.EventTime)
	b = binary.AppendVarint(b, a.offset)
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(a.Score))
	c.buffer = append(b, byte(a.Rule))
	c.add(start, split, appendTime)
}

// progress appends the record that ends a flush.
func (c *changelogWriter) progress(p progress) error {
	value, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode progress: %w", err)
	}
	start := len(c.buffer)
	c.buffer = append(c.buffer, progressRow)
	split := len(c.buffer)
	c.buffer = append(c.buffer, value...)
	c.add(start, split, p.Newest)
	return nil
}

// errRow is the error of a changelog record that this program did not write.
var errRow = errors.New("not a row of the changelog")

// rowKind returns the kind of a row, 0 when it has none.
func rowKind(r *eventlog.Record) byte {
	if len(r.Key) == 0 {
		return 0
	}
	return r.Key[0]
}

// rowKey splits the key of a window or alert row. The car is a part of the key, not a copy.
func rowKey(r *eventlog.Record) (n int64, car []byte, err error) {
	if len(r.Key) <= keyHeader {
		return 0, nil, errRow
	}
	return int64(binary.BigEndian.Uint64(r.Key[1:])), r.Key[keyHeader:], nil
}

// minReading is the length of the shortest reading in a row: two varints and a fingerprint.
const minReading = 1 + 1 + 4

// readWindow decodes the value of a window row; seen is taken as memory to append to.
func readWindow(value []byte, t *view.Tally, seen []reading) ([]reading, error) {
	f := fields{rest: value}
	t.SpeedSum = f.varint()
	t.CurrentDrawSum = f.varint()
	t.Anomalies = f.varint()
	t.LastSeq = f.varint()
	t.TirePressureMin = int32(f.varint())
	t.SpeedMax = f.float32()
	t.CoolantTempMax = f.float32()
	t.EngineVibrationMax = f.float32()
	t.BatteryVoltageMin = f.float32()
	before := len(seen)
	seen, err := readReadings(&f, seen)
	t.Readings = int64(len(seen) - before)
	t.IntakeAirFlowMax = f.known() //bench:change metric decode
	t.AmbientTempMax = f.known()   //bench:change field decode
	if err == nil && len(f.rest) > 0 {
		err = errRow
	}
	return seen, err
}

// readReadings decodes at least one seen reading; seen is taken as memory to append to.
func readReadings(f *fields, seen []reading) ([]reading, error) {
	n := int64(f.uvarint())
	if most := int64(len(f.rest) / minReading); n <= 0 || n > most {
		return seen, errRow // also keeps garbage from asking for memory
	}
	seen = slices.Grow(seen, int(n))
	var last reading
	for i := int64(0); i < n && !f.short; i++ {
		last.seq += f.varint()
		last.offset += f.varint()
		last.fingerprint = f.uint32()
		seen = append(seen, last)
	}
	if f.short {
		return seen, errRow
	}
	return seen, nil
}

// readAlert decodes the value of an alert row; the key is the caller's.
func readAlert(value []byte, a *alert) error {
	f := fields{rest: value}
	a.EventTime = f.varint()
	a.offset = f.varint()
	a.Score = math.Float64frombits(f.uint64())
	a.Rule = view.Rule(f.byte())
	if f.short || len(f.rest) > 0 {
		return errRow
	}
	return nil
}

// readProgress decodes a progress record.
func readProgress(value []byte) (progress, error) {
	p := progress{Watermark: event.NoWatermark}
	if err := json.Unmarshal(value, &p); err != nil {
		return p, fmt.Errorf("decode progress: %w", err)
	}
	return p, nil
}
