package kappa

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/view"
)

// Ensure that a view is added like new logic is: by a replay of the same version beside the live one,
// which takes over with all history, while answers go on; and that the way back is the same.
func TestAViewIsAddedByAReplay(t *testing.T) {
	log := startLog(t, 2)
	with, without := testConfig(log), testConfig(log)
	without.Views = view.Windows | view.Alerts
	require.NoError(t, CreateTopics(context.Background(), log, 2, without.ViewName()))
	sent := contested(t, 4, 30)
	send(t, log, sent[:80])
	serving, run := serve(t, without)
	old := background(t, func(ctx context.Context) error { return Process(ctx, without) })
	awaitEnd(t, serving)
	_, _, kept := serving.Trips(everything)
	require.False(t, kept, "not kept, which is not the same as none")
	require.Equal(t, without.Views, serving.Status().Views)
	awaitCommit(t, log, without.ViewName())

	// Who comes with other views than those that are live has nothing to do: it is not live.
	require.NoError(t, Process(context.Background(), with))

	replay := background(t, func(ctx context.Context) error {
		return Replay(ctx, with, time.Time{}, time.Time{})
	})
	require.Eventually(t, func() bool {
		windows, _ := serving.Windows(everything)
		require.Len(t, windows, 8, "answers go on")
		return serving.Status().Views == with.Views
	}, 20*time.Second, time.Millisecond)
	require.NoError(t, <-old.ended)
	requireDeleted(t, log, ChangelogTopic(without.ViewName()))
	send(t, log, sent[80:])
	awaitEnd(t, serving)
	requireServed(t, truth(t, "v1", 2, sent), serving)
	require.Equal(t, "v1", serving.Status().Version)

	back := background(t, func(ctx context.Context) error {
		return Replay(ctx, without, time.Time{}, time.Time{})
	})
	require.Eventually(t, func() bool { return serving.Status().Views == without.Views },
		20*time.Second, time.Millisecond)
	require.NoError(t, <-replay.ended)
	_, _, kept = serving.Trips(everything)
	require.False(t, kept)
	back.stop(t)
	run.stop(t)
}
