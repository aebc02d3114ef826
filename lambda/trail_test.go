package lambda

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// A recorder is a topic's partition of which it remembers where it begins.
type recorder struct {
	begins  map[string]int64
	refuses map[string]error
}

func (r *recorder) DeleteRecords(_ context.Context, topic string, before []int64) error {
	r.begins[topic] = before[len(before)-1]
	return r.refuses[topic]
}

// Ensure that what is deleted is what was written so long ago, in event time, that nobody answers for it; that it
// does go; and that a trail is no longer than the retention.
func TestATrailLosesNothingThatIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := event.DefaultRules()
		keep := rules.Settled() + rapid.Int64Range(0, 200_000).Draw(t, "keep")
		trail, topic := newTrail(rules, keep), &recorder{begins: map[string]int64{}}
		newest, greatest := []int64{}, int64(0) // event time that a record may be of, by its offset
		w := event.NoWatermark
		for range rapid.IntRange(1, 200).Draw(t, "flushes") {
			first := int64(len(newest))
			greatest += rapid.Int64Range(0, 30_000).Draw(t, "on")
			w = rules.Advance(w, greatest)
			for range rapid.IntRange(1, 3).Draw(t, "records") {
				newest = append(newest, greatest)
			}
			trail.note("rows", first, w)
			require.NoError(t, trail.trim(context.Background(), topic, 3, w, func(fact string, _ ...any) { require.Fail(t, fact) }))
			from := rules.KeptFrom(w, keep)
			for _, at := range newest[:topic.begins["rows"]] {
				require.Less(t, rules.WindowStart(at), from)
			}
			require.LessOrEqual(t, int64(len(trail.marks["rows"])), keep/rules.Window+4)
		}
		if long := greatest - newest[0]; long > 2*keep+100_000 {
			require.Positive(t, topic.begins["rows"])
		}
	})
}

// Ensure that ingest, started again, knows how far the watermark was: a dead letter that comes among late events is not taken
// for one of long ago, to be deleted early.
func TestIngestGoesOnWithItsTrail(t *testing.T) {
	cfg := testConfig(t)
	cfg.ViewRetention = time.Duration(cfg.Rules.Settled()) * time.Millisecond
	ingestAll(t, cfg, disturbed(t, 1, 3, 900))
	m := runBatchOnce(t, cfg)
	at := m.watermark(0)

	task := newIngestTask(cfg, 0, &deadLetterBox{}, schemas{})
	task.position = m.boundary(0)
	require.NoError(t, task.resumeTrail())
	late := recordOf(t, measured(carName(0), 5000, int64(at)-200_000))
	late.Offset = task.position
	bad := eventlog.Record{Offset: late.Offset + 1, Value: []byte("broken")}
	require.NoError(t, task.add(t.Context(), []eventlog.Record{late, bad}))
	require.NoError(t, task.abandon())
	require.Equal(t, []mark{{0, at}}, task.trail.marks[DeadLettersTopic])
}

// Ensure that a topic that may not be trimmed ends who writes it, with an error that names it, and that a broker which
// is away does not, and is told.
func TestATopicThatMayNotBeTrimmed(t *testing.T) {
	rules := event.DefaultRules()
	told := 0
	tell := func(fact string, _ ...any) {
		require.Equal(t, "trim failed", fact)
		told++
	}
	trim := func(err error) error {
		trail := newTrail(rules, rules.Settled())
		trail.note("rows", 7, 0)
		topic := &recorder{map[string]int64{}, map[string]error{"rows": err}}
		defer func() { require.EqualValues(t, 7, topic.begins["rows"]) }()
		return trail.trim(context.Background(), topic, 0, 1_000_000, tell)
	}
	require.ErrorContains(t, trim(eventlog.ErrRefused), "trim rows: the cluster refuses")
	require.Zero(t, told)
	require.NoError(t, trim(context.DeadlineExceeded))
	require.Equal(t, 1, told)
	require.NoError(t, trim(nil))
	require.Equal(t, 1, told)
}

// Ensure that nothing is noted, and nothing goes, where everything is kept.
func TestNoTrailWhereEverythingIsKept(t *testing.T) {
	trail := newTrail(event.DefaultRules(), 0)
	trail.note("rows", 7, 0)
	require.Empty(t, trail.marks)
	require.Empty(t, trail.passed(1_000_000_000))
}

// Ensure that ingest forgets dead letters of long ago also when no new one comes: a re-drive would send those again whose copies
// the log has forgotten.
func TestIngestForgetsDeadLetters(t *testing.T) {
	log := startLog(t, 1)
	cfg := logConfig(t, log)
	cfg.ViewRetention = time.Duration(cfg.Rules.Settled()) * time.Millisecond
	var records []eventlog.Record
	drive := func(from, seconds int64) {
		for s := range seconds {
			records = append(records, recordOf(t, measured("a", from+s, 1_000_000+(from+s)*1000)))
		}
	}
	broken := func() {
		r := recordOf(t, measured("b", int64(len(records)), 1_000_000))
		r.Value = r.Value[:7]
		records = append(records, r)
	}
	start(t, cfg, Ingest)
	for part := range int64(2) {
		records = nil
		drive(part*30, 30)
		broken()
		send(t, log, records)
		letters := part + 1
		require.Eventually(t, func() bool {
			ends, err := log.EndOffsets(t.Context(), DeadLettersTopic)
			return err == nil && ends[0] == letters
		}, patience, pollInterval)
	}
	records = nil
	drive(60, 1000)
	send(t, log, records)
	require.Eventually(t, func() bool {
		starts, err := log.StartOffsets(t.Context(), DeadLettersTopic)
		return err == nil && starts[0] == 1 // the newest stays, as it does on the other topics
	}, patience, pollInterval)
}
