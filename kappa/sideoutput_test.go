package kappa

import (
	"context"
	"encoding/json"
	"slices"
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
	all := map[string][]int64{}
	for _, r := range readAll(t, log, AlertsTopic) {
		var m alertMessage
		require.NoError(t, json.Unmarshal(r.Value, &m))
		all[m.Version] = append(all[m.Version], m.Seq)
	}
	for version, seqs := range all {
		slices.Sort(seqs)
		all[version] = slices.Compact(seqs)
	}
	return all
}

// Ensure that a new version announces its alerts from where its replay begins, also of events of
// which the old version has said everything.
func TestAlertsOfANewVersion(t *testing.T) {
	f := func(name string, from time.Time, first int64) {
		t.Run(name, func(t *testing.T) {
			log := startLog(t, 1)
			require.NoError(t, CreateTopics(context.Background(), log, 1, "v1"))
			var want []int64
			for seq := range int64(40) {
				r := recordOf(t, leaking("car-1", seq, 1_000_000+seq*1000))
				send(t, log, []eventlog.Record{r})
				if seq >= first {
					want = append(want, seq)
				}
			}
			cfg := testConfig(log)
			serving, run := serve(t, cfg)
			old := background(t, func(ctx context.Context) error { return Process(ctx, cfg) })
			awaitEnd(t, serving)
			require.Empty(t, announced(t, log))

			cfg.Version = "v2"
			replay := background(t, func(ctx context.Context) error {
				return Replay(ctx, cfg, from, time.Time{})
			})
			awaitVersion(t, serving, "v2")
			require.Equal(t, map[string][]int64{"v2": want}, announced(t, log))
			require.NoError(t, <-old.ended)
			replay.stop(t)
			run.stop(t)
		})
	}
	f("of everything", time.Time{}, 0)
	f("from some point", time.UnixMilli(1_020_000), 20)
}
