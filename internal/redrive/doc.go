// Package redrive gives dead letters a second chance: it reads what a side has refused, repairs what
// can be repaired, and appends it to the input log again.
//
// It belongs to neither side. Both keep the same dead letters, under the same keys, and both read what
// is appended; so one tool serves both, and what was re-driven from the letters of one side is known
// when it runs over those of the other.
//
// A re-driven event stands where it was refused, in its partition and with its original append time,
// but with a new offset: it is judged like any event that comes late. So where it ends up is decided
// by the rules of time and not here. Within the lateness, both sides take it at once. After that,
// Lambda's speed layer and Kappa drop it as late; the next batch run takes it, since the batch layer
// knows no lateness; a Kappa replay reads the same order and drops it again, unless the new version
// allows more lateness.
//
// # At most once
//
// The event carries the place of its letter in a header. A run reads the log from the oldest letter
// on before it appends, and leaves out what is there: mark and event are one write, so a crash at any
// point neither loses nor doubles one. Two runs at the same time may append one twice, and so may an
// acknowledgement that was lost; it is then a duplicate by (car_id, seq), like any other. Where the log has a retention, what it
// has forgotten is not known: a letter that is kept for longer than its copy is appended again, and counts as late or twice.
package redrive
