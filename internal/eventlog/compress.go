package eventlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/segmentio/kafka-go/compress/zstd"
)

// Zstd is the compression that Append knows: the best of Kafka's codecs for its time.
const Zstd = "zstd"

// zstdFastest is the level at which both sides write their Parquet files, so that bytes on disk compare
// formats and not levels.
const zstdFastest = 1

var zstdCodec = zstd.Codec{Level: zstdFastest}

// compressBatch compresses the records of the one batch that begins at from, and says so in its header.
// What is compressed is one block: a reader of any record of it reads all.
func compressBatch(set []byte, from int) ([]byte, error) {
	var packed bytes.Buffer
	packed.Grow(len(set))
	packed.Write(set[:from+batchHeaderSize])
	w := zstdCodec.NewWriter(&packed)
	_, err := w.Write(set[from+batchHeaderSize:])
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, fmt.Errorf("compress batch: %w", err)
	}
	b := packed.Bytes()[from:]
	be := binary.BigEndian
	be.PutUint16(b[batchAttributesAt:], uint16(zstdCodec.Code()))
	be.PutUint32(b[batchLengthAt:], uint32(len(b)-batchLengthFrom))
	be.PutUint32(b[batchCRCAt:], crc32.Checksum(b[batchAttributesAt:], castagnoli))
	return packed.Bytes(), nil
}
