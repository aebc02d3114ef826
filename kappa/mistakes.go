//bench:only mistakes
package kappa

// Mistakes are what published implementations get wrong, to be switched on one by one, so that it
// can be shown what each of them costs. The zero value makes none. Every answer that one of them
// had a hand in says so (see [lambdakappa/internal/httpapi.Stamp]).
type Mistakes struct {
	// CountRepeats takes every delivery for a reading of its own: at-least-once, and not
	// idempotent. The processor has to be told.
	//
	// A reading that is twice on the log counts twice. So does, after a crash, every event between
	// the commit and the rows that the changelog was ahead of it: the rows are restored as they
	// are, the events are read again, and nobody asks whether they are in the rows already. What a
	// reading's alert says is still said once, for alerts are kept by reading.
	CountRepeats bool
}

// String says the mistakes in words; "" when there are none.
func (m Mistakes) String() string {
	if m.CountRepeats {
		return "no de-duplication"
	}
	return ""
}

// tell makes a state make the mistakes that are its own to make.
func (m Mistakes) tell(s *state) *state {
	if s.trips != nil { //bench:change view
		s.trips.countRepeats = m.CountRepeats
	}
	return s
}
