// Package view is the answer: the rows that both architectures serve, how two partial answers
// merge, and how two complete ones are compared.
//
// It is pure: no goroutines, no I/O, no clock. It never folds an event into a row: that is f,
// which each side writes for itself (and the oracle once more).
package view
