package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/result"
	"lambdakappa/datagen"
)

// Ensure that the planned events of a range are those that were measured in it, late or not.
func TestPlannedEvents(t *testing.T) {
	w := workload{spec: datagen.Spec{
		Seed: 1, Cars: 100, Rate: 100, Duration: time.Minute, Start: datagen.DefaultStart(),
		Disturbances: datagen.Disturbances{Late: 0.05},
	}}
	l := &timeTravel{Ranges: []time.Duration{10 * time.Second, time.Minute}}
	counts, err := l.plan(w)
	require.NoError(t, err)
	require.Equal(t, []int64{1000, w.spec.Events()}, counts)
	require.Equal(t, w.spec.Start.Add(25*time.Second), middle(w.spec, 10*time.Second))
}

// Ensure that what is read is set against what was wanted.
func TestFoundFigures(t *testing.T) {
	var r result.Run
	keptIn(&r, 3000, 100)
	found{Wanted: 200, Read: 500, MS: 7}.fill(&r, time.Minute)
	found{MS: 1}.fill(&r, time.Second)
	require.Equal(t, []result.Figure{
		{Name: figureKept, Unit: "B", Value: 30},
		{Name: "time for 1m0s", Unit: "ms", Value: 7},
		{Name: "bytes read per byte wanted for 1m0s", Value: 2.5},
		{Name: "time for 1s", Unit: "ms", Value: 1},
	}, r.Figures)
}

// Ensure that settings of time travel that cannot work are refused by name.
func TestTimeTravelSettings(t *testing.T) {
	f := func(want, with, disturb string) {
		t.Helper()
		err := askWith(t, "time-travel", with, "{cars: 10, rate: 10, duration: 20s, repetitions: 1, disturb: \""+disturb+"\"}")
		require.ErrorContains(t, err, want)
	}
	f("with: ranges: must be given", "{late: 1s}", "")
	f("with: ranges[1] 1m0s: must be within the history of 20s", "{ranges: [1s, 1m], late: 1s}", "")
	f("with: late: must be given", "{ranges: [1s]}", "")
	f("with: late 1s: the workload has events that are 1m39s late", "{ranges: [1s], late: 1s}", "late=0.01")
	f(`with: compressed: "lambda" is no arm like kappa`, "{ranges: [1s], late: 1s, compressed: [lambda]}", "")
	f("with: late 2m0s: takes a workload that is at most out-of-order and late", "{ranges: [1s], late: 2m}", "duplicates=0.01")
}

// Ensure that arms with a compressed log have one of their own, whatever their turn.
func TestLogsOfTimeTravel(t *testing.T) {
	l := &timeTravel{Compressed: []string{"kappa-zstd"}}
	require.Equal(t, [][]string{{"kappa", "lambda"}, {"kappa-zstd"}}, l.logs([]string{"kappa-zstd", "kappa", "lambda"}))
	require.Equal(t, [][]string{{"kappa-zstd"}}, l.logs([]string{"kappa-zstd"}))
	require.Contains(t, workload{packed: true}.args(), "--compression")
	require.NotContains(t, workload{}.args(), "--compression")
}

// Ensure that a compressed log takes fewer bytes, and that the same events are found in it.
func TestRetention(t *testing.T) {
	wholeScenario(t)
	t.Parallel()
	o := small(t, "retention")
	o.Cars, o.Rate, o.Duration = 50, 500, time.Minute
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	kept := map[string]float64{}
	for _, r := range s.Runs {
		require.True(t, r.OK, r.Error)
		require.Equal(t, figureKept, r.Figures[0].Name)
		kept[r.Arm] = r.Figures[0].Value
	}
	require.Len(t, kept, 3)
	require.Less(t, kept["kappa-zstd"], kept["kappa"]/2)
	requireNobodyLeft(t, o.Out)
}

// Ensure that both sides find the same events, and those that were planned.
func TestTimeTravel(t *testing.T) {
	wholeScenario(t)
	t.Parallel()
	o := small(t, "time-travel")
	o.Cars, o.Rate, o.Duration = 50, 50, 2*time.Minute
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.Len(t, s.Runs, 2)
	for _, r := range s.Runs {
		require.True(t, r.OK, r.Error)
		require.Len(t, r.Checks, 3)
		require.Len(t, r.Figures, 7)
	}
	requireNobodyLeft(t, o.Out)
}
