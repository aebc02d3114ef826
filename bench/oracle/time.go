package oracle

import "math"

// windowStart returns the start of the window [start, start+WindowMs) that holds event time t.
// Event times are not negative: what does not decode never comes here.
func (c Config) windowStart(t int64) int64 { return t / c.WindowMs * c.WindowMs }

// closes returns the watermark from which on the window takes no more updates.
func (c Config) closes(start int64) int64 { return start + c.WindowMs + c.LatenessMs }

// tripsPass returns the watermark from which on a reading at time t is late for the trips.
func (c Config) tripsPass(t int64) int64 { return t + c.TripGapMs + c.LatenessMs }

// tripsForget returns the watermark from which on the trips have forgotten who was seen in a window:
// all of its readings are late for them.
func (c Config) tripsForget(start int64) int64 { return c.tripsPass(start + c.WindowMs) }

// future reports whether an event's clock is too far ahead of its append time to be believed.
func (c Config) future(eventTime, appendTime int64) bool { return eventTime-appendTime > c.SkewMs }

// noWatermark is the watermark of an empty log. Every window closes above it.
const noWatermark = math.MinInt64

// advance returns the watermark after an event at time t: it trails the greatest event time by
// the disorder bound and never goes back.
func (c Config) advance(watermark, t int64) int64 { return max(watermark, t-c.DisorderMs) }
