package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/eventlog/logtest"
)

// Ensure that what a topic says again is counted, and told as where it stands and what it repeats: one span per
// batch that was appended twice.
func TestRepeatsAreNamed(t *testing.T) {
	log := logtest.Open(t, logtest.Config(t))
	require.NoError(t, log.CreateTopics(t.Context(), eventlog.TopicSpec{Name: "alerts", Partitions: 2}))
	for _, batch := range []struct {
		partition int
		keys      []string
	}{
		{0, []string{"a", "b", "c"}}, {0, []string{"b", "c"}}, {0, []string{"d"}}, {0, []string{"d"}}, {1, []string{"e", "e"}},
	} {
		var records []eventlog.Record
		for _, key := range batch.keys {
			records = append(records, eventlog.Record{AppendTime: time.Now().UnixMilli(), Key: []byte(key)})
		}
		_, err := log.Append(t.Context(), "alerts", batch.partition, records)
		require.NoError(t, err)
	}
	all, again, err := readKeys(t.Context(), log, "alerts", reasonOf)
	require.NoError(t, err)
	require.Len(t, all, 5)
	require.Equal(t, 4, again.count)
	require.Equal(t, "alerts raised again: 4: alerts/0: offsets 3 to 4, as 1 to 2 before; "+
		"alerts/0: offsets 6 to 6, as 5 to 5 before; alerts/1: offsets 1 to 1, as 0 to 0 before",
		again.note(figureAlertsAgain, "alerts"))

	for n := range 3 {
		again.add(1, int64(10*n), 0, false)
	}
	require.Contains(t, again.note("x", "alerts"), "; and 3 more such spans", fmt.Sprint(again.spans))
}
