// Package bench drives both architectures side by side and holds them against a truth that
// neither of them computed.
//
// It knows the two sides only from outside, as a "system under test": processes of one binary to
// start, kill, restart and stop, and an HTTP API to ask. It never imports them.
//
// # How a run goes
//
//		generate ──> log ──> lambda, kappa (processes) ──> HTTP API ──┐
//		               └───> readback ──> bench/oracle (truth) ───────┴─> judge ──> summary.json
//
//	 1. A [supervise.Supervisor] starts the broker and the components of an arm; one that dies unasked fails
//	    the run with its last log lines.
//	 2. A generator process publishes the workload, open loop ([Publish]).
//	 3. The run *settles*: every served position has reached the end of the log, which was taken
//	    after the last acknowledgement. It is a state, not a pause.
//	 4. The log is read back by a reader of the driver's own and checked event by event against
//	    the workload; the oracle computes the truth from it.
//	 5. The complete views are fetched once and compared row by row. A wrong answer voids every
//	    figure of its run.
//
// A scenario (scenarios/*.yaml) is a row of such runs. Whatever was measured is on disk after every
// run (leave.go), so Ctrl-C loses only the run it interrupts.
package bench
