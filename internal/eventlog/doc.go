// Package eventlog is the replayable log: topics of partitions of records, consumer groups, and
// the schemas of what the records hold. It is the only place that knows a Kafka client.
//
//	Open ─> Log ─┬─ CreateTopics, Partitions, StartOffsets, EndOffsets, OffsetsAt, DeleteRecords
//	             ├─ Append ─────────> one partition, in order, acknowledged by all replicas
//	             ├─ Reader ─────────> one partition, in order, from any offset
//	             ├─ RunGroup ───────> a task per assigned partition; Member.Commit, Committed
//	             └─ RegisterSchema, SchemaByID
//	StartBroker ─> Broker             the embedded broker and schema registry, on loopback
//
// Both architectures read and write through it alike: what is compared is what they do with the
// log. It runs on Apache Kafka 2.5 or later as on the embedded broker.
//
// # Memory and latency
//
// A Reader parses fetch responses in place and uses its memory again: no allocation per record,
// so what Read returns is valid until the next Read. It returns with the first record that is
// there. Append encodes a batch into a pooled buffer and never lingers. Callers decide how much
// they batch, because only they know how long their data may wait.
//
// # Failure
//
// A broker that goes away is waited for: by Read and RunGroup until their context ends, by all
// else for 30 s. A topic that is missing is waited for, for 2 s, as it may be new. Errors name the
// broker and what to do. Append may append twice when an acknowledgement was lost.
//
// # Facts about kafka-go (v0.4.51) that this package relies on or works around
//
//   - Its Transport caches the cluster's metadata for up to 6 s, answers Client.Metadata from the
//     cache, and can only be made to look again by dropping its pool (TestTopicOfAnotherProcess).
//   - Conn.ReadPartitions asks for metadata in a way that lets a cluster create the topic.
//   - RawProduce takes the record set with its 4-byte length before it.
//   - Client.ListOffsets answers a timestamp that nothing reaches with the offset -1 in a field
//     that also means "not asked for", and a failed connection with the code Unknown.
//   - kafka.Error satisfies net.Error (TestRetriable).
//   - Generation.CommitOffsets has no metadata. Client.OffsetCommit has; it asks for the
//     coordinator each time, so a commit is two round trips.
//   - Generation.Start ends the generation when the function returns, and heartbeats end with the
//     generation: tasks must have ended within the session timeout (TestTaskThatIsDoneStaysMember).
//   - ConsumerGroup rebalances eagerly: each generation ends all tasks of all members. A member
//     hears of it with its next heartbeat, here every 500 ms (TestMembersSharePartitions).
//   - A member that is killed, or whose broker is, stays in the group until the session timeout;
//     others that join in the meantime wait for it (TestMemberIsKilled).
//   - Close waits for a join that is under way.
//   - It has no DeleteRecords, no idempotent producer, no transactions and no cooperative assignment:
//     franz-go has (franz.go, transactor.go, cooperative.go).
//
// # Facts about kfake, the embedded broker
//
//   - What it acknowledged survives SIGKILL (TestBrokerIsKilledUnderLoad). After one, its next
//     start reads all segments, about 1 s of CPU and 640 MB of memory for 5 million events.
//   - It has no fsync per batch, and with one an append takes 2 to 5 ms and not 0.05 ms
//     (BenchmarkSyncWrites).
//   - Compaction stalls every produce while it runs; here it runs when [Broker.Compact] says so.
//     It moves the start of the log, which Apache Kafka's never does (TestCompactedReader). It drops
//     what was committed for what an open transaction has written, which may be aborted, so that it
//     waits until none is open (TestCompactionWaitsForTransactions), and a housekeeper leaves it out. It writes
//     a partition anew from memory: a SIGKILL at that moment loses what was acknowledged.
//   - A topic a.b cannot exist beside a_b, as on Apache Kafka.
//   - There is no delay before the first rebalance of a group; Apache Kafka waits 3 s.
//   - A fetch that ends at the limit of the whole answer says nothing of aborted transactions
//     (TestAbortedBeforeMuchElse): ours never get there.
//   - It does not watch a member whose connection was gone when it was told of its group
//     (TestMemberDiesWhileItJoins): the roll call does.
//   - Its memory is small and its garbage large: see [BrokerGCPercent]. It remembers every batch, some
//     80 B each, rolls segments by size alone, not by segment.ms, and lets go of the index of deleted segments only
//     when its list of segments grows (trimLeft): up to twice what is kept.
package eventlog
