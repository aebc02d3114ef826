package lambda

import (
	"fmt"

	"lambdakappa/event"
)

// A handover is what the batch layer gives the speed layer at the boundary of one partition: the
// speed view of generation k is a pure function of it and of the log from its boundary on.
//
// Disjoint offsets are not yet disjoint readings, for a copy of a reading before the boundary may
// come after it. Hence the seen readings. Those of closed windows are not needed: their copies
// would be late, and the watermark says so.
type handover struct {
	partition  int
	generation int64
	version    string
	rules      event.Rules

	boundary  int64           // first offset that the batch view does not cover
	watermark event.Watermark // of the offsets before it

	cars     []string
	readings []handedReading // counted by the batch view, in windows that are still open
}

// A handedReading is a reading that the batch view has counted.
type handedReading struct {
	car         int32 // index in the cars of the owner
	fingerprint uint32
	seq         int64
	windowStart int64
}

// emptyHandover is generation 0: no batch has run yet, and the speed view starts with the log.
func emptyHandover(cfg Config, partition int) handover {
	return handover{
		partition: partition, version: cfg.Version, rules: cfg.Rules, watermark: event.NoWatermark,
	}
}

// A handoverEntry is a row of the file "handover". Watermark and boundary are in the manifest.
type handoverEntry struct {
	CarID       string `parquet:"car_id,dict"`
	Seq         int64  `parquet:"seq,delta"`
	WindowStart int64  `parquet:"window_start,delta"`
	Fingerprint uint32 `parquet:"fingerprint"`
}

// handoverColumns are the columns of handoverEntry in their order.
var handoverColumns = []string{"car_id", "seq", "window_start", "fingerprint"}

// loadHandover loads the hand-over of one partition from a published generation.
func (c Config) loadHandover(m *Manifest, partition int) (handover, error) {
	h := handover{
		partition: partition, generation: m.Generation, version: m.Version, rules: m.Rules,
		boundary: m.boundary(partition), watermark: m.watermark(partition),
	}
	if partition >= len(m.Partitions) {
		return h, nil // the input had fewer partitions then
	}
	index := map[string]int32{}
	intern := func(id []byte) int32 {
		i, ok := index[string(id)]
		if !ok {
			i = int32(len(h.cars))
			h.cars = append(h.cars, string(id))
			index[h.cars[i]] = i
		}
		return i
	}
	var err error
	h.readings, err = loadReadings(c.generationDir(m.Generation), partition, intern)
	return h, err
}

// loadReadings reads the readings of a hand-over; car gives every car its index.
func loadReadings(dir string, partition int, car func(id []byte) int32) ([]handedReading, error) {
	var readings []handedReading
	var codes []int32
	err := scanFile(partFile(dir, "handover", partition), handoverColumns,
		func(b *columnBatch) error {
			if b.newGroup {
				codes = codes[:0]
				err := b.dictionary(0, func(id []byte) { codes = append(codes, car(id)) })
				if err != nil {
					return err
				}
			}
			seqs, starts, fingerprints := b.int64s(1), b.int64s(2), b.int32s(3)
			for i, code := range b.int32s(0) {
				readings = append(readings, handedReading{
					car: codes[code], fingerprint: uint32(fingerprints[i]),
					seq: seqs[i], windowStart: starts[i],
				})
			}
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("load hand-over: %w", err)
	}
	return readings, nil
}
