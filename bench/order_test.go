package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/datagen"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

func orderedOf(t *testing.T, late map[view.WindowKey]int64, readings ...int64) *ordered {
	t.Helper()
	o, err := newOrdered(answer{windows: windowsOf(readings...)})
	require.NoError(t, err)
	o.late = late
	return o
}

// Ensure that a difference is explained only by exactly as many late drops as readings are missing.
func TestUnexplained(t *testing.T) {
	first := view.WindowKey{CarID: "car-00001"}
	f := func(want int, live, got *ordered) {
		t.Helper()
		require.Len(t, unexplained(live, got), want)
	}
	live := orderedOf(t, map[view.WindowKey]int64{first: 1}, 9, 10)
	f(0, live, live)
	f(0, live, orderedOf(t, nil, 10, 10))
	f(0, live, orderedOf(t, map[view.WindowKey]int64{first: 10}, 0, 10))
	f(1, live, orderedOf(t, nil, 9, 10))
	f(1, live, orderedOf(t, map[view.WindowKey]int64{first: 2}, 9, 10))
	f(2, live, orderedOf(t, map[view.WindowKey]int64{first: 1}, 9, 9)) // as a row, and as a count
	f(1, live, orderedOf(t, map[view.WindowKey]int64{first: 1}, 9, 0, 0))

	other := orderedOf(t, map[view.WindowKey]int64{first: 1}, 9, 10)
	other.windows[1].SpeedMax = 7
	f(1, live, other)
}

// Ensure that the hash depends on every row and field, and not on the order in which rows were served.
func TestHashOfAnswers(t *testing.T) {
	one := answer{
		windows: windowsOf(3, 4),
		alerts:  []view.Alert{{AlertKey: view.AlertKey{CarID: "car-00001", Seq: 1}, Score: 2}},
	}
	hash := func(a answer) string {
		o, err := newOrdered(a)
		require.NoError(t, err)
		return o.hash
	}
	want := hash(one)
	rows := windowsOf(3, 4)
	require.Equal(t, want, hash(answer{windows: []view.Window{rows[1], rows[0]}, alerts: one.alerts}))
	require.NotEqual(t, want, hash(answer{windows: windowsOf(3, 5), alerts: one.alerts}))
	require.NotEqual(t, want, hash(answer{windows: one.windows}))
	rows[1].TirePressureMin++
	require.NotEqual(t, want, hash(answer{windows: rows, alerts: one.alerts}))
}

// Ensure that the parts of a workload are the workload.
func TestOnlyPartition(t *testing.T) {
	w := workload{spec: datagen.Spec{Seed: 1, Cars: 20, Rate: 20, Duration: 10 * time.Second, Start: datagen.DefaultStart()}}
	var sum int64
	for p := range 3 {
		plan, err := w.open()
		require.NoError(t, err)
		var e datagen.Planned
		for source := onlyPartition(plan.Source, p, 3); source.Next(&e); sum++ {
			require.Equal(t, p, eventlog.PartitionOf([]byte(e.Event.CarID), 3))
		}
	}
	require.Equal(t, w.spec.Events(), sum)
}

// Ensure that settings of another order that cannot work are refused by name.
func TestOrderSettings(t *testing.T) {
	f := func(want, with, disturb string) {
		t.Helper()
		err := askWith(t, "order", with, "{cars: 10, rate: 10, duration: 20s, repetitions: 1, disturb: \""+disturb+"\"}")
		require.ErrorContains(t, err, want)
	}
	f("with: partitions 0: must be above 0", "{processes: 2}", "")
	f("with: partitions 2: must be above 0 and another number than 2", "{partitions: 2, processes: 2}", "")
	f("with: processes 1: must be at least 2", "{partitions: 3, processes: 1}", "")
	f("with: partitions 3: takes a workload without duplicates", "{partitions: 3, processes: 2}", "duplicates=0.1")
}

// Ensure that the answers of a replay are those of the live run, to the hash, and that another number of
// partitions differs by late drops alone.
func TestOrder(t *testing.T) {
	wholeScenario(t)
	t.Parallel()
	o := small(t, "order")
	o.Duration = 30 * time.Minute
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.Len(t, s.Runs, 2*len(orderPhases))
	requireRight(t, s)
	dropped := 0.0
	for _, r := range s.Runs {
		require.Equal(t, figureUnlikeLive, r.Figures[0].Name)
		if r.Phase != phaseRepartitioned {
			require.Zero(t, r.Figures[0].Value, "%s %s", r.Arm, r.Phase)
		}
		if r.Arm == armKappa {
			dropped += r.Figures[1].Value
		}
	}
	require.NotZero(t, dropped, "something was late")
	requireNobodyLeft(t, o.Out)
}
