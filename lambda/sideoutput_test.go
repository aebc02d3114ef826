package lambda

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// leaking is a reading with a leak on the back axle: v2 raises an alert, v1 sees nothing.
func leaking(car string, seq, at int64) event.CarSensor {
	e := measured(car, seq, at)
	e.TirePressure21 = 13
	return e
}

// announced returns the seqs on the alert topic, ascending, by version.
func announced(t testing.TB, log *eventlog.Log) map[string][]int64 {
	t.Helper()
	seqs := map[string]*seqSet{}
	for _, records := range readTopic(t, log, AlertsTopic) {
		for _, r := range records {
			var m alertMessage
			require.NoError(t, json.Unmarshal(r.Value, &m))
			if seqs[m.Version] == nil {
				seqs[m.Version] = &seqSet{}
			}
			seqs[m.Version].add(m.Seq)
		}
	}
	all := map[string][]int64{}
	for version, set := range seqs {
		all[version] = set.above(nil, -1)
	}
	return all
}

// awaitSaid waits until the side outputs are complete up to offset.
func awaitSaid(t testing.TB, cfg Config, offset int64) {
	t.Helper()
	require.Eventually(t, func() bool {
		commits, err := cfg.Log.Committed(context.Background(), speedGroup, eventlog.CarsTopic)
		require.NoError(t, err)
		return commits[0].Offset == offset
	}, patience, pollInterval)
}

// Ensure that a new version announces its alerts from its boundary on, also of events of which the
// old version has said everything, wherever the speed layer dies meanwhile; and that it does not
// say again what was late. (Invariant 6.)
func TestAlertsOfANewVersion(t *testing.T) {
	f := func(name string, takeUp func(t *testing.T, cfg Config, stopSpeed func())) {
		t.Run(name, func(t *testing.T) {
			cfg := logConfig(t, startLog(t, 1))
			var records []eventlog.Record
			for seq := range int64(40) {
				records = append(records, recordOf(t, leaking("car-1", seq, 1_000_000+seq*1000)))
			}
			records = append(records, recordOf(t, leaking("car-1", 40, 900_000))) // late
			stopIngest := start(t, cfg, Ingest)
			stopSpeed := start(t, cfg, Speed)
			send(t, cfg.Log, records[:20])
			batch(t, cfg)
			stopIngest() // no boundary goes beyond 20
			send(t, cfg.Log, records[20:])
			awaitSaid(t, cfg, 41)
			require.Empty(t, announced(t, cfg.Log))

			cfg.Version = "v2"
			m, err := RunBatch(context.Background(), cfg)
			require.NoError(t, err)
			require.EqualValues(t, 20, m.boundary(0))
			takeUp(t, cfg, stopSpeed)
			s := serve(t, cfg)
			requireTruth(t, s, settle(t, s, m.Generation))
			want := (&seqSet{{20, 39}}).above(nil, -1)
			require.Equal(t, map[string][]int64{"v2": want}, announced(t, cfg.Log))
			require.Len(t, readTopic(t, cfg.Log, LateTopic)[0], 1)
		})
	}
	f("beside the old one", func(*testing.T, Config, func()) {})
	f("after a crash", func(t *testing.T, cfg Config, stopSpeed func()) {
		stopSpeed()
		crashing := cfg
		crashing.fault = crashAt("side outputs", 2) // the first flush begins the generation
		crash(t, crashing, Speed)
		start(t, cfg, Speed)
	})
}

// Ensure that other rules under the same version say what the ones before them had left out: an event that was late is none by
// a longer lateness, and raises its alert. (Invariant 6.)
func TestAlertsOfOtherRules(t *testing.T) {
	cfg := logConfig(t, startLog(t, 1))
	cfg.Version = "v2"
	var records []eventlog.Record
	for seq := range int64(40) {
		records = append(records, recordOf(t, leaking("car-1", seq, 1_000_000+seq*1000)))
	}
	records = append(records, recordOf(t, leaking("car-1", 40, 900_000))) // late
	stopIngest := start(t, cfg, Ingest)
	start(t, cfg, Speed)
	send(t, cfg.Log, records[:20])
	batch(t, cfg)
	stopIngest() // no boundary goes beyond 20
	send(t, cfg.Log, records[20:])
	awaitSaid(t, cfg, 41)
	require.Equal(t, map[string][]int64{"v2": (&seqSet{{0, 39}}).above(nil, -1)}, announced(t, cfg.Log))

	cfg.Rules.AllowedLateness = 600_000
	m, err := RunBatch(t.Context(), cfg)
	require.NoError(t, err)
	require.EqualValues(t, 20, m.boundary(0))
	s := serve(t, cfg)
	requireTruth(t, s, settle(t, s, m.Generation))
	require.Equal(t, map[string][]int64{"v2": (&seqSet{{0, 40}}).above(nil, -1)}, announced(t, cfg.Log))
}

// Ensure that nothing comes twice while generations follow each other, for as long as nobody dies: the next
// one leaves it to the live one, and says what that one has not come to.
func TestGenerationsSayOnce(t *testing.T) {
	cfg := logConfig(t, startLog(t, 1))
	cfg.Version = "v2"
	start(t, cfg, Ingest)
	start(t, cfg, Speed)
	s := serve(t, cfg)
	seq := int64(0)
	some := func() []eventlog.Record {
		records := []eventlog.Record{recordOf(t, leaking("car-1", seq, 1_000_000+seq*1000))}
		if seq%5 == 4 {
			records = append(records, recordOf(t, leaking("car-2", seq, 900_000))) // late
		}
		seq++
		return records
	}
	sent := 0
	for range 5 {
		for range 20 {
			send(t, cfg.Log, some())
		}
		m, err := RunBatch(t.Context(), cfg)
		require.NoError(t, err)
		for s.Status().Generation < m.Generation {
			send(t, cfg.Log, some())
			time.Sleep(5 * time.Millisecond) // a pace, and no wait for anything
			sent++
		}
	}
	ends, err := cfg.Log.EndOffsets(t.Context(), eventlog.CarsTopic)
	require.NoError(t, err)
	awaitSaid(t, cfg, ends[0])
	for topic, want := range map[string]int64{AlertsTopic: seq, LateTopic: seq / 5} {
		require.EqualValues(t, want, len(readTopic(t, cfg.Log, topic)[0]), topic)
	}
	require.NotZero(t, sent)
}
