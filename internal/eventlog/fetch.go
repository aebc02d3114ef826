package eventlog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

// fetchBytes is how much one fetch returns at most, unless a single batch is larger. Larger ones
// were no faster here, and a buffer of this size belongs to every open reader.
const fetchBytes = 1 << 20

// answerBytes limits the whole answer and is never reached: what one partition may have, and one batch as
// large as any, come first. kfake says nothing of aborted transactions in an answer that this limit ends.
const answerBytes = fetchBytes + 2*maxBatchBytes

// A fetchConn is a connection to the leader of one partition. kafka-go encodes the requests; the
// response is read here, because both ways that kafka-go offers copy and allocate per record
// (BenchmarkClients holds the three side by side).
type fetchConn struct {
	conn    net.Conn
	req     fetch.Request
	id      int32
	buf     []byte
	aborted []abortedTransaction // memory for those of an answer
}

// A fetched is the answer for the partition. set and aborted are valid until the next fetch.
type fetched struct {
	end      int64 // exclusive end of what can be read: the last stable offset
	logStart int64
	set      []byte               // record batches
	aborted  []abortedTransaction // that have records in set
	size     int64                // bytes of the whole response
}

func newFetchConn(conn net.Conn, topic string, partition int) *fetchConn {
	return &fetchConn{
		conn: conn,
		req: fetch.Request{
			ReplicaID: -1, MinBytes: 1, MaxBytes: answerBytes, IsolationLevel: readCommitted,
			SessionEpoch: -1, // no fetch session: there is one partition
			Topics: []fetch.RequestTopic{{
				Topic: topic,
				Partitions: []fetch.RequestPartition{{
					Partition: int32(partition), CurrentLeaderEpoch: -1, LogStartOffset: -1,
					PartitionMaxBytes: fetchBytes,
				}},
			}},
		},
	}
}

// fetch asks for records from offset on. The broker answers as soon as there is one, or after
// maxWait. The connection is of no use after an error that is not a kafka.Error, nor after ctx
// has ended.
func (f *fetchConn) fetch(ctx context.Context, offset int64, maxWait time.Duration) (fetched, error) {
	stop := context.AfterFunc(ctx, func() { f.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := f.conn.SetDeadline(time.Now().Add(maxWait + requestTimeout)); err != nil {
		return fetched{}, err
	}
	if ctx.Err() != nil { // the line above may have undone the deadline of AfterFunc
		return fetched{}, ctx.Err()
	}
	f.id++
	f.req.MaxWaitTime = int32(maxWait.Milliseconds())
	f.req.Topics[0].Partitions[0].FetchOffset = offset
	if err := protocol.WriteRequest(f.conn, fetchVersion, f.id, clientID, &f.req); err != nil {
		return fetched{}, err
	}
	response, err := f.readResponse()
	if err != nil {
		return fetched{}, err
	}
	answer, err := parseFetch(response, f.id, f.aborted[:0])
	f.aborted = answer.aborted
	answer.size = int64(frameSizeBytes + len(response))
	return answer, err
}

const (
	frameSizeBytes = 4
	firstBufBytes  = 16 << 10
	maxFrameBytes  = 1 << 30 // a frame beyond it is something else than Kafka
)

// readResponse reads one frame into the buffer, in one system call when it is small.
func (f *fetchConn) readResponse() ([]byte, error) {
	if f.buf == nil {
		f.buf = make([]byte, firstBufBytes)
	}
	n, err := io.ReadAtLeast(f.conn, f.buf, frameSizeBytes)
	if err != nil {
		return nil, err
	}
	size := int(binary.BigEndian.Uint32(f.buf))
	if size > maxFrameBytes {
		return nil, fmt.Errorf("response of %d bytes: not a Kafka broker", size)
	}
	total := frameSizeBytes + size
	if total > len(f.buf) {
		f.buf = append(f.buf[:n], make([]byte, total-n)...)
		f.buf = f.buf[:cap(f.buf)]
	}
	if n < total {
		if _, err := io.ReadFull(f.conn, f.buf[n:total]); err != nil {
			return nil, err
		}
	}
	return f.buf[frameSizeBytes:total], nil
}

var errShortResponse = errors.New("fetch response is cut off")

// parseFetch reads a fetch response, version 11, of one partition; aborted is taken as memory.
func parseFetch(response []byte, id int32, aborted []abortedTransaction) (fetched, error) {
	c := fields{b: response}
	if got := c.int32(); got != id {
		return fetched{}, fmt.Errorf("fetch response %d, expected %d", got, id)
	}
	c.int32() // throttle time
	code := c.int16()
	c.int32() // session
	if topics := c.int32(); topics != 1 && code == 0 {
		return fetched{}, kafka.UnknownTopicOrPartition
	}
	c.bytes(int(c.int16())) // name
	if c.int32() != 1 && code == 0 {
		return fetched{}, kafka.UnknownTopicOrPartition
	}
	c.int32() // partition
	if partitionCode := c.int16(); code == 0 {
		code = partitionCode
	}
	if code != 0 {
		return fetched{}, kafka.Error(code)
	}
	c.int64() // high watermark
	f := fetched{end: c.int64(), logStart: c.int64(), aborted: aborted}
	for range c.int32() {
		f.aborted = append(f.aborted, abortedTransaction{producer: c.int64(), first: c.int64()})
		if c.bad {
			break
		}
	}
	c.int32() // preferred read replica
	f.set = c.bytes(int(c.int32()))
	if c.bad {
		return fetched{}, errShortResponse
	}
	return f, nil
}
