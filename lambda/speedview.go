package lambda

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// The speed view on its way to serving. Its topic holds the rows of several generations side by
// side; the first byte of a record's key says what it is, and the generation follows. The topic
// is compacted: the last row of a key stands for all before it.
//
// A build is one way through a generation, from its boundary on. It appends a begin record, and
// then at every flush the rows that have changed and one progress record. A generation is built
// again after every crash. Its rows are the same function of the log, so rows of several builds
// may mix; but *complete* is a generation only for who has seen a build of it from its begin
// record on, and progress says of which build it is.
const (
	beginRow  = 'b' // key: generation. value: nothing
	windowRow = 'w' // key: generation, start, car_id. value: covered, tally, seqs, later metrics
	//bench:change view
	tripKind    = 't' // key: generation, start, car_id. value: covered, trip; nothing: it is gone
	alertRow    = 'a' // key: generation, seq, car_id. value: alert, input offset
	progressRow = 'p' // key: generation. value: JSON of progress. The last record of every flush
)

// A speedRow is a decoded record of the speed view: window, trip or alert, or neither.
type speedRow struct {
	kind byte
	car  []byte // part of the record, not a copy

	covered int64 // the input position that a window's row reflects
	start   int64
	tally   view.Tally
	seqs    seqSet // of the readings in tally

	trip view.Stretch //bench:change view
	//bench:change view
	gone bool // the trip is no row any more

	alert  view.Alert // without CarID
	offset int64      // of the alert's event in the input
}

// A speedViewWriter encodes the rows of one flush into memory that it uses again. The records are
// valid until the next reset.
type speedViewWriter struct {
	generation int64
	records    []eventlog.Record
	buffer     []byte
}

func (s *speedViewWriter) reset() { s.records, s.buffer = s.records[:0], s.buffer[:0] }

// key appends the head of a key; the caller appends the rest, then the value, and calls add.
func (s *speedViewWriter) key(kind byte) (start int) {
	start = len(s.buffer)
	s.buffer = append(s.buffer, kind)
	s.buffer = binary.BigEndian.AppendUint64(s.buffer, uint64(s.generation))
	return start
}

func (s *speedViewWriter) rowKey(kind byte, n int64, car string) (start, split int) {
	start = s.key(kind)
	s.buffer = binary.BigEndian.AppendUint64(s.buffer, uint64(n))
	s.buffer = append(s.buffer, car...)
	return start, len(s.buffer)
}

// add makes a record of what was appended to the buffer since start; the key ends at split.
//
// The buffer may move when it grows: records that are cut from it already keep the old memory.
func (s *speedViewWriter) add(start, split int, appendTime int64) {
	s.records = append(s.records, eventlog.Record{
		AppendTime: appendTime,
		Key:        s.buffer[start:split:split],
		Value:      s.buffer[split:len(s.buffer):len(s.buffer)],
	})
}

// begin appends the record that begins a build.
func (s *speedViewWriter) begin() {
	start := s.key(beginRow)
	s.add(start, len(s.buffer), 0)
}

// window appends the row of a window as it is at position covered.
func (s *speedViewWriter) window(w *speedWindow, covered, appendTime int64) {
	start, split := s.rowKey(windowRow, w.start, w.car.id)
	b, t := s.buffer, &w.tally
	b = binary.AppendVarint(b, covered)
	b = binary.AppendVarint(b, t.Readings)
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
	b = binary.AppendUvarint(b, uint64(len(w.seqs)))
	var last int64 // seqs are written as distances: a byte or two instead of eight
	for _, run := range w.seqs {
		b = binary.AppendVarint(b, run.first-last)
		b = binary.AppendVarint(b, run.last-run.first)
		last = run.last
	}
	b = appendKnown(b, //bench:change metric encode
		t.IntakeAirFlowMax,
		t.AmbientTempMax, //bench:change field encode
	)
	s.buffer = b
	s.add(start, split, appendTime)
}

// alert appends the row of an alert.
func (s *speedViewWriter) alert(a *speedAlert, appendTime int64) {
	start, split := s.rowKey(alertRow, a.Seq, a.CarID)
	b := binary.AppendVarint(s.buffer, a.EventTime)
	b = binary.AppendVarint(b, a.offset)
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(a.Score))
	s.buffer = append(b, byte(a.Rule))
	s.add(start, split, appendTime)
}

// progress appends the record that ends a flush.
func (s *speedViewWriter) progress(p progress) error {
	value, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode progress: %w", err)
	}
	start := s.key(progressRow)
	split := len(s.buffer)
	s.buffer = append(s.buffer, value...)
	s.add(start, split, p.Newest)
	return nil
}

// errRow is the error of a record that this program did not write.
var errRow = errors.New("not a row of the speed view")

// rowGeneration returns the generation of a row, -1 when it has none.
func rowGeneration(r *eventlog.Record) int64 {
	if len(r.Key) < 1+8 {
		return -1
	}
	return int64(binary.BigEndian.Uint64(r.Key[1:]))
}

// readRow decodes a record of the speed view, except the value of a progress record. The memory
// of row.seqs is used again.
func readRow(r *eventlog.Record, row *speedRow) error {
	key := fields{rest: r.Key}
	row.kind = key.byte()
	key.uint64() // the generation: see rowGeneration
	switch row.kind {
	case windowRow:
		row.start = int64(key.uint64())
		row.readWindow(&fields{rest: r.Value}, &key)
	case tripKind: //bench:change view
		row.start = int64(key.uint64())
		row.readTrip(&fields{rest: r.Value}, &key)
	case alertRow:
		row.alert.Seq = int64(key.uint64())
		row.readAlert(&fields{rest: r.Value}, &key)
	case beginRow, progressRow:
	default:
		key.short = true
	}
	row.car = key.rest
	ofCar := row.kind == windowRow || row.kind == alertRow
	ofCar = ofCar || row.kind == tripKind //bench:change view
	if key.short || (len(row.car) > 0) != ofCar {
		return errRow
	}
	return nil
}

// readWindow decodes the value of a window row; what is wrong with it is noted in key.
func (row *speedRow) readWindow(f, key *fields) {
	t := &row.tally
	row.covered = f.varint()
	t.Readings = f.varint()
	t.SpeedSum = f.varint()
	t.CurrentDrawSum = f.varint()
	t.Anomalies = f.varint()
	t.LastSeq = f.varint()
	t.TirePressureMin = int32(f.varint())
	t.SpeedMax = f.float32()
	t.CoolantTempMax = f.float32()
	t.EngineVibrationMax = f.float32()
	t.BatteryVoltageMin = f.float32()
	row.seqs = row.seqs[:0]
	var last int64
	for n := f.uvarint(); n > 0 && !f.short; n-- {
		first := last + f.varint()
		last = first + f.varint()
		row.seqs = append(row.seqs, seqRun{first, last})
	}
	t.IntakeAirFlowMax = f.known() //bench:change metric decode
	t.AmbientTempMax = f.known()   //bench:change field decode
	key.short = key.short || f.short || len(f.rest) > 0 || t.Readings <= 0
}

// readAlert decodes the value of an alert row; what is wrong with it is noted in key.
func (row *speedRow) readAlert(f, key *fields) {
	row.alert.EventTime = f.varint()
	row.offset = f.varint()
	row.alert.Score = math.Float64frombits(f.uint64())
	row.alert.Rule = view.Rule(f.byte())
	key.short = key.short || f.short || len(f.rest) > 0
}

// readProgress decodes the value of a progress record.
func readProgress(value []byte) (progress, error) {
	p := progress{Watermark: event.NoWatermark}
	if err := json.Unmarshal(value, &p); err != nil {
		return p, fmt.Errorf("decode progress: %w", err)
	}
	return p, nil
}
