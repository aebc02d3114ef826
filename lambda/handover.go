package lambda

import (
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
	readings  []handedReading // counted by the batch view, in windows that are still open
}

// A handedReading is a reading that the batch view has counted. It is also a row of the file
// "handover".
type handedReading struct {
	CarID       string `parquet:"car_id,dict"`
	Seq         int64  `parquet:"seq"`
	WindowStart int64  `parquet:"window_start"`
	Fingerprint uint32 `parquet:"fingerprint"`
}

// emptyHandover is generation 0: no batch has run yet, and the speed view starts with the log.
func emptyHandover(cfg Config, partition int) handover {
	return handover{
		partition: partition, version: cfg.Version, rules: cfg.Rules, watermark: event.NoWatermark,
	}
}

// loadHandover loads the hand-over of one partition from a published generation.
func (c Config) loadHandover(m *Manifest, partition int) (handover, error) {
	h := handover{
		partition: partition, generation: m.Generation, version: m.Version, rules: m.Rules,
		boundary: m.boundary(partition), watermark: m.watermark(partition),
	}
	if partition >= len(m.Partitions) {
		return h, nil // the input had fewer partitions then
	}
	path := partFile(c.generationDir(m.Generation), "handover", partition)
	err := readParquet(path, func(r *handedReading) error {
		h.readings = append(h.readings, *r)
		return nil
	})
	return h, err
}

// writeHandover writes the readings of a partition's hand-over into dir. Watermark and boundary
// are in the manifest.
func writeHandover(dir string, partition int, readings []handedReading) error {
	return writeParquet(partFile(dir, "handover", partition), func(emit func(handedReading)) {
		for _, r := range readings {
			emit(r)
		}
	})
}
