package eventlog

import "hash/crc32"

// The header of a record batch, format 2 (Kafka 0.11 and later). All integers are big-endian.
//
//	0  base offset           8
//	8  length                4   of what follows this field
//	12 leader epoch          4
//	16 magic                 1   2
//	17 crc                   4   CRC-32C of everything from the attributes on
//	21 attributes            2
//	23 last offset delta     4
//	27 first timestamp       8   Unix ms
//	35 max timestamp         8
//	43 producer id           8
//	51 producer epoch        2
//	53 base sequence         4
//	57 record count          4
//	61 records
const (
	batchLengthAt     = 8
	batchEpochAt      = 12
	batchMagicAt      = 16
	batchCRCAt        = 17
	batchAttributesAt = 21
	batchLastDeltaAt  = 23
	batchFirstTimeAt  = 27
	batchMaxTimeAt    = 35
	batchProducerAt   = 43
	batchCountAt      = 57
	batchHeaderSize   = 61

	batchLengthFrom = batchEpochAt // the length field counts from here
	batchMagic      = 2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)
