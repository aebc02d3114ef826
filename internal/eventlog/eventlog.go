// Package eventlog is the replayable log: the only place that knows a Kafka client.
package eventlog

import (
	"context"
	"time"
)

// CarsTopic is the input: one event per reading, keyed by car_id, in the Confluent wire format.
const CarsTopic = "cars"

// IntendedHeader is the record header that carries the intended send time of an event, Unix
// nanoseconds in decimal. In milliseconds it is also the record's append time.
const IntendedHeader = "intended"

// Config says where the log is and which part of it is ours.
type Config struct {
	Brokers  []string // host:port; at least one
	Registry string   // URL of the schema registry
	Prefix   string   // put before every topic and group name, so that runs can share a cluster
}

// A Record is one entry of a partition.
type Record struct {
	Offset     int64
	AppendTime int64 // Unix ms: the record's CreateTime, see IntendedHeader
	Key, Value []byte
	Headers    []Header
}

// A Header is one record header.
type Header struct {
	Key   string
	Value []byte
}

// A TopicSpec describes a topic. Time and size retention are always off.
type TopicSpec struct {
	Name       string
	Partitions int
	Compacted  bool
}

// A Log is a connection to the log. It is safe for concurrent use.
type Log struct{}

// Open connects to the log. The error names the broker that could not be reached and what to do.
func Open(ctx context.Context, cfg Config) (*Log, error) { panic("unwritten") }

// Close releases all connections. Readers must be closed before.
func (l *Log) Close() error { panic("unwritten") }

// CreateTopics creates the topics that do not exist; one that exists with another number of
// partitions is an error.
func (l *Log) CreateTopics(ctx context.Context, topics ...TopicSpec) error { panic("unwritten") }

// DeleteTopics deletes the topics; one that does not exist is not an error.
func (l *Log) DeleteTopics(ctx context.Context, names ...string) error { panic("unwritten") }

// Partitions returns the number of partitions of a topic; 0 when the topic does not exist.
func (l *Log) Partitions(ctx context.Context, topic string) (int, error) { panic("unwritten") }

// StartOffsets returns the first offset of every partition.
func (l *Log) StartOffsets(ctx context.Context, topic string) ([]int64, error) { panic("unwritten") }

// EndOffsets returns the exclusive end of every partition.
func (l *Log) EndOffsets(ctx context.Context, topic string) ([]int64, error) { panic("unwritten") }

// OffsetsAt returns, per partition, the first offset whose append time is at or after t, or the
// end offset when there is none.
func (l *Log) OffsetsAt(ctx context.Context, topic string, t time.Time) ([]int64, error) {
	panic("unwritten")
}

// DeleteRecords deletes everything before the given offset of every partition.
func (l *Log) DeleteRecords(ctx context.Context, topic string, before []int64) error {
	panic("unwritten")
}

// Append appends records to one partition in order, acknowledged by all replicas, and returns the
// offset of the first. Offset of the given records is ignored. What fits one broker batch (about
// 1 MB) is appended atomically; more is split in order.
func (l *Log) Append(ctx context.Context, topic string, partition int, records []Record) (int64, error) {
	panic("unwritten")
}

// PartitionOf returns the partition of a key among n: Java's murmur2, as Kafka's own producer.
func PartitionOf(key []byte, n int) int { panic("unwritten") }

// A Reader reads one partition in order. It is not safe for concurrent use.
type Reader struct{}

// A Batch is what one Read returned.
type Batch struct {
	Records []Record // may be empty; records and their bytes are valid until the next Read
	Next    int64    // the offset that the next Read starts at
	End     int64    // the partition's end offset when the broker answered
}

// Reader returns a reader of one partition that starts at offset.
func (l *Log) Reader(ctx context.Context, topic string, partition int, offset int64) (*Reader, error) {
	panic("unwritten")
}

// Read returns what is there, waiting at most maxWait for the first record. It reconnects by
// itself when the broker goes away for a while; it returns ctx's error when ctx ends.
func (r *Reader) Read(ctx context.Context, maxWait time.Duration) (Batch, error) { panic("unwritten") }

// Close closes the reader's connection.
func (r *Reader) Close() error { panic("unwritten") }

// A Commit is a committed position of a group with what belongs to it.
type Commit struct {
	Offset   int64  // next offset to read; -1 when nothing was committed
	Metadata string // below 4096 bytes
}

// A Member is one process's membership in one generation of a group.
type Member struct{}

// Commit commits the position of a partition that this member holds. It fails when the group has
// moved on to another generation.
func (m *Member) Commit(ctx context.Context, partition int, c Commit) error { panic("unwritten") }

// RunGroup joins the group as one more member and runs task once for every partition of topic
// that is assigned to it, each in a goroutine of its own. The context of a task ends when its
// partition is taken away or ctx ends; RunGroup waits for all tasks before it joins the next
// generation. It returns nil when ctx ends, or the first error of a task (errors of a task whose
// context has ended do not count).
func (l *Log) RunGroup(
	ctx context.Context, group, topic string,
	task func(ctx context.Context, m *Member, partition int) error,
) error {
	panic("unwritten")
}

// Committed returns what a group has committed, per partition of topic.
func (l *Log) Committed(ctx context.Context, group, topic string) ([]Commit, error) {
	panic("unwritten")
}

// RegisterSchema registers a schema under a subject and returns its id; the same text again
// returns the same id.
func (l *Log) RegisterSchema(ctx context.Context, subject, schema string) (uint32, error) {
	panic("unwritten")
}

// SchemaByID implements event.SchemaSource.
func (l *Log) SchemaByID(id uint32) (string, error) { panic("unwritten") }
