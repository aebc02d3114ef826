package oracle

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/view"
)

// Ensure that another version from the boundary on flags what it flags, and that below it nothing
// moves: the step of a change that was deployed to one layer only.
func TestAnotherVersionAboveTheBoundary(t *testing.T) {
	flagged := func(version, above string, boundary int64) (seqs []int64) {
		o, err := New(Config{
			WindowMs: 10_000, LatenessMs: 30_000, Version: version, Above: above, Partitions: 1,
		})
		require.NoError(t, err)
		for i := range int64(4) {
			o.Add(Entry{Offset: i, Event: &event.CarSensor{
				CarID: "a", Seq: i, EventTime: 1000 * i, BatteryVoltage: 240,
				TirePressure11: 32, TirePressure12: 32, TirePressure21: 13, TirePressure22: 32,
			}, AppendTime: 1000 * i})
		}
		answer := o.Lambda([]int64{boundary})
		for _, a := range answer.Alerts {
			require.Equal(t, view.TireLeak, a.Rule)
			seqs = append(seqs, a.Seq)
		}
		require.EqualValues(t, len(seqs), answer.Windows[0].Anomalies)
		return seqs
	}
	require.Equal(t, []int64{0, 1, 2, 3}, flagged("v2", "", 2))
	require.Equal(t, []int64{0, 1}, flagged("v2", "v1", 2))
	require.Equal(t, []int64{2, 3}, flagged("v1", "v2", 2))
	require.Empty(t, flagged("v2", "v1", 0))
	_, err := New(Config{WindowMs: 1, Version: "v1", Above: "v9", Partitions: 1})
	require.ErrorContains(t, err, `version "v9"`)
}
