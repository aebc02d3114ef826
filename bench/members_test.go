package bench

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/result"
	"lambdakappa/bench/supervise"
)

// life is what a process said, by the second: "0 assigned 1" is partition 1 at second 0.
func life(t *testing.T, lines ...string) *supervise.Facts {
	f := supervise.NewFacts()
	for _, line := range lines {
		var second, partition int
		var event string
		_, err := fmt.Sscan(line, &second, &event, &partition)
		require.NoError(t, err, line)
		raw, err := json.Marshal(map[string]any{"event": event, "partition": partition})
		require.NoError(t, err)
		f.Add(supervise.Fact{Event: event, At: time.Unix(int64(second), 0), Raw: raw})
	}
	return f
}

// Ensure that a partition stands still from when its last holder has let go of it, or was killed, to when
// the next one goes on; and not while somebody has it.
func TestPauses(t *testing.T) {
	var all []holding
	for _, l := range []*supervise.Facts{
		life(t, "0 assigned 0", "0 assigned 1", "10 released 0", "10 released 1", "12 assigned 0", "30 released 0"),
		life(t, "12 assigned 1", "13 restored 1", "20 killed 0"),
		life(t, "25 assigned 1", "30 assigned 0", "31 released 0"),
		life(t, "26 assigned 1", "29 released 1"), // beside the one that has it
	} {
		all = append(all, holdingsOf(l)...)
	}
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	found := pauses(all)
	require.Equal(t, []standstill{
		{0, at(10), 2 * time.Second}, {1, at(10), 3 * time.Second}, {1, at(20), 5 * time.Second},
	}, found)

	require.Equal(t, "join kappa process at 9.0 s: partition 0 for 2000 ms, partition 1 for 3000 ms\n"+
		"kill kappa process at 20.0 s: partition 1 for 5000 ms\n"+
		"leave kappa process at 29.0 s: no partition stands still",
		describePauses(at(0), []result.Mark{
			{Name: "leave kappa process", From: 29}, {Name: "join kappa process", From: 9}, {Name: "kill kappa process", From: 20},
		}, found))
}

// Ensure that every fault of the log is told with the slowest acknowledgement of its own time, and others not.
func TestOutages(t *testing.T) {
	began := time.Unix(1000, 0)
	marks := []result.Mark{
		{Name: "broker-down", From: 5, To: 10},
		{Name: "kill kappa process", From: 20, To: 21},
		{Name: "broker-join", From: 30, To: 40},
	}
	a := Acked{Slow: map[int64]float64{1004: 1830.4, 1011: 9000, 1020: 7000}}
	require.Equal(t, "slowest acknowledgement of what was due while it lasted: broker-down at 5.0 s: 1830 ms; "+
		"broker-join at 30.0 s: below 100ms", describeOutages(began, marks, a))
	require.Empty(t, describeOutages(began, marks[1:2], a))

	clock := newPaceClock(Pace{Speedup: 1})
	l := newLane(0, &clock)
	now := time.Now()
	l.acknowledge(&load{intended: []int64{now.Add(-2 * time.Second).UnixNano(), now.UnixNano()}})
	require.Len(t, l.slow, 1)
	require.GreaterOrEqual(t, l.slow[now.Add(-2*time.Second).Unix()], int64(2*time.Second))
}
