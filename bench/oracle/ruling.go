package oracle

import "math"

// A Ruling is what became of one entry of the log under both truths, for those who ask how answers
// came to be and not only what they are.
type Ruling struct {
	Entry
	Window    int64 // start of the window that its reading belongs to; 0 when there is no reading
	Watermark int64 // of its partition, before it
	InA, InB  bool  // its reading counts there, and is the first of its kind that does
	Late      bool  // truth B drops it
}

// Rulings hands every entry to each, in the order in which they were added.
func (o *Oracle) Rulings(each func(Ruling)) {
	a, errA := NewFold(o.cfg, o.everywhere(math.MaxInt64))
	b, errB := NewFold(o.cfg, o.everywhere(0))
	if errA != nil || errB != nil {
		panic(errA) // New has validated what they depend on
	}
	for _, e := range o.entries {
		r := Ruling{Entry: e, Watermark: b.partitions[e.Partition].watermark}
		if e.Event != nil {
			r.Window = o.cfg.windowStart(e.Event.EventTime)
		}
		inA, inB, late := a.applied, b.applied, b.counters.DroppedLate
		a.Add(e)
		b.Add(e)
		r.InA, r.InB, r.Late = a.applied > inA, b.applied > inB, b.counters.DroppedLate > late
		each(r)
	}
}
