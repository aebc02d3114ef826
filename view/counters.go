package view

import "lambdakappa/event"

// Counters say what became of every event of the log. They are an answer like the views: both
// sides must serve exactly what the oracle derives.
//
// Invariant: Events = admitted + dead letters + DroppedLate + Duplicates + Conflicts, where admitted
// means: to windows and alerts. The trips judge events for themselves, and count only what was too
// late for them.
type Counters struct {
	Events      int64                  `json:"events"`       // offsets that held an event
	DeadLetters map[event.Reason]int64 `json:"dead_letters"` // by reason; no entry for 0
	DroppedLate int64                  `json:"dropped_late"`
	Duplicates  int64                  `json:"duplicates"` // the same bytes again
	Conflicts   int64                  `json:"conflicts"`  // the same identity with other content

	//bench:change view
	DroppedLateTrips int64 `json:"dropped_late_trips"` // 0 when trips are not kept
}

// Add adds o to c.
func (c *Counters) Add(o Counters) {
	c.Events += o.Events
	c.DroppedLate += o.DroppedLate
	c.Duplicates += o.Duplicates
	c.Conflicts += o.Conflicts
	c.DroppedLateTrips += o.DroppedLateTrips //bench:change view
	for reason, n := range o.DeadLetters {
		c.Reject(reason, n)
	}
}

// Reject counts n dead letters of one reason.
func (c *Counters) Reject(reason event.Reason, n int64) {
	if n == 0 {
		return
	}
	if c.DeadLetters == nil {
		c.DeadLetters = map[event.Reason]int64{}
	}
	c.DeadLetters[reason] += n
}

// Clone returns a copy that shares nothing with c.
func (c Counters) Clone() Counters {
	var clone Counters
	clone.Add(c)
	return clone
}
