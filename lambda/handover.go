package lambda

import (
	"fmt"
	"slices"

	"lambdakappa/event"
	"lambdakappa/view"
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
	views      view.Set
	rules      event.Rules

	boundary  int64           // first offset that the batch view does not cover
	watermark event.Watermark // of the offsets before it

	// cars are the readings that the batch view has counted, in windows that are still open. With
	// trips, also those in windows that they have not forgotten: they wait longer.
	cars   map[string]handedCar
	oldest int64 // no such window starts before it; noWindow when there is none
	newest int64 // or after it
}

// A handedCar is the readings of one car that the batch view has counted: three columns of equal
// length, by ascending seq. All cars share the memory of three arrays without pointers, for there
// may be a million readings, and the garbage collector must not look at each.
type handedCar struct {
	seqs         []int64
	windowStarts []int64
	fingerprints []uint32
}

// find returns the window and the fingerprint of a reading, false when it was not handed over.
func (c handedCar) find(seq int64) (windowStart int64, fingerprint uint32, ok bool) {
	i, ok := slices.BinarySearch(c.seqs, seq)
	if !ok {
		return 0, 0, false
	}
	return c.windowStarts[i], c.fingerprints[i], true
}

// lastSeq returns the greatest seq, -1 when there is none.
func (c handedCar) lastSeq() int64 {
	if len(c.seqs) == 0 {
		return -1
	}
	return c.seqs[len(c.seqs)-1]
}

// A handedReading is one of them as the batch layer has it.
type handedReading struct {
	car         int32 // index in the cars of the owner
	fingerprint uint32
	seq         int64
	windowStart int64
}

// emptyHandover is generation 0: no batch has run yet, and the speed view starts with the log.
func emptyHandover(cfg Config, partition int) handover {
	return handover{
		partition: partition, version: cfg.Version, views: cfg.Views, rules: cfg.Rules,
		watermark: event.NoWatermark, oldest: noWindow,
	}
}

// A handoverEntry is a row of the file "handover", by car and then seq. Watermark and boundary are
// in the manifest.
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
		partition: partition, generation: m.Generation, version: m.Version, views: m.Views, rules: m.Rules,
		boundary: m.boundary(partition), watermark: m.watermark(partition),
		oldest: noWindow, newest: -noWindow,
	}
	if partition < len(m.Partitions) { // else the input had fewer partitions then
		if err := h.load(c.generationDir(m.Generation)); err != nil {
			return h, fmt.Errorf("load hand-over: %w", err)
		}
	}
	return h, nil
}

// load reads the readings into three columns and gives every car its share.
func (h *handover) load(dir string) error {
	var all handedCar
	var cars []handedSpan
	var ids []string
	err := scanFile(partFile(dir, "handover", h.partition), handoverColumns,
		func(b *columnBatch) error {
			if b.newGroup {
				ids = ids[:0]
				err := b.dictionary(0, func(id []byte) { ids = append(ids, string(id)) })
				if err != nil {
					return err
				}
				all.grow(b.groupRows)
			}
			for i, code := range b.int32s(0) {
				if n := len(cars); n == 0 || cars[n-1].id != ids[code] {
					cars = append(cars, handedSpan{ids[code], len(all.seqs) + i})
				}
			}
			for _, start := range b.int64s(2) {
				h.oldest, h.newest = min(h.oldest, start), max(h.newest, start)
			}
			all.seqs = append(all.seqs, b.int64s(1)...)
			all.windowStarts = append(all.windowStarts, b.int64s(2)...)
			for _, fingerprint := range b.int32s(3) {
				all.fingerprints = append(all.fingerprints, uint32(fingerprint))
			}
			return nil
		})
	if err != nil {
		return err
	}
	return h.share(cars, all)
}

// A handedSpan is where the rows of a car begin; they end where the next one's begin.
type handedSpan struct {
	id   string
	from int
}

func (h *handover) share(cars []handedSpan, all handedCar) error {
	h.cars = make(map[string]handedCar, len(cars))
	for i, span := range cars {
		end := len(all.seqs)
		if i+1 < len(cars) {
			end = cars[i+1].from
		}
		c := handedCar{
			all.seqs[span.from:end], all.windowStarts[span.from:end], all.fingerprints[span.from:end],
		}
		if _, twice := h.cars[span.id]; twice || !slices.IsSorted(c.seqs) {
			return fmt.Errorf("rows of %s are not in order", span.id)
		}
		h.cars[span.id] = c
	}
	return nil
}

// grow makes room for n more readings.
func (c *handedCar) grow(n int) {
	c.seqs = slices.Grow(c.seqs, n)
	c.windowStarts = slices.Grow(c.windowStarts, n)
	c.fingerprints = slices.Grow(c.fingerprints, n)
}

// loadReadings reads the readings of a hand-over for the batch run that goes on from there; car
// gives every car its index.
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
