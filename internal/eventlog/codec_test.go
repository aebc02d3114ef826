package eventlog

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func genBytes() *rapid.Generator[[]byte] {
	return rapid.Custom(func(t *rapid.T) []byte {
		if rapid.Bool().Draw(t, "null") {
			return nil
		}
		return rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "bytes")
	})
}

func genRecord() *rapid.Generator[Record] {
	return rapid.Custom(func(t *rapid.T) Record {
		r := Record{
			AppendTime: rapid.Int64Range(0, 1<<45).Draw(t, "append time"),
			Key:        genBytes().Draw(t, "key"),
			Value:      genBytes().Draw(t, "value"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "headers") {
			r.Headers = append(r.Headers, Header{
				Key:   rapid.StringN(0, 10, -1).Draw(t, "header key"),
				Value: genBytes().Draw(t, "header value"),
			})
		}
		return r
	})
}

// encodeAll encodes records as Append does, batch after batch, with offsets from base on.
func encodeAll(records []Record, base int64) (set []byte) {
	for len(records) > 0 {
		batch, n := appendBatch(nil, records)
		binary.BigEndian.PutUint64(batch, uint64(base)) // not covered by the checksum: brokers set it
		set = append(set, batch...)
		records, base = records[n:], base+int64(n)
	}
	return set
}

// Ensure that decode is the inverse of encode, from any offset on.
func TestEncodeDecode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(genRecord(), 1, 20).Draw(t, "records")
		base := rapid.Int64Range(0, 1<<50).Draw(t, "base")
		for i := range want {
			want[i].Offset = base + int64(i)
		}
		skip := rapid.IntRange(0, len(want)).Draw(t, "skip")
		var d batchDecoder
		next, err := d.decode(encodeAll(want, base), base+int64(skip), nil)
		require.NoError(t, err)
		require.Equal(t, base+int64(len(want)), next)
		require.Equal(t, append([]Record{}, want[skip:]...), append([]Record{}, d.records...))
	})
}

// Ensure that kafka-go, which is not ours, reads what we encode.
func TestKafkaGoReadsWhatWeEncode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(genRecord(), 1, 20).Draw(t, "records")
		batch, n := appendBatch(make([]byte, setSizeBytes), want)
		require.Equal(t, len(want), n)
		binary.BigEndian.PutUint32(batch, uint32(len(batch)-setSizeBytes))
		var set protocol.RecordSet
		_, err := set.ReadFrom(bytes.NewReader(batch))
		require.NoError(t, err)
		for i := range want {
			got, err := set.Records.ReadRecord()
			require.NoError(t, err)
			require.EqualValues(t, i, got.Offset)
			require.Equal(t, want[i].AppendTime, got.Time.UnixMilli())
			require.Equal(t, want[i].Key, content(t, got.Key))
			require.Equal(t, want[i].Value, content(t, got.Value))
			require.Len(t, got.Headers, len(want[i].Headers))
			for j, h := range want[i].Headers {
				require.Equal(t, h.Key, got.Headers[j].Key)
				require.Equal(t, string(h.Value), string(got.Headers[j].Value))
			}
		}
	})
}

func content(t require.TestingT, b kafka.Bytes) []byte {
	if b == nil {
		return nil
	}
	all, err := io.ReadAll(b)
	require.NoError(t, err)
	return all
}

func TestBatchesAreSplitBySize(t *testing.T) {
	big := func(n int) Record { return Record{Value: make([]byte, n)} }
	records := []Record{big(400_000), big(400_000), big(400_000), big(3_000_000), big(1)}
	var counts []int
	for left := records; len(left) > 0; {
		batch, n := appendBatch(nil, left)
		if n > 1 {
			require.LessOrEqual(t, len(batch), batchBytes)
		}
		counts, left = append(counts, n), left[n:]
	}
	require.Equal(t, []int{2, 1, 1, 1}, counts)
}

func TestVarintSize(t *testing.T) {
	for _, x := range []int64{0, -1, 1, 63, -64, 64, -65, 1 << 20, -(1 << 62), 1<<63 - 1, -1 << 63} {
		require.Len(t, binary.AppendVarint(nil, x), varintSize(x), "%d", x)
	}
}

// Ensure that a batch that is cut off at the end of a response waits for the next fetch, and that
// one that was changed on the way is an error that names its offset.
func TestDecodeDamage(t *testing.T) {
	set := encodeAll([]Record{{Value: []byte("a")}}, 5)
	first := len(set)
	set = append(set, encodeAll([]Record{{Value: []byte("b")}}, 6)...)
	var d batchDecoder
	next, err := d.decode(set[:len(set)-1], 5, nil)
	require.NoError(t, err)
	require.EqualValues(t, 6, next)
	require.Len(t, d.records, 1)

	set[first+batchHeaderSize+3] ^= 1
	d.reset()
	_, err = d.decode(set, 5, nil)
	require.ErrorIs(t, err, errCorrupt)
	require.ErrorContains(t, err, "at offset 6: checksum differs")
}

// A transaction's mark holds a record that no producer wrote.
func TestControlBatchesAreSkipped(t *testing.T) {
	batch := encodeAll([]Record{{Key: []byte{0, 0, 0, 1}}}, 5)
	binary.BigEndian.PutUint16(batch[batchAttributesAt:], uint16(protocol.Control|protocol.Transactional))
	reseal(batch)
	var d batchDecoder
	next, err := d.decode(batch, 5, nil)
	require.NoError(t, err)
	require.EqualValues(t, 6, next)
	require.Empty(t, d.records)
}

// A topic that somebody else created may have the log set the time.
func TestLogAppendTime(t *testing.T) {
	batch := encodeAll([]Record{{AppendTime: 1}, {AppendTime: 2}}, 0)
	binary.BigEndian.PutUint16(batch[batchAttributesAt:], logAppendTimeBit)
	binary.BigEndian.PutUint64(batch[batchMaxTimeAt:], 77)
	reseal(batch)
	var d batchDecoder
	_, err := d.decode(batch, 0, nil)
	require.NoError(t, err)
	require.EqualValues(t, 77, d.records[0].AppendTime)
	require.EqualValues(t, 77, d.records[1].AppendTime)
}

func reseal(batch []byte) {
	binary.BigEndian.PutUint32(batch[batchCRCAt:], crc32.Checksum(batch[batchAttributesAt:], castagnoli))
}

// Ensure that a decoder that has grown allocates nothing.
func TestDecodeAllocatesNothing(t *testing.T) {
	records := make([]Record, 1000)
	for i := range records {
		records[i] = Record{
			Key: []byte("car-00042"), Value: make([]byte, 110),
			Headers: []Header{{IntendedHeader, []byte("1700000000000000000")}},
		}
	}
	set := encodeAll(records, 0)
	var d batchDecoder
	require.Zero(t, testing.AllocsPerRun(10, func() {
		d.reset()
		if _, err := d.decode(set, 0, nil); err != nil {
			t.Error(err)
		}
	}))
}

// Ensure that no bytes of a broker make the decoder panic, and that what it takes for a batch
// never leads backwards. Batches are not compressed here: kafka-go's snappy believes the length
// that stands in the data and takes up to 4 GB for it.
func FuzzDecode(f *testing.F) {
	f.Add(encodeAll([]Record{{Key: []byte("k"), Value: []byte("v"), Headers: []Header{{"h", nil}}}}, 3), int64(0))
	f.Add([]byte{}, int64(7))
	f.Fuzz(func(t *testing.T, set []byte, from int64) {
		if len(set) >= batchHeaderSize {
			binary.BigEndian.PutUint32(set[batchLengthAt:], uint32(len(set)-batchLengthFrom))
			set[batchMagicAt] = batchMagic
			set[batchAttributesAt+1] &^= 7
			reseal(set) // or the checksum would find all damage first
		}
		var d batchDecoder
		next, err := d.decode(set, from, nil)
		if err == nil && next < from {
			t.Fatalf("from %d to %d", from, next)
		}
	})
}

// Ensure that no response makes the parser panic.
func FuzzParseFetch(f *testing.F) {
	f.Add(make([]byte, 80))
	f.Fuzz(func(t *testing.T, response []byte) {
		if len(response) >= 4 {
			binary.BigEndian.PutUint32(response, 1)
		}
		_, err := parseFetch(response, 1, nil)
		var code kafka.Error
		if err == nil || errors.Is(err, errShortResponse) || errors.As(err, &code) {
			return
		}
		if len(response) >= 4 {
			t.Fatal(err)
		}
	})
}

// The vectors of Kafka's own test, UtilsTest.testMurmur2.
func TestMurmur2(t *testing.T) {
	for key, want := range map[string]int32{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string":                       -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107,
	} {
		require.Equal(t, want, int32(murmur2([]byte(key))), key)
	}
}

// Ensure that keys go where kafka-go's own partitioner would put them.
func TestPartitionOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOf(rapid.Byte()).Draw(t, "key")
		n := rapid.IntRange(1, 64).Draw(t, "partitions")
		partitions := make([]int, n)
		for i := range partitions {
			partitions[i] = i
		}
		want := kafka.Murmur2Balancer{Consistent: true}.Balance(kafka.Message{Key: key}, partitions...)
		require.Equal(t, want, PartitionOf(key, n))
	})
}

func TestRetriable(t *testing.T) {
	f := func(err error, want bool) {
		t.Helper()
		require.Equal(t, want, retriable(err), "%v", err)
	}
	f(kafka.NotLeaderForPartition, true)
	f(kafka.UnknownTopicOrPartition, true)
	f(protocol.NewErrNoTopic("cars"), true)
	f(io.ErrUnexpectedEOF, true)
	f(kafka.MessageSizeTooLarge, false)
	f(kafka.OffsetOutOfRange, false)
	f(errCorrupt, false)
	require.False(t, network(kafka.MessageSizeTooLarge), "a kafka.Error looks like a net.Error")
	require.Less(t, missingPatience, 5*time.Second)
}

// Ensure that a topic is given up on only after brokers have said for a while, one time after the other,
// that there is none, however long they were away before; and brokers after patience.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &Log{transport: new(kafka.Transport)}
		tried := func(errs ...error) (time.Duration, error) { // one a second
			start, n := time.Now(), -1
			err := l.retry(t.Context(), func(context.Context) error {
				time.Sleep(time.Second)
				n = min(n+1, len(errs)-1)
				return errs[n]
			})
			return time.Since(start), err
		}
		away, gone := io.ErrUnexpectedEOF, kafka.UnknownTopicOrPartition
		_, err := tried(away, away, away, away, gone, away, gone, gone, nil)
		require.NoError(t, err)
		took, err := tried(away, away, away, away, gone)
		require.ErrorIs(t, err, gone)
		require.Greater(t, took, 4*time.Second+missingPatience)
		require.Less(t, took, patience/2)
		took, err = tried(away)
		require.ErrorIs(t, err, away)
		require.Greater(t, took, patience)
	})
}
