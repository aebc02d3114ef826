package lambda

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
)

// Ensure that answers stay when it cannot be found out where the input ends, as while the broker is
// away: only the status needs that.
func TestAnswersStayWhenTheInputCannotBeReached(t *testing.T) {
	t.Parallel() // it mostly waits
	log := startLog(t, 1)
	cfg := logConfig(t, log)
	stopSpeed := start(t, cfg, Speed)
	s := serve(t, cfg) // at the end of the test it must end well
	send(t, log, []eventlog.Record{recordOf(t, measured("car-1", 0, 1000))})
	settle(t, s, 0)
	stopSpeed()

	ctx := context.Background()
	require.NoError(t, log.DeleteTopics(ctx, eventlog.CarsTopic))
	require.Eventually(t, func() bool { return s.look(ctx) != nil }, patience, time.Millisecond)
	time.Sleep(2 * endsAge) // for the serving's own look to have failed
	_, found := s.Latest(ctx, "car-1", -1, httpapi.Merged)
	require.True(t, found)
	require.EqualValues(t, 1, s.Status().Partitions[0].EndOffset)
}
