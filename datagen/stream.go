package datagen

import (
	"lambdakappa/event"
)

// Planned is one event that is to be sent, and when.
type Planned struct {
	Event    event.CarSensor // its CarID is the key on the log, whatever Corrupt says
	Intended int64           // Unix ns; in milliseconds it is the append time
	Kind     Kind
	Labels   Labels // what is truly wrong with the car; never sent
	Corrupt  []byte // the payload to send instead of Event when Malformed; valid until the next Next
}

// Append appends the value to send: Corrupt, or else Event in enc's encoding.
func (p *Planned) Append(dst []byte, enc *event.Encoder) ([]byte, error) {
	if p.Corrupt != nil {
		return append(dst, p.Corrupt...), nil
	}
	return enc.Append(dst, &p.Event)
}

// A Source hands out events in the order of their intended times: a [Stream] or a [Recording].
type Source interface {
	// Next fills p with the next event and returns false at the end. What p held is overwritten.
	Next(p *Planned) bool
}

// A Stream is the events of a [Spec] in the order in which they are meant to be sent. It holds the
// state of every car, and the readings that are waiting to be sent later than they were measured;
// an undisturbed Next allocates nothing. It is not safe for concurrent use.
type Stream struct {
	spec     Spec
	schedule schedule
	cars     []car
	ids      []string
	epoch    int64 // event time of the start, Unix ms

	next  int   // the car whose turn it is
	seq   int64 // and its reading
	n     int64 // readings handed out or waiting
	total int64
	due   int64 // intended time of reading n

	disturbed bool
	waiting   queue
	last      int64 // the last intended time handed out
	encoder   *event.Encoder
	corrupt   []byte
}

// Stream returns the stream from its beginning. The spec must be valid.
func (s Spec) Stream() *Stream {
	st := &Stream{
		spec: s, schedule: s.schedule(), epoch: s.Start.UnixMilli(), total: s.Events(),
		cars: make([]car, s.Cars), ids: carIDs(s.FirstCar, s.Cars),
		disturbed: s.disturbed(),
	}
	for i := range st.cars {
		st.cars[i] = newCar(s.Seed, i)
	}
	st.due = st.schedule.at(0)
	st.last = st.due - 1
	st.UseSchemas(1, 2)
	return st
}

// carIDs returns the names of n cars from the first on, all in one string: a hundred thousand small ones would cost
// a hundred thousand allocations and as many cache misses.
func carIDs(first, n int) []string {
	var names []byte
	ends := make([]int, n)
	for i := range ends {
		names = appendCarID(names, first+i)
		ends[i] = len(names)
	}
	all, begin := string(names), 0
	ids := make([]string, n)
	for i, end := range ends {
		ids[i], begin = all[begin:end], end
	}
	return ids
}

// UseSchemas says under which ids the versions of the schema are registered, so that malformed
// payloads are otherwise like good ones. A registry's first ids are the default.
func (st *Stream) UseSchemas(ids ...uint32) { st.encoder = event.NewEncoder(ids...) }

// Next implements [Source].
func (st *Stream) Next(p *Planned) bool {
	if !st.disturbed {
		return st.nextClean(p)
	}
	for {
		if st.n < st.total && (len(st.waiting) == 0 || st.due <= st.waitingTime()) {
			if st.measure(p) {
				return true
			}
			continue
		}
		if len(st.waiting) == 0 {
			return false
		}
		intended := st.waitingTime()
		st.regenerate(st.waiting.pop(), p)
		p.Intended, st.last = intended, intended
		return true
	}
}

// waitingTime returns when the first waiting send goes out: when it is meant to, or just after
// the last one. Invariant: intended times are strictly increasing.
func (st *Stream) waitingTime() int64 { return max(st.waiting[0].intended, st.last+1) }

// nextClean is Next without disturbances: no reading waits.
func (st *Stream) nextClean(p *Planned) bool {
	if st.n == st.total {
		return false
	}
	st.read(p)
	st.turn()
	return true
}

// measure lets the next car measure. It returns false when the reading is not to be sent yet.
func (st *Stream) measure(p *Planned) bool {
	now := false
	st.spec.fate(st.next, st.seq, st.due, func(s send) {
		if s.kind == Clean {
			now = true
			return
		}
		st.waiting.push(s)
	})
	if now {
		st.read(p)
		st.last = st.due
	}
	st.turn()
	return now
}

// read fills p with the reading of the car whose turn it is.
func (st *Stream) read(p *Planned) {
	p.Event.CarID, p.Event.Seq, p.Event.EventTime = st.ids[st.next], st.seq, st.due/1e6
	p.Intended, p.Kind, p.Corrupt = st.due, Clean, nil
	p.Labels = st.spec.measure(&st.cars[st.next], p.Event.EventTime-st.epoch, &p.Event)
}

// turn passes the turn to the next car.
func (st *Stream) turn() {
	st.n++
	st.due = st.schedule.at(st.n)
	if st.next++; st.next == len(st.cars) {
		st.next = 0
		st.seq++
	}
}

// regenerate fills p with a reading that was measured earlier. It starts from a car of its own, so
// that the fleet's cars only ever go forward.
func (st *Stream) regenerate(s send, p *Planned) {
	measured := st.schedule.at(s.seq*int64(len(st.cars))+int64(s.car)) / 1e6
	p.Event.CarID, p.Event.Seq, p.Event.EventTime = st.ids[s.car], s.seq, measured
	c := newCar(st.spec.Seed, int(s.car))
	p.Labels = st.spec.measure(&c, measured-st.epoch, &p.Event)
	p.Event.EventTime += s.shift
	p.Kind, p.Corrupt = s.kind, nil
	switch s.kind {
	case Conflict:
		p.Event.Speed += 1
	case Malformed:
		broken := p.Event
		st.corrupt = s.flaw.payload(st.corrupt[:0], st.encoder, &broken)
		p.Corrupt = st.corrupt
	}
}
