// Package workshop is the program's part of the workshop: it reads the exercises from the pages in docs/workshop,
// brings a checkout into the state in which a code task begins and back, and grades what was done.
//
// A page is the only place where an exercise is written down. The program takes from it the title, the question, the
// command (the first indented line of its section), and what has to be seen: every statement that a run can confirm
// has its rule beside it, in a comment that a reader of the page does not see.
//
//   - In the end every window of Lambda is exact. <!-- expect: {figure: "exact finally, truth A", of: lambda, expect: above, than: 99.9} -->
//
// So text and program cannot drift. Rules are medians and ratios of one run, not intervals: an exercise shows what is
// plain to see, and a verdict is the ledger's business.
//
// A code task is a few edits (docs/workshop/tasks/NAME.edits): pieces of today's source and what is in their place when
// the task begins. The solution of every task is the source as it is, and what grades an attempt is a run of the
// program that was built from it, held against the oracle.
//
// Nothing of anybody's is ever lost: [Checkout.Start] refuses to touch a file that differs from the text for which the
// edits were written, by its hash in tasks/sources.sha256, and keeps the whole side before it changes anything;
// [Checkout.Reset] brings that back byte by byte, and keeps attempts.
package workshop
