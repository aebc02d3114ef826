package event

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"math"
	"unicode/utf8"

	"github.com/twmb/avro"
)

// The Confluent wire format: one magic byte, the schema id as big-endian uint32, the Avro body.
const (
	wireMagic      = 0x00
	wireHeaderSize = 5
)

// MaxMagnitude bounds every float sensor value: at 2^20 and beyond, sums in units of 2^-24 could
// overflow int64 within 2^19 readings of one window. NaN and infinities are beyond it as well.
const MaxMagnitude = 1 << 20

// maxEventTime is the first millisecond of the year 10000: RFC 3339 cannot write it.
const maxEventTime = 253_402_300_800_000

// Reason says why an event went to the dead letters. It is a header of the dead letter and a
// label of the counter.
type Reason string

// The reasons, in the order in which they are tested.
const (
	ReasonMalformed     Reason = "malformed"      // framing or Avro body does not decode, or bytes are left over
	ReasonUnknownSchema Reason = "unknown_schema" // the registry has no such schema id
	ReasonKeyMismatch   Reason = "key_mismatch"   // the log's key is not the event's car_id
	ReasonOutOfRange    Reason = "out_of_range"   // a value that would overflow the sums, a negative seq or time
	ReasonFuture        Reason = "future"         // event time too far ahead of append time
)

// Reasons lists every [Reason] in the order in which they are tested.
var Reasons = [...]Reason{
	ReasonMalformed, ReasonUnknownSchema, ReasonKeyMismatch, ReasonOutOfRange, ReasonFuture,
}

// Reject is the error of an event that belongs in the dead letters. Any other error of this
// package's functions is a failure of the reader, not of the event, and must not drop it.
type Reject struct {
	Reason Reason
	Detail string
}

func (r *Reject) Error() string { return string(r.Reason) + ": " + r.Detail }

// ErrNoSchema is what a [SchemaSource] answers for an id that does not exist.
var ErrNoSchema = errors.New("no such schema")

// A SchemaSource knows the writer schemas of the log, such as a schema registry.
//
// SchemaByID returns the schema's text, [ErrNoSchema] when the id does not exist, and any other
// error when it cannot tell (the registry is down): then nothing may be judged.
type SchemaSource interface {
	SchemaByID(id uint32) (string, error)
}

// An Encoder writes events in the wire format, each in the oldest version of the schema that can say
// it: so the first bytes of a new version come with the first event that needs it. It is safe for
// concurrent use.
type Encoder struct {
	schemas []*avro.Schema
	ids     []uint32
}

// NewEncoder returns an encoder for the first of [Schemas], which are registered under these ids.
func NewEncoder(ids ...uint32) *Encoder {
	return &Encoder{schemas: parseSchemas(), ids: ids}
}

func parseSchemas() []*avro.Schema {
	var schemas []*avro.Schema
	for _, text := range Schemas {
		schemas = append(schemas, avro.MustParse(text))
	}
	return schemas
}

// version returns the index in [Schemas] of the oldest version that can say e.
func (e *CarSensor) version() int {
	if e.AmbientTemp != 0 { //bench:change field encode
		return 1
	}
	return 0
}

// Append appends the wire format of e to dst and returns the extended slice.
func (c *Encoder) Append(dst []byte, e *CarSensor) ([]byte, error) {
	v := e.version()
	if v >= len(c.ids) {
		return nil, fmt.Errorf("encode %s/%d: needs version %d of the schema, and only %d have an id",
			e.CarID, e.Seq, v+1, len(c.ids))
	}
	dst = append(dst, wireMagic)
	dst = binary.BigEndian.AppendUint32(dst, c.ids[v])
	dst, err := c.schemas[v].AppendEncode(dst, e)
	if err != nil {
		return nil, fmt.Errorf("encode %s/%d: %w", e.CarID, e.Seq, err)
	}
	return dst, nil
}

// A Decoder reads events in the wire format, resolving every writer schema it meets to the newest of
// [Schemas].
// It is not safe for concurrent use: give every partition its own.
type Decoder struct {
	source   SchemaSource
	versions []*avro.Schema          // of [Schemas]
	resolved map[uint32]*avro.Schema // nil value: the id is of another record
	lastID   uint32                  // the id of last; valid when last is not nil
	last     *avro.Schema
}

// NewDecoder returns a decoder that asks source once for every schema id it meets.
func NewDecoder(source SchemaSource) *Decoder {
	return &Decoder{
		source:   source,
		versions: parseSchemas(),
		resolved: map[uint32]*avro.Schema{},
	}
}

// Clone returns a decoder that knows what d knows, and learns the rest by itself.
func (d *Decoder) Clone() *Decoder {
	c := *d
	c.resolved = maps.Clone(d.resolved)
	return &c
}

// Decode decodes one value of the log into e and checks it against its key. The error is a
// [*Reject] when the event itself is at fault; any other error comes from the [SchemaSource].
// After an error the content of e is undefined.
//
// e keeps nothing of key and value. Its CarID shares 1 KB with those of events decoded around it:
// who keeps car_ids for long (a map of cars) clones them, or pins a kilobyte each.
func (d *Decoder) Decode(key, value []byte, e *CarSensor) error {
	if len(value) < wireHeaderSize || value[0] != wireMagic {
		return &Reject{ReasonMalformed, "not in the Confluent wire format"}
	}
	schema, err := d.schema(binary.BigEndian.Uint32(value[1:wireHeaderSize]))
	if err != nil {
		return err
	}
	e.AmbientTemp = 0 //bench:change field decode
	rest, err := schema.Decode(value[wireHeaderSize:], e)
	if err != nil {
		return &Reject{ReasonMalformed, err.Error()}
	}
	if len(rest) != 0 {
		return &Reject{ReasonMalformed, fmt.Sprintf("%d bytes after the event", len(rest))}
	}
	// Avro's strings are UTF-8, which its decoder leaves to us. Served as JSON, two cars whose names
	// differ only in broken bytes would become one.
	if !utf8.ValidString(e.CarID) {
		return &Reject{ReasonMalformed, fmt.Sprintf("car_id %q is not UTF-8", e.CarID)}
	}
	if e.CarID == "" || e.CarID != string(key) {
		return &Reject{ReasonKeyMismatch, fmt.Sprintf("key %q, car_id %q", key, e.CarID)}
	}
	return e.checkRange()
}

// schema returns the writer schema id, resolved to the reader's.
func (d *Decoder) schema(id uint32) (*avro.Schema, error) {
	if d.last != nil && d.lastID == id {
		return d.last, nil
	}
	schema, known := d.resolved[id]
	if !known {
		var err error
		schema, err = d.resolve(id)
		if errors.Is(err, ErrNoSchema) { // not remembered: it may be registered a moment later
			return nil, unknownSchema(id)
		}
		if err != nil {
			return nil, err
		}
		d.resolved[id] = schema
	}
	if schema == nil {
		return nil, unknownSchema(id)
	}
	d.lastID, d.last = id, schema
	return schema, nil
}

func unknownSchema(id uint32) error {
	return &Reject{ReasonUnknownSchema, fmt.Sprintf("schema id %d", id)}
}

// resolve asks the source for schema id; nil without an error means that no event can be read
// with it, because it is not a version of this record. The error is [ErrNoSchema] when there is none.
//
// One of our own versions is read as it is, and leaves alone what it does not know: that takes a third
// of the time of a resolved schema, and allocates nothing.
func (d *Decoder) resolve(id uint32) (*avro.Schema, error) {
	text, err := d.source.SchemaByID(id)
	if err != nil {
		return nil, fmt.Errorf("look up schema %d: %w", id, err)
	}
	writer, err := avro.Parse(text)
	if err != nil {
		return nil, nil
	}
	for _, own := range d.versions {
		if resolved, err := avro.Resolve(writer, own); err == nil && resolved == own {
			return own, nil
		}
	}
	resolved, err := avro.Resolve(writer, d.versions[len(d.versions)-1])
	if err != nil {
		return nil, nil
	}
	return resolved, nil
}

func (e *CarSensor) checkRange() error {
	if e.Seq < 0 {
		return &Reject{ReasonOutOfRange, fmt.Sprintf("seq %d", e.Seq)}
	}
	if e.EventTime < 0 || e.EventTime >= maxEventTime {
		return &Reject{ReasonOutOfRange, fmt.Sprintf("event_time %d", e.EventTime)}
	}
	for _, x := range [...]float32{
		e.CoolantTemp, e.IntakeAirTemp, e.IntakeAirFlowSpeed, e.BatteryPercentage,
		e.BatteryVoltage, e.CurrentDraw, e.Speed, e.EngineVibrationAmplitude, e.ThrottlePos,
		e.Accelerometer11, e.Accelerometer12, e.Accelerometer21, e.Accelerometer22,
		e.AmbientTemp, //bench:change field check
	} {
		// Written so that NaN fails it too.
		if !(math.Abs(float64(x)) < MaxMagnitude) {
			return &Reject{ReasonOutOfRange, fmt.Sprintf("sensor value %v", x)}
		}
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Fingerprint tells a duplicate (the same bytes again) from a conflict (the same identity with
// other content). It is a checksum of the whole value as it stands on the log. It decides only
// which of two counters goes up, never an answer: in both cases the lowest offset wins.
func Fingerprint(value []byte) uint32 { return crc32.Checksum(value, castagnoli) }
