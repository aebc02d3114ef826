// Package oracle is the truth that both architectures are held against: the same answers, computed
// by one goroutine in the plainest way, with maps and without forgetting anything early for the
// sake of speed.
//
// It is the third writing of f. From the project it takes only the type of an event and the types
// of the rows; window arithmetic, watermark, lateness, skew guard, de-duplication, sums and
// detectors are its own, so that a mistake in shared code shows up as a wrong answer instead of
// being confirmed here.
//
// It is also the COST line (McSherry et al., "Scalability! But at what COST?", 2015): the
// single-threaded program that both architectures must justify themselves against. [Fold] is that
// program; it keeps no events.
//
// # The two truths
//
// Truth A holds every reading that decodes and passes the skew guard, once. Truth B is A without
// the readings that were late in log order. Kappa must answer B; Lambda must answer A over
// [0, boundary) with B from there on. All three are one program with one parameter:
//
//   - below the boundary nothing is late and nothing that was seen is forgotten (A's rule);
//   - from the boundary on, an event of a closed window is dropped late, and what was seen of a
//     closed window is forgotten (B's rule). What A's part leaves behind for it is the hand-over:
//     the watermark of [0, boundary) and the seen readings of the windows open there.
//
// The trips have their own lateness and their own memory, and are judged apart by the same rules.
//
// Boundary 0 is truth B, a boundary at or beyond the end of the log is truth A.
//
// It is pure: no goroutines, no I/O, no clock. Nothing in it is safe for concurrent use.
package oracle
