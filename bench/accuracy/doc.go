// Package accuracy says how right the answers were while they came to be: when a window closed, after
// the next batch, in the end, and at every moment between. It has no processes and no clock: the driver
// looks at an arm again and again (a [Watch]), and holds what it has seen against the truth (a [Truth])
// when the log is known.
//
// Nothing is judged against a guess of what could have been known at some moment. A window counts from
// the moment on at which the log held its last reading, and what it has to be is what the truth says at
// the end.
package accuracy
