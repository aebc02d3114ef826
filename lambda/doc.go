// Package lambda computes the views twice: slowly and completely from an immutable master dataset,
// quickly and for the newest events from the log; and merges the two when it answers. That is the
// Lambda architecture (N. Marz, "How to beat the CAP theorem", 2011; Marz & Warren, "Big Data").
//
// # Data flow
//
//	log ──> Ingest ──> master dataset ──> Batch ──> batch view ───────┐
//	  │        └─> dead letters             └──> hand-over ──┐        ├─> Serving ──> answers
//	  └───> Speed <──────────────────────────────────────────┘        │
//	          ├─────────────────────────────> speed view ─────────────┘
//	          └─> late events, alerts
//
// [Ingest] copies the log into Parquet files (ingest.go, master.go, masterfile.go). [Batch] reads
// all of them again and again, columns as Arrow arrays, and publishes a batch view (batch.go,
// batchdetect.go; batchrun.go, batchpartition.go, batchview.go, manifest.go). [Speed] folds the
// events that the batch view does not cover yet, one by one, into a speed view that it publishes
// through a topic (speed.go; speedstate.go, generation.go, speedtask.go, speedview.go). [Serving]
// merges (materialise.go, merge.go, answers.go).
//
// The logic, what a window and an anomaly are, is written twice: over columns in batch.go, over
// events in speed.go. Nothing but tests keeps the two from drifting apart. It is the price that
// critics of the architecture name first (J. Kreps, "Questioning the Lambda Architecture", 2014).
// It can be had for less: with [ByEvents] the batch layer drives the logic of speed.go over the
// master dataset (batchevents.go), publishes the same view, and takes longer. The benchmark calls that
// lambda-shared.
//
// The master dataset is an archive as well: [Events] finds all events of a time in it (events.go), and a
// batch application reads its files (go doc ./internal/fleetreport).
//
// # State
//
// The batch view of generation k reflects, in every partition, the offsets [0, B_k) of the log;
// B_k is the boundary. It knows no lateness: whatever has arrived counts. The speed view of
// generation k reflects [B_k, end) and drops what is late.
//
// Disjoint offsets are not disjoint readings: a copy of a reading may come after the boundary, and
// a window may lie across it. So batch run k publishes, with its view, a hand-over per partition
// (handover.go): the watermark of [0, B_k) and the readings that it has counted in windows that
// are still open. From there on the speed layer judges every event as if it had been there from
// the beginning. A reading is then in exactly one of the two views, and merging is [view.Tally.Merge].
//
// Trips, where they are kept, are intervals (batchtrips.go, speedtrips.go, triprows.go). Each layer
// has those of its own readings, and a trip across the boundary is one when it is served, by
// [view.Coalesce]. What the hand-over has for them is the readings that they have seen: they call
// other events late than windows do, and wait longer.
//
// What de-duplication has to hold is not the same in the two: the speed layer has the readings of open
// windows and of the hand-over, the batch layer the seqs of all history, of which a source without holes
// leaves one run (seqset.go). Each says how many bytes that is (remembered.go).
//
// What is kept where:
//
//   - master/ is the only data that could not be computed again once the log has forgotten it.
//     Every file is a half-open range of offsets, and is named by it: the position of ingest is what
//     is on disk.
//   - views/gen-000007/ is a generation: view, hand-over, and manifest.json.
//   - The speed layer keeps open windows in memory, and nothing on disk. The group's commits say
//     up to where its side outputs (late events, alerts) are complete; nothing else depends on
//     them.
//   - Serving keeps all rows in memory, so it grows with history, and loads them again when it
//     starts. A batch run holds its view in memory while it computes it.
//
// With a view retention (Config.ViewRetention) nothing grows for ever. Serving drops what lies that far behind the
// watermark, of each partition by its own, and says from which event time on it answers everything (retention.go). The
// batch layer leaves the same out of its view, and removes the files of the master dataset that no answer needs;
// what they still have a say in stays in remains/, with which the next run begins (remains.go): from then on the two
// together are what could not be computed again. Speed layer and ingest trim the topics that they write (trail.go).
// What still grows is a run per hole in the seqs of a car that goes on sending.
//
// # Reprocessing
//
// There is nothing to it: every batch run computes everything from the master dataset, so a batch
// layer that is started with another version, other rules or more views publishes the next generation by
// them. Version, views and rules travel with the generation to the speed layer and to serving. An incremental
// run goes on from the previous generation instead (its view, and every seq it has seen, as runs);
// after a change of version or rules it cannot, and does not. What ingest has refused (undecodable,
// or too far in the future) is not in the master dataset, and no batch run brings it back. A re-drive
// of the dead letters does: it appends them to the log again, repaired (go doc ./internal/redrive).
// The speed layer drops what comes after the lateness, and the next batch run counts it.
//
// A new version computes the whole alerts view again. On the alert topic it announces, under its
// own name, the alerts from a boundary on: that of the generation with which it has caught up with
// what the old version had announced. (A Kappa replay announces those of all that it reads.) Nothing
// is taken back there: serving reports how many alerts a swap to another version retracts, and how
// many of old events are belated (retracted.go).
//
// From one generation to the next, three steps keep answers from going back in time:
//
//  1. When generation k appears, the speed layer builds its speed view beside the live one
//     (building.go): load the hand-over, read the log from B_k on.
//  2. Serving materialises both speed views, and loads batch view k when speed k has caught up, or
//     after a second.
//     When speed k has reached, in every partition, what is served, it swaps the pair (batch k,
//     speed k) in one step (swap.go).
//  3. When speed k has reached the old one in all partitions (the group's commits say so), and
//     every serving process has loaded batch view k (their leases say so, lease.go), the speed
//     layer drops the old one. Rows older than both are trimmed from the topic. A generation that
//     somebody answers from stays on disk.
//
// # Failure
//
// Every component may be killed at any point, and is started again as if nothing had happened.
//
//   - Ingest writes aside, makes durable, renames. What was not renamed is read again. The new
//     owner of a partition removes the old one's open file; the old one then asks the group, and
//     waits for the rebalance that it has not heard of yet.
//   - A batch run that dies leaves the old view in place. The next one cleans up.
//   - The speed layer has no recovery of its own: generation k is a pure function of hand-over k
//     and the log, so it is built again. What late events and alerts the crash cut off is said by
//     starting from a generation whose boundary the side outputs have passed.
//   - Serving loads the newest generation that is as far as all before it. While one is dead and its
//     lease lasts, the speed layer keeps two generations.
//   - Files are removed from the oldest on, after the generation and then the remains are published: whatever is
//     left at a crash is a chain, and what lies before the end of the remains is removed by the next run. Nobody
//     calls it lost.
//
// While the broker is away, serving answers from what it has, and everybody else waits for it. Only a broker
// that is there and takes no write for 30 s (too few copies in sync, say) ends a process, with an error.
//
// Dead letters and late events are keyed by their place in the log and alerts by their reading: they
// are said at least once, and readers keep one per key. While nobody dies and no
// partition moves each comes once: the generation that is built leaves it to the live one, where both have
// the same logic.
//
// What is not covered: a speed layer that was believed dead for a session timeout, and is not, may
// append rows that are older than its successor's; everybody takes the row with more readings. One
// that is down while the generations that it needs are removed begins with the whole log. A serving
// process that stood still for longer than its lease, and lost rows that were trimmed meanwhile, may
// answer without them until it has loaded the next batch view. A compaction of the speed view while
// a generation is built again may leave a serving that starts then with less than was served before.
//
// A log that forgets events before they were read stops ingest, or the speed layer, with an error that
// names them: lost. What was gone before anyone read it is passed over, and said as the fact "lost".
// If ingest was not away, the speed layer begins again with the oldest batch view that the log goes on
// from: answers have everything then, and "lost" is what its side outputs could not say.
// Retention may be as short as the longest time between two batch runs: the master dataset keeps the
// history, and a recompute does not need the log.
//
// # Mistakes
//
// What published implementations get wrong can be switched on (mistakes.go), so that it can be shown
// what it costs. Without de-duplication a reading counts as often as it is on the log, in either layer
// and across the boundary. A crash alone leaves answers right: both layers begin again where they had
// begun, with nothing counted.
//
// Two more are Lambda's alone. A naive merge adds views that overlap: without a boundary, what the batch
// view has of an open window counts twice until the next batch run, and what came late, or was not
// ingested yet, is missing until then. A pinned version is a change that was deployed to one layer
// only: answers are of two versions, and step where they meet.
//
// # Invariants
//
// Tests cite these by number.
//
//  1. The files of a partition that [Batch] reads form a chain without gap or overlap. Two writers
//     of a partition (one has lost it and does not know yet) may leave files that overlap; as a
//     file's content is a function of its range, any chain is right, and the longest is taken: one
//     more file never moves the position back.
//  2. A file or a generation is complete or not there.
//  3. A hand-over holds the watermark of [0, B_k) and every reading that was counted in a window
//     that this watermark leaves open, or that the trips have not forgotten, and no other.
//  4. What is served at boundaries B is: everything below B once, and of the rest what was not
//     late, once. Counters say what became of every offset.
//  5. An incremental run publishes what a run over everything would, row for row.
//  6. An offset is below the committed position of the side outputs only if its late event is
//     acknowledged, and its alert as one of the version that the commit names; a master file covers
//     a dead letter only if that is acknowledged.
//  7. Answers never go back in time: not when generations are swapped, not when any component dies
//     and comes back.
//  8. The speed layer's memory is bounded by open windows and trips (twice, while a generation is built), not
//     by history.
//  9. With a view retention, what is answered is what would be answered without, but for what lies before
//     kept_from: windows and alerts of later times, and trips that end later, row for row, also when
//     whatever is trimmed was trimmed, or anybody has died. But a trip that has begun before is answered from a
//     later reading on if one that would join it to its beginning comes later than the retention.
package lambda
