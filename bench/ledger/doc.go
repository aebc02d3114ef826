// Package ledger turns the figures of runs into verdicts about claims, by the rules that stand in the
// scenarios' files.
//
// A verdict is decided by an interval, never by a single number: the 95 % interval of the median has
// to lie on the expected side of the limit as a whole. Runs of two arms that stand beside each other
// (A B B A) are compared pair by pair, so that what drifts on the machine meets both and drops out of
// their ratio.
//
//	supports         the whole interval is where the claim predicts
//	contradicts      the whole interval is on the other side
//	no difference    the whole interval is inside the margin
//	undecided        anything else, and fewer than [MinRuns] runs
//
// What was counted and has no noise (rows, statements, losses) needs no interval: every run has to be
// on one side.
package ledger
