package kappa

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
)

const copyTopic = "cars.again"

// intended gives records the header of their intended send time, in the millisecond of their append
// time.
func intended(records []eventlog.Record) []eventlog.Record {
	for i := range records {
		ns := records[i].AppendTime*1_000_000 + int64(i)%1_000_000
		records[i].Headers = []eventlog.Header{{
			Key: eventlog.IntendedHeader, Value: strconv.AppendInt(nil, ns, 10),
		}}
	}
	return records
}

// requireCopied waits until a topic is as long as the log, and requires that it is the same, record
// by record; headers are those of events, of dead letters there are none.
func requireCopied(t testing.TB, log *eventlog.Log) {
	t.Helper()
	ctx := context.Background()
	want, err := log.EndOffsets(ctx, eventlog.CarsTopic)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		got, err := log.EndOffsets(ctx, copyTopic)
		if err != nil {
			return false
		}
		for partition := range got {
			if got[partition] < want[partition] {
				return false
			}
		}
		return true
	}, 20*time.Second, 5*time.Millisecond)
	original, copied := readAll(t, log, eventlog.CarsTopic), readAll(t, log, copyTopic)
	require.Len(t, copied, len(original))
	for i, r := range copied {
		require.Equal(t, original[i].Offset, r.Offset)
		require.Equal(t, original[i].AppendTime, r.AppendTime)
		require.Equal(t, original[i].Key, r.Key)
		require.Equal(t, original[i].Value, r.Value)
		if len(r.Headers) > 0 {
			require.Equal(t, intendedOf(&original[i]), intendedOf(&r))
		}
	}
}

// Ensure that what is republished is the log again, offset for offset, wherever it was interrupted;
// and that a replay of the copy gives the answers and counters of one of the log, and takes over
// while events go on coming.
func TestReplayOfARepublishedArchive(t *testing.T) {
	const partitions = 2
	log := startLog(t, partitions)
	ctx := context.Background()
	require.NoError(t, CreateTopics(ctx, log, partitions, "v1"))
	v1, v2 := testConfig(log), testConfig(log)
	v2.Version, v2.Input = "v2", copyTopic
	old := background(t, func(ctx context.Context) error { return Process(ctx, v1) })
	serving, run := serve(t, v1)
	sent := intended(disturbed(t, 4, 12, 3_000))
	cfg := testConfig(log)
	cfg.Archive = sendAndArchive(t, log, sent[:2000], 4)
	awaitEnd(t, serving) // so the dead letters are there

	// At a rate that it does not come to an end with, it is interrupted.
	interrupted := background(t, func(ctx context.Context) error {
		return Republish(ctx, cfg, copyTopic, 4000, false)
	})
	require.Eventually(t, func() bool {
		ends, err := log.EndOffsets(ctx, copyTopic)
		return err == nil && ends[0] > 50
	}, 20*time.Second, time.Millisecond)
	interrupted.stop(t)
	ends, err := log.EndOffsets(ctx, copyTopic)
	require.NoError(t, err)
	require.Less(t, ends[0]+ends[1], int64(2000))
	require.NoError(t, Republish(ctx, cfg, copyTopic, 0, false))
	requireCopied(t, log)
	ends, err = log.EndOffsets(ctx, eventlog.CarsTopic)
	require.NoError(t, err)
	require.NoError(t, log.DeleteRecords(ctx, eventlog.CarsTopic, ends)) // it is not the log that is read

	mirror := background(t, func(ctx context.Context) error {
		return Republish(ctx, cfg, copyTopic, 0, true)
	})
	replay := background(t, func(ctx context.Context) error {
		return Replay(ctx, v2, time.Time{}, time.Time{})
	})
	send(t, log, sent[2000:2500])
	awaitVersion(t, serving, "v2")
	require.NoError(t, <-old.ended)
	send(t, log, sent[2500:])
	awaitEnd(t, serving)
	requireServed(t, truth(t, "v2", partitions, sent), serving)
	replay.stop(t)
	mirror.stop(t)
	run.stop(t)
}

// Ensure that what could not become a copy of the log is refused.
func TestRepublishErrors(t *testing.T) {
	log := startLog(t, 1)
	ctx := context.Background()
	require.NoError(t, CreateTopics(ctx, log, 1, "v1"))
	cfg := testConfig(log)
	f := func(topic string, rate float64, want string) {
		t.Helper()
		require.ErrorContains(t, Republish(ctx, cfg, topic, rate, false), want)
	}
	f(copyTopic, 0, "archive: must be given")
	cfg.Archive = t.TempDir()
	f(copyTopic, 0, "there are no files of events in")
	f("", 0, "topic: must be given")
	f(eventlog.CarsTopic, 0, "topic cars: is the input itself")
	f(copyTopic, -1, "rate -1: must not be negative")

	// A dead letter that nobody has put aside yet.
	sent := contested(t, 2, 20)
	sent[5].Value = sent[5].Value[:7]
	cfg.Archive = sendAndArchive(t, log, sent, 1)
	f(copyTopic, 0, "offset 5 is neither a row of the archive nor on kappa.dead-letters")

	// An archive of a log that was cut before.
	require.NoError(t, log.DeleteRecords(ctx, eventlog.CarsTopic, []int64{30}))
	late := sinkConfig(t, log)
	sink := background(t, func(ctx context.Context) error { return Sink(ctx, late) })
	require.Eventually(t, func() bool {
		segments, err := scanDataset(late.masterDir())
		return err == nil && len(segments) > 0
	}, 20*time.Second, 5*time.Millisecond)
	sink.stop(t)
	cfg.Archive = late.Dir
	f(copyTopic, 0, "the archive begins at offset 30")
}

// Ensure that a log whose offsets have a gap, as an aborted transaction leaves one, is not copied past it: what comes behind
// would have other offsets in the copy.
func TestRepublishKeepsOffsets(t *testing.T) {
	log := startLog(t, 1)
	ctx := t.Context()
	require.NoError(t, CreateTopics(ctx, log, 1, "v1"))
	cfg := testConfig(log)
	var sent []eventlog.Record
	for seq := range int64(30) {
		sent = append(sent, recordOf(t, measured("a", seq, 1_000_000+seq*1000)))
	}
	cfg.Archive = sendAndArchive(t, log, sent[:20], 1)
	x, err := log.Transactor(ctx, "somebody")
	require.NoError(t, err)
	require.NoError(t, x.Begin())
	_, err = x.Append(ctx, eventlog.CarsTopic, 0, sent[20:21])
	require.NoError(t, err)
	x.Close()
	next, err := log.Transactor(ctx, "somebody") // aborts it
	require.NoError(t, err)
	next.Close()
	send(t, log, sent[21:])
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	require.ErrorContains(t, Republish(ctx, cfg, copyTopic, 0, true), "comes where 20 is next")
	ends, err := log.EndOffsets(t.Context(), copyTopic)
	require.NoError(t, err)
	require.Equal(t, []int64{20}, ends)
}

// Ensure that a rate is kept, whatever the size of what goes together.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, began, sent := pace{perSecond: 1000}, time.Now(), 0
		require.Equal(t, 50, p.atOnce())
		for range 100 {
			require.NoError(t, p.wait(t.Context(), 50))
			sent += 50
			require.LessOrEqual(t, float64(sent), 1000*time.Since(began).Seconds()+50.5)
		}
		require.Equal(t, 4950*time.Millisecond, time.Since(began))
		full := pace{}
		require.Equal(t, republishRecords, full.atOnce())
		require.NoError(t, full.wait(t.Context(), 1<<20))
	})
}
