// Package systemtest is the conformance suite: one set of tests that both architectures must pass,
// through nothing but their components and their HTTP API. It has no code but tests.
//
// Every test is a transcript in testdata, read from top to bottom: a command, its input, a line
// "----", and what came out. One log is read by both sides, and an answer is printed once when
// both give the same. Where the two may rightly answer differently, the command says why, and both
// answers are printed; a difference without a reason fails, and so does a reason without a
// difference. Besides what is printed, every answer is compared with the oracle field by field.
//
//	go test ./bench/systemtest -rewrite      # writes what came out into the transcripts
//
// # Commands
//
//	open [partitions=1] [window=10s] [gap=30s] [version=v1] [incremental=false]
//	     [retention=0s] [views=(windows,alerts,trips)] [guarantee=at-least-once|exactly-once] [mistake=count-repeats|naive-merge|pin-v1]
//	                 a new log; all components of both sides start; a mistake is made by the sides that
//	                 can make it
//	send             one event a line:
//	                   car=a seq=0 t=12:00:03 [speed=3 ...] [append=12:00:04] [key=b]
//	                   again 0/2                    the bytes at partition 0, offset 2 once more
//	                   broken=magic|truncated|schema|trailing car=a seq=0 t=...
//	settle           waits until both sides' answers reflect the whole log
//	batch            Lambda recomputes until its batch view covers the whole log; then settles
//	kill SIDE PART   the component's process ends in the middle of whatever it does
//	start SIDE PART  a new process takes its place
//	redrive SIDE [repair=schema=99:1,clock]     the side's dead letters are repaired and sent again
//	compact          the broker compacts the log's compacted topics
//	deploy v2 [views=...]   both sides bring the new version live, then settle
//	windows alerts trips counters late dead-letters   what is answered; [differ=(the reason)]
//	kept-from        the event time from which on both sides answer everything, by partition; with a retention the truth
//	                 is held against what lies behind it, and side topics may have forgotten what lies before
//	gone to=12:00:00 asks for what lies before a time, and prints the error
//	check            all of the above against the oracle, printing only what is wrong
//	visible car=a after=0   the readings that a point query names; [differ=(the reason)]
//	break SIDE HOW   from here on the side's answers are falsified on their way to the checker
//
// The components are kappa's processor and serving, lambda's ingest, speed and serving.
//
// Transcripts in testdata/broken are the proof that the suite can fail: there "break" falsifies
// one answer, and what the checker says to it is the expected output. The other transcripts there make
// a mistake that published implementations make, and have to be found wrong as well.
package systemtest
