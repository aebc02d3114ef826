package datagen

import "io"

// A Recording is recorded input as a stream of planned events: real cars in place of a Spec.
// Nothing is labelled, since nobody knows.
//
// It was sent when it was measured: intended and append time are the event time, be it years ago,
// so a recording gives the same answers whenever it is played. A row that is older than the one
// before it was sent right after that one (late, as the file has it), and rows of one instant
// follow each other at 1 ns, because intended times are strictly increasing.
type Recording struct {
	csv  *csvReader
	last int64
	err  error
}

// ReadRecording returns the recording that r holds in the format of [ReadCSV].
func ReadRecording(r io.Reader) *Recording {
	return &Recording{csv: newCSVReader(r), last: -1}
}

// Next implements [Source]. It returns false at the end and at the first error: ask [Recording.Err].
func (r *Recording) Next(p *Planned) bool {
	if r.err != nil {
		return false
	}
	e, err := r.csv.read()
	if err != nil {
		r.err = err
		return false
	}
	r.last = max(e.EventTime*1e6, r.last+1)
	*p = Planned{Event: e, Intended: r.last}
	return true
}

// Err returns what ended the recording early, nil when it was read to its end.
func (r *Recording) Err() error {
	if r.err == io.EOF {
		return nil
	}
	return r.err
}
