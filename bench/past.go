package bench

import (
	"bytes"
	"context"

	"lambdakappa/bench/oracle"
	"lambdakappa/bench/witness"
	"lambdakappa/internal/eventlog"
)

// A past is what happened to the input log while a run went on, and what a readback has to know: the
// log alone does not tell any more. The zero value is that of a log to which nothing happened.
type past struct {
	forgotten map[int][]witness.Entry // by partition: what the log held before its first offset
	kept      bool                    // every event is asked for again, also of a workload without disturbances
	redriven  bool                    // what follows the plan is dead letters that were sent again
	resent    bool                    // a batch may be there twice: its acknowledgement was lost
	stamped   bool                    // the log says when an event was appended, and not the generator
	repeated  int64                   // events that a readback has found a second time
}

// read keeps the entries [from, to) of a partition, which the log is about to forget. What is kept
// of a partition follows what was kept before.
func (p *past) read(ctx context.Context, log *eventlog.Log, partition int, from, to int64) error {
	blocks, ended := make(chan []witness.Entry, 4), make(chan error, 1)
	go func() {
		defer close(blocks)
		ended <- witness.Read(ctx, log, partition, from, to, blocks)
	}()
	if p.forgotten == nil {
		p.forgotten = map[int][]witness.Entry{}
	}
	for block := range blocks {
		at := len(p.forgotten[partition])
		p.forgotten[partition] = append(p.forgotten[partition], block...)
		for i := at; i < len(p.forgotten[partition]); i++ { // they have moved
			p.forgotten[partition][i].Settle()
		}
	}
	return <-ended
}

// from is the first offset of a partition that is still on the log.
func (p *past) from(partition int) int64 { return int64(len(p.forgotten[partition])) }

// A batch that is sent again is one load of a lane, which may have taken two fillings. So what comes
// a second time was there within that many events.
const resentWithin = 2 * laneLimit

// A wake is the last events that went by on a partition.
type wake struct {
	seen []trace // a ring
	at   int
}

// A trace is what tells an event from another one, whoever sent it again.
type trace struct {
	sent  int64
	key   []byte
	value []byte
}

func (w *wake) add(e *witness.Entry) {
	t := trace{e.Sent, e.Key, e.Value}
	if len(w.seen) < resentWithin {
		w.seen = append(w.seen, t)
		return
	}
	w.seen[w.at] = t
	w.at = (w.at + 1) % resentWithin
}

func (w *wake) holds(e *witness.Entry) bool {
	for i := range w.seen {
		t := &w.seen[i]
		if t.sent == e.Sent && bytes.Equal(t.key, e.Key) && bytes.Equal(t.value, e.Value) {
			return true
		}
	}
	return false
}

// again hands on what the generator has sent a second time, and returns the first entry that it has
// not, nil at the end. A producer without idempotence may do that: the events are duplicates like
// others, and the truth counts them.
func (r *readback) again(t *tape, same func(e *witness.Entry) error, keep func(*oracle.Entry)) (*witness.Entry, error) {
	for {
		e, ok := t.next()
		if !ok {
			return nil, nil
		}
		err := same(e)
		if err == nil {
			if r.past.resent {
				t.wake.add(e)
			}
			return e, nil
		}
		if !r.past.resent || !t.wake.holds(e) {
			return nil, err
		}
		r.past.repeated++
		keep(&e.Truth)
	}
}
