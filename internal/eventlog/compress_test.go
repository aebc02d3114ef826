package eventlog

import (
	"encoding/binary"
	"testing"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Ensure that a compressed batch holds the same records, and says that it is compressed.
func TestCompressedBatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(genRecord(), 1, 20).Draw(t, "records")
		for i := range want {
			want[i].Offset = int64(i)
		}
		set, n := appendBatch(make([]byte, setSizeBytes), want)
		require.Equal(t, len(want), n)
		packed, err := compressBatch(set, setSizeBytes)
		require.NoError(t, err)
		batch := packed[setSizeBytes:]
		attributes := protocol.Attributes(binary.BigEndian.Uint16(batch[batchAttributesAt:]))
		require.Equal(t, "zstd", attributes.Compression().String())
		var d batchDecoder
		next, err := d.decode(batch, 0, nil)
		require.NoError(t, err)
		require.EqualValues(t, len(want), next)
		require.Equal(t, append([]Record{}, want...), append([]Record{}, d.records...))
	})
}

// Ensure that events of one fleet, which are much alike, take fewer bytes.
func TestCompressionSaves(t *testing.T) {
	var alike []Record
	for range 1000 {
		alike = append(alike, Record{Key: []byte("car-00001"), Value: make([]byte, 60)})
	}
	set, _ := appendBatch(make([]byte, setSizeBytes), alike)
	packed, err := compressBatch(set, setSizeBytes)
	require.NoError(t, err)
	require.Less(t, len(packed), len(set)/10)
}

// Ensure that a codec that nobody knows is refused.
func TestUnknownCompression(t *testing.T) {
	err := Config{Brokers: []string{"127.0.0.1:1"}, Compression: "lzma"}.validate()
	require.ErrorContains(t, err, `compression "lzma": takes zstd`)
}
