// Package event is the fact that both architectures compute from: one reading of one car's
// sensors, how it is encoded on the log, and the time arithmetic that every side has to agree on.
//
// It is pure: no goroutines, no I/O, no clock. Lambda and Kappa share it because an organisation
// would agree on it once; folding events into answers is *not* here, each side writes its own.
//
// # Order of tests
//
// Every reader of the log judges an event in the same order:
//
//  1. decode: [Decoder.Decode] (a [Reject] goes to the dead letters)
//  2. skew guard: [Rules.CheckSkew] (a [Reject] goes to the dead letters, moves no watermark)
//  3. late: [Rules.Late] against the watermark of the log prefix *before* this event
//  4. duplicate: the same (car_id, seq) among the readings of windows that are still open
//  5. apply to the window, then [Rules.Advance]
//
// A late event and a duplicate also advance the watermark (neither can raise it above an
// admitted event's time by more than its own event time, and the rule stays one line).
package event
