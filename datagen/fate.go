package datagen

import "time"

// A send is one event on its way: a reading and what becomes of it.
type send struct {
	intended int64 // Unix ns
	seq      int64
	car      int32
	kind     Kind
	shift    int64 // ms by which the event time is wrong
	flaw     flaw  // when malformed
}

// What the fate of a reading is drawn for. Each has its own draw, so that one rate does not move
// the others' events.
const (
	fateOfReading = iota
	fateDelay
	fateDuplicate
	fateConflict
	fateMalformed
	fateDraws
)

// fate decides what becomes of reading seq of car i, which is due at intended, and hands every
// send that follows from it to emit. The first is the reading itself.
func (s *Spec) fate(i int, seq, intended int64, emit func(send)) {
	// The draws belong to (seed, car, seq), like the reading itself.
	draws := source(s.Seed).derive(int64(i)).derive(drawFate)
	draw := func(what int64) float64 { return draws.rate(seq*fateDraws + what) }
	bits := func(what int64) dice { return draws.at(^(seq*fateDraws + what)) }

	first := send{intended: intended, seq: seq, car: int32(i)}
	s.delay(&first, draw(fateOfReading), bits(fateDelay))
	s.silence(&first, intended)
	emit(first)

	again := first
	if draw(fateDuplicate) < s.Duplicates {
		again.kind, again.intended = Duplicate, first.intended+duplicateDelay(bits(fateDuplicate))
		emit(again)
	}
	if draw(fateConflict) < s.Conflicts {
		d := bits(fateConflict)
		again.kind, again.shift = Conflict, first.shift-d.below(2)*15_000
		again.intended = first.intended + d.between(1, 3000)*int64(time.Millisecond)
		emit(again)
	}
	if draw(fateMalformed) < s.Malformed {
		d := bits(fateMalformed)
		again.kind, again.flaw, again.shift = Malformed, flaw(d.below(int64(flaws))), 0
		again.intended = first.intended + d.between(1, 1000)*int64(time.Millisecond)
		emit(again)
	}
}

// delay makes the reading out of order, late or skewed, or leaves it clean: u in [0, 1) falls
// into the share of one of them.
func (s *Spec) delay(r *send, u float64, d dice) {
	const ms = int64(time.Millisecond)
	if u -= s.OutOfOrder; u < 0 {
		r.kind, r.intended = OutOfOrder, r.intended+d.between(100, 1900)*ms
		return
	}
	for _, band := range LateBands {
		if u -= s.Late; u < 0 {
			r.kind = Late
			r.intended += int64(band) + d.span(int64(band)/10)
			return
		}
	}
	if u -= s.Skew; u < 0 {
		r.kind, r.shift = Skewed, 10_000+d.span(3_590_000)
	}
}

// silence keeps the reading until the end of a span in which its car is silent. The upload runs a
// thousand times as fast as the measuring and begins with the oldest reading.
func (s *Spec) silence(r *send, measured int64) {
	if s.Silent == 0 || r.kind == Skewed {
		return
	}
	draws := source(s.Seed).derive(int64(r.car)).derive(drawSilence)
	span := int64(s.SilentFor)
	// Every car has its own phase: the fleet does not fall silent as one.
	since := measured - s.Start.UnixNano() + draws.at(-1).span(span)
	if draws.rate(since/span) < s.Silent {
		r.kind = Uploaded
		r.intended = measured + (span - since%span) + since%span/1000
	}
}

// duplicateDelay returns after how many ns an event is sent again: half as a producer's retry,
// a quarter as a gateway's, a quarter so late that its window may be closed and a batch run over.
func duplicateDelay(d dice) int64 {
	const ms = int64(time.Millisecond)
	switch d.below(4) {
	case 0, 1:
		return d.between(50, 2_000) * ms
	case 2:
		return d.between(5_000, 25_000) * ms
	default:
		return d.between(31_000, 60_000) * ms
	}
}
