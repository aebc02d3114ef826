// Package kappa computes the views once, as the events come, and computes them again by reading
// the log again. That is the Kappa architecture (J. Kreps, "Questioning the Lambda Architecture",
// 2014): one code path, for live events and for history.
//
// # Data flow
//
//	log ──> Process ──> state + changelog ──> Serving ──> answers
//	  │        └─> dead letters, late events, alerts │
//	  └───> Replay ──> its own state + changelog ────┘ cut-over
//
// [Process] runs one task per partition of the log (processor.go, task.go). A task judges every
// event and folds it into the window that it belongs to (process.go, state.go). Every few
// milliseconds it appends what has changed to the changelog, a compacted topic (changelog.go), and
// what was not admitted, and alerts, to topics of their own (sideoutput.go). [Serving] materialises
// the changelog in memory and answers from there (serving.go; materialise.go, carrows.go,
// answers.go).
//
// Behind the one pipeline, and in nobody's way, [Sink] archives the events, and where somebody wants
// them the windows that the watermark has closed, as Parquet (sink.go, windowsink.go, archive.go,
// archivefile.go). No answer needs it; a batch application does (go doc ./internal/fleetreport).
// [Events] finds all events of a time in the log (events.go).
//
// The logic, what a window and an anomaly are, is written once, in process.go: [Replay] is the same
// processor with another version, another group and another changelog.
//
// # State
//
// The state of a partition is a pure function of the log up to its position: the watermark, the
// counters, and per car the windows that are still open, each with its tally and the readings that
// it holds. A window that the watermark closes leaves the state, and its readings are forgotten
// with it. Trips, where they are kept, have a state of their own (trips.go, triprows.go): they call
// other events late. It holds the trips that are not over and the readings that were seen of windows
// that are not too old for them.
//
// What de-duplication has to hold are the readings of open windows, once for windows and once more for
// trips; the processor says how many bytes that is (remembered.go).
//
// What is kept where, all of it in the log but the archive:
//
//   - The changelog holds the latest row of every window, the alerts, and per partition a progress
//     record. It is the durable form of the state and the view at once: the row of an open window
//     names its readings by seq, input offset and fingerprint, and that is all that de-duplication
//     has to remember. The row of a trip does not (it may be long): seen readings have rows beside
//     it, and it says itself up to which offset it holds what belongs to it.
//   - The commit of the consumer group is the position, and in its metadata what belongs to exactly
//     this position: watermark, counters, and where in the changelog a restore has to begin.
//   - The control topic says which version is live, and which is the candidate (control.go).
//   - The archive, where there is one, is files, named by the offsets that they hold. The position of the
//     sink is what is on disk.
//   - A process that answers keeps nothing on disk. Serving keeps all rows in memory, so it grows
//     with history, and loads the changelog again when it starts.
//
// With a view retention (Config.ViewRetention) nothing grows for ever. Serving drops what lies that far behind the
// watermark, of each partition by its own, and says from which event time on it answers everything (retention.go). The
// processor trims its changelog and, while its version is live, the side topics: what was written so long ago that
// neither an answer nor a restore needs it (trail.go). Its progress says so, and serving answers no more than that. The control topic is never trimmed, and neither is an archive.
//
// # Reprocessing
//
// To change the logic is to replay the log with another version, in Kreps' four steps:
//
//  1. The log keeps what may have to be processed again.
//  2. [Replay] announces its version as the candidate and processes the log from the start, beside
//     the live processor, into a changelog of its own (replay.go). On the alert topic it announces,
//     under its own name, the alerts of all that it reads.
//  3. Serving materialises the candidate's view beside the live one. When it reflects at least as
//     much of the log as the live one, on every partition, serving stops the old view, writes to
//     the control topic who is live, and then changes the one pointer that every query loads once
//     (cutover.go). It reports how many alerts that retracts, and how many of old events are
//     belated (retracted.go).
//  4. The old processor reads that it was replaced, and ends. The new one deletes the old changelog
//     and goes on as the live one: nothing has to be restarted. A candidate that is given up is
//     dropped in the same way, by the next one that stands.
//
// The partitions of a replay are worked on side by side, and shared out among all processes that
// are started for the same version: the cut-over is one.
//
// History that the log has forgotten comes from the archive: a replay takes its rows as if they came
// from the log, and goes on with the log where the archive ended when the replay began
// (archivereplay.go, archivereader.go). Or it is written back into a topic of its own, offset for
// offset, which a replay takes as its input (republish.go).
//
// A view that was not kept is added like that too: what is live is told by version and views, so
// a replay of the same version with more views stands beside it. The way back is a replay of the
// old version. Other rules (a window length, say) need another version as well: a task refuses to
// go on with a changelog that was built by other ones. A candidate under other rules begins anew.
//
// What was refused (undecodable, or too far in the future) is refused by a replay as well. A re-drive of
// the dead letters appends them to the log again, repaired (go doc ./internal/redrive). What comes
// after the lateness is dropped then, and by a replay too, for the order of the log is the same; a
// replay under another version that allows more lateness counts it.
//
// The price is what critics of the architecture name first: the log has to keep all history that
// may be asked for, a replay needs the capacity of a second processor and the room of a second
// view, and every row of an open window carries the readings that de-duplication has to know. A
// replay that begins later than the log (--from) takes over with what it has: earlier windows are
// gone from the answers.
//
// # Failure
//
// Every component may be killed at any point, and is started again as if nothing had happened.
// There is no orderly way to stop: to stop is to crash.
//
// Changelog and commit are two writes, so after a crash the changelog may be ahead of the commit,
// by several flushes and a part of one. A task then restores the rows as they are, takes position,
// watermark and counters from the commit, and reads the events from there on again (restore.go):
//
//   - An event that is in a restored row by its very offset was applied already. It is counted
//     once, because the counters are those of the commit, and its alert is raised again, because a
//     torn flush may have lost it.
//   - A restored reading with a greater offset is of the future of the event that is read again,
//     and has no say in it.
//   - A torn flush may have a trip's row without the tombstones of those that it has swallowed, and
//     without the seen readings that come last. Whoever reads rows drops what a later row contains;
//     and a reading is on a trip if its time and its offset are, whatever is known of it besides.
//   - Until the position has passed what the changelog covers, nothing is written: all of it is
//     there, and progress would go back.
//
// Dead letters and late events are keyed by their place in the log and alerts by their reading:
// they are said at least once, and readers keep one per key.
//
// The changelog is trimmed by the watermark of the commit, so a restore finds every row that was open then. A serving
// that lags by more than a view retention passes over rows that were trimmed meanwhile: until it has caught up it
// answers without them.
//
// A file of the archive appears complete or not at all, and the sink goes on where the files of a
// partition end. What was not published when it died is read again. A log that forgets events before
// the sink had them stops it.
//
// While the broker is away, serving answers from what it has, and who shares partitions in a group waits for it. Only a broker
// that is there and takes no write for 30 s (too few copies in sync, say) ends a process, with an error; and one that is
// away for longer than that ends who just then starts, cuts over, or waits for the end of a replay: it is started again.
//
// Serving starts answering when it has read the changelog to its end. At the cut-over the control
// topic is written before the answers change, so that a restart can only find a view that has
// caught up.
//
// # Guarantees
//
// All of this is at-least-once, with state that a repeat does not change; two other guarantees can be
// asked for (guarantee.go). At-most-once commits before it writes, and loses what lies between the two.
// Exactly-once writes rows, side outputs, alerts and position in one transaction of the log per flush:
// a crash leaves all of them or none, nothing is said twice to anybody, and whoever has lost a partition
// without knowing it is fenced. Every reader of the log reads what was committed, so nobody else has to
// know.
//
// What at-least-once does not cover: a process that was believed dead for a session timeout, and is not,
// may append rows that are older than its successor's. Everybody takes the row with more readings, but
// if compaction removes that one, readings of an open window are lost. Only the broker can fence this:
// exactly-once has it do so.
//
// A log that forgets events before they were read stops the processor with an error that names them:
// lost. What was gone before a version began is passed over, and said as the fact "lost". Retention is
// the history: the live view keeps what it has when the log is cut, but a replay computes no more than
// the log still holds, and takes over with that.
//
// # Mistakes
//
// What published implementations get wrong can be switched on (mistakes.go), so that it can be shown
// what it costs. Without de-duplication a reading counts as often as it is on the log, and after a
// crash the events between the commit and the changelog that was ahead of it count twice: here a
// crash alone makes answers wrong.
//
// # Invariants
//
// Tests cite these by number.
//
//  1. Every event is judged in the same order: decode, skew guard, late, duplicate, apply.
//  2. A commit's metadata belongs to exactly its offset, and all output of the events below it is
//     acknowledged.
//  3. Whoever has read a progress record has read all rows of the events below its position.
//  4. Crashes change nothing: state, rows, counters and side outputs are those of a run without. With
//     exactly-once that holds for the number of side outputs as well.
//  5. A restore begins at or before the latest row of every open window and the latest progress
//     record, and does not read more when history grows.
//  6. Memory of the processor is bounded by open windows and trips, not by history.
//  7. Rows of one window only ever grow: of two, the one with more readings is newer. So do trips: of
//     two rows of which one contains the other, the greater one is newer, and no other two overlap.
//  8. An answer comes from one version, and answers never go back in time: not at the cut-over, not
//     when any component dies and comes back.
//  9. The files of a dataset of the archive form a chain per partition, without gap or overlap, and
//     what is in a file is a function of its range of input offsets.
//  10. With a view retention, what is answered is what would be answered without, but for what lies before
//     kept_from: windows and alerts of later times, and trips that end later, row for row, also when
//     whatever is trimmed was trimmed, or anybody has died.
package kappa
