package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/oracle"
	"lambdakappa/view"
)

// Ensure that a report is right only if it has every car of every day, to the last figure.
func TestFleetReportDiffers(t *testing.T) {
	windows, err := view.NewTable[view.WindowKey](windowsOf(3, 4))
	require.NoError(t, err)
	truth := oracle.Answer{Windows: windows}
	both := view.EmptyTally()
	for i := range windows {
		both.Merge(&windows[i].Tally)
	}
	right := carDayOf("car-00001", &both)
	require.EqualValues(t, 7, right.Readings)
	report := func(date string, cars ...carDay) *fleetReport {
		return &fleetReport{Days: []fleetDay{{Date: date, Cars: cars}}}
	}
	require.Empty(t, report("1970-01-01", right).differs(truth))
	require.Len(t, report("1970-01-01").differs(truth), 1, "the car is missing")
	require.Len(t, report("1970-01-02", right).differs(truth), 2, "another day")
	off := right
	off.SpeedMax++
	require.Equal(t, []string{"1970-01-01 car-00001"}, report("1970-01-01", off).differs(truth))
}

// Ensure that the age of a report is one of the wall clock.
func TestBatchAppSettings(t *testing.T) {
	workload := "{cars: 10, rate: 10, duration: 20s, repetitions: 1"
	require.ErrorContains(t, askWith(t, "batch-app", "{}", workload+"}"), "takes a workload with speedup 1")
	require.ErrorContains(t, askWith(t, "batch-app", "{}", workload+", disturb: late=0.1}"), "takes no late")
	require.NoError(t, askWith(t, "batch-app", "{}", workload+", speedup: 1}"))
	require.ErrorContains(t, askWith(t, "batch-app", "{}", "{cars: 10, rate: 10, duration: 4s, repetitions: 1, speedup: 1}"),
		"takes a workload of at least 5s, not 4s")
}

// Ensure that reports are made through whole roll intervals, and at every phase of one.
func TestReportMoments(t *testing.T) {
	require.Empty(t, reportMoments(4*time.Second))
	moments := reportMoments(7 * time.Second)
	require.Len(t, moments, 11)
	require.Equal(t, 3*time.Second, moments[0])
	require.Less(t, moments[10], 7*time.Second)
	met := map[time.Duration]bool{} // quarters of the interval
	for _, at := range moments {
		met[at%rollInterval/(rollInterval/4)] = true
	}
	require.Len(t, met, 4)
	require.Equal(t, 2.0, meanOf([]float64{1, 2, 3}))
}

// Ensure that the report behind either side is right, car by car.
func TestBatchApp(t *testing.T) {
	wholeScenario(t)
	t.Parallel()
	o := small(t, "batch-app")
	o.Cars, o.Rate = 50, 100
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.Len(t, s.Runs, 2)
	requireRight(t, s)
	for _, r := range s.Runs {
		require.Len(t, r.Figures, 4)
		require.Positive(t, r.Figures[0].Value, "nothing is archived at once")
	}
	requireNobodyLeft(t, o.Out)
}
