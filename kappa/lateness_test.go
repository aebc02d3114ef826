package kappa

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/view"
)

// Ensure that an event which comes long after its window was closed, such as a dead letter that was
// re-driven, is dropped by the live version and by a replay under the same rules, and counted by a
// replay under another version that allows more lateness.
func TestReplayWithMoreLateness(t *testing.T) {
	log := startLog(t, 1)
	live := testConfig(log)
	require.NoError(t, CreateTopics(context.Background(), log, 1, live.Version))
	again := recordOf(t, measured("car-1", 1, 2_000))
	send(t, log, numbered(recordOf(t, measured("car-1", 0, 1_000)),
		recordOf(t, measured("car-1", 2, 600_000)), again))
	background(t, func(ctx context.Context) error { return Process(ctx, live) })
	s, _ := serve(t, live)
	awaitEnd(t, s)
	first := func() view.Window {
		windows, _ := s.Windows(everything)
		require.Len(t, windows, 2)
		return windows[0]
	}
	require.EqualValues(t, 1, first().Readings)

	replay := func(cfg Config, version string) {
		cfg.Version = version
		background(t, func(ctx context.Context) error {
			return Replay(ctx, cfg, time.Time{}, time.Time{})
		})
		awaitVersion(t, s, version)
		awaitEnd(t, s)
	}
	replay(live, "v2")
	require.EqualValues(t, 1, first().Readings, "the order of the log is the same")
	patient := live
	patient.Rules.AllowedLateness = 3_600_000
	replay(patient, "v3")
	require.EqualValues(t, 2, first().Readings)
}
