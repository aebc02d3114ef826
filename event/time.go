package event

import (
	"fmt"
	"math"
	"time"
)

// Rules are the parameters of time that both sides and the oracle share. All are milliseconds of
// event time; the zero value is not valid, start from [DefaultRules].
type Rules struct {
	Window          int64 `json:"window_ms"`           // length of a tumbling window, > 0
	DisorderBound   int64 `json:"disorder_bound_ms"`   // the watermark trails the greatest event time by this, >= 0
	AllowedLateness int64 `json:"allowed_lateness_ms"` // a window takes updates for this long behind the watermark, >= 0
	MaxFutureSkew   int64 `json:"max_future_skew_ms"`  // event time may be ahead of append time by this, >= 0
	//bench:change view
	TripGap int64 `json:"trip_gap_ms"` // a trip has no hole that is wider than this, >= 0
	//bench:change view
	ReadingInterval int64 `json:"reading_interval_ms"` // how often a car is meant to send: what a speed counts for in a distance, > 0
}

// DefaultRules are 10 s windows, 2 s disorder, 30 s lateness, 5 s skew, trips without a hole of more
// than 30 s, and cars that send every second.
func DefaultRules() Rules {
	return Rules{
		Window: 10_000, DisorderBound: 2_000, AllowedLateness: 30_000, MaxFutureSkew: 5_000,
		TripGap:         30_000, //bench:change view
		ReadingInterval: 1_000,  //bench:change view
	}
}

// Validate returns an error that names the first field that cannot work.
//
// Invariant: MaxFutureSkew < DisorderBound + AllowedLateness. Otherwise one clock that is ahead
// by less than the guard allows could close windows that honest cars still write to.
func (r Rules) Validate() error {
	if r.Window <= 0 {
		return fmt.Errorf("window %s: must be above 0", ms(r.Window))
	}
	if r.ReadingInterval <= 0 { //bench:change view
		return fmt.Errorf("reading interval %s: must be above 0", ms(r.ReadingInterval))
	}
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"disorder bound", r.DisorderBound},
		{"allowed lateness", r.AllowedLateness},
		{"max future skew", r.MaxFutureSkew},
		{"trip gap", r.TripGap}, //bench:change view
	} {
		if f.value < 0 {
			return fmt.Errorf("%s %s: must not be negative", f.name, ms(f.value))
		}
	}
	if r.MaxFutureSkew >= r.DisorderBound+r.AllowedLateness {
		return fmt.Errorf("max future skew %s: must be below disorder bound + allowed lateness (%s)",
			ms(r.MaxFutureSkew), ms(r.DisorderBound+r.AllowedLateness))
	}
	return nil
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// WindowStart returns the start of the window [start, start+Window) that holds event time t.
// Windows are aligned to the epoch. Every instant lies in exactly one window.
func (r Rules) WindowStart(t int64) int64 {
	m := t % r.Window
	if m < 0 {
		m += r.Window
	}
	return t - m
}

// CheckSkew returns a [*Reject] when event time lies more than MaxFutureSkew ahead of append time.
func (r Rules) CheckSkew(eventTime, appendTime int64) error {
	if eventTime-appendTime > r.MaxFutureSkew {
		return &Reject{ReasonFuture, fmt.Sprintf("%s ahead of its append time", ms(eventTime-appendTime))}
	}
	return nil
}

// Closed reports whether the window that starts at start takes no more updates under w:
// its end + AllowedLateness <= w. An event of a closed window is dropped late.
func (r Rules) Closed(windowStart int64, w Watermark) bool {
	return windowStart+r.Window+r.AllowedLateness <= int64(w)
}

// Late reports whether an event at time t is dropped late under w, the watermark of the log
// prefix before the event.
func (r Rules) Late(t int64, w Watermark) bool { return r.Closed(r.WindowStart(t), w) }

// TripLate reports whether an event at time t is late for the trips under w, the watermark of the
// log prefix before the event. It has nothing to do with its window: an event may be late for the
// one view and count in the other.
//
//bench:change view
func (r Rules) TripLate(t int64, w Watermark) bool {
	return t+r.TripGap+r.AllowedLateness <= int64(w)
}

// TripForgotten reports whether the trips need not know any more who was seen in the window that
// starts at start: every reading in there is late for them.
//
//bench:change view
func (r Rules) TripForgotten(windowStart int64, w Watermark) bool {
	return r.TripLate(windowStart+r.Window, w)
}

// TripClosed reports whether a trip that ends at end takes no more readings under w: whatever is not
// late for the trips is more than TripGap behind its end.
//
//bench:change view
func (r Rules) TripClosed(end int64, w Watermark) bool { return r.TripLate(end+r.TripGap, w) }

// Settled is how far behind the watermark nothing changes any more: windows that end there take no more
// readings, and trips that end there are over and forgotten.
func (r Rules) Settled() int64 {
	settled := r.Window + r.AllowedLateness
	settled += 2 * r.TripGap //bench:change view
	return settled
}

// CheckRetention returns an error when rows cannot be kept for no more than keep ms of event time: what
// may still change must not be dropped. 0 is to keep everything.
func (r Rules) CheckRetention(keep int64) error {
	if keep == 0 || keep >= r.Settled() {
		return nil
	}
	return fmt.Errorf("view retention %s: must be 0, to keep everything, or at least %s, behind which nothing changes any more",
		ms(keep), ms(r.Settled()))
}

// KeptFrom returns the event time from which on rows are kept under w, when they are kept for keep ms behind
// it: 0 when that is everything. It is the start of a window, so that it moves once per window length and
// a window is before it or not, and it never goes back. A window, or an alert, is kept when it begins at it
// or after it, a trip when it ends there.
func (r Rules) KeptFrom(w Watermark, keep int64) int64 {
	if keep == 0 || int64(w) <= keep { // NoWatermark is below everything
		return 0
	}
	return r.WindowStart(int64(w) - keep)
}

// A Watermark is the event time (Unix ms) up to which one partition's input is believed complete
// (Akidau et al., "The Dataflow Model", 2015): the greatest event time that passed the skew guard
// minus the disorder bound.
//
// Invariant: it never goes back.
type Watermark int64

// NoWatermark is the watermark of an empty log: nothing is late.
const NoWatermark Watermark = math.MinInt64

// Advance returns the watermark after an event at time t that passed the skew guard.
func (r Rules) Advance(w Watermark, t int64) Watermark {
	return max(w, Watermark(t-r.DisorderBound))
}
