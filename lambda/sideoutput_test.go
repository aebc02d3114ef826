package lambda

import (
	"context"
	"encoding/json"
	"testing"

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
