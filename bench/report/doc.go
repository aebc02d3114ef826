// Package report draws what a run left in summary.json: report.html (one file, no network),
// report.md with its plots, the summary at the end of the terminal and the results of the README.
//
// All of them are renderings of one [page], so they cannot say different things. Three rules hold
// everywhere:
//
//   - Correctness comes first. A figure of a run with wrong answers is struck out and marked VOID.
//   - A void run (the machine was too slow) has a reason and no figures.
//   - A figure that is not there is "not measured here", never 0.
//
// The package measures nothing, judges no answer and validates no summary.
package report
