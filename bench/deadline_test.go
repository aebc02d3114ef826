package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/result"
	"lambdakappa/view"
)

func windowsOf(readings ...int64) (rows []view.Window) {
	for i, n := range readings {
		if n > 0 {
			w := view.Window{WindowKey: view.WindowKey{CarID: "car-00001", Start: int64(i) * 1e4}}
			w.Readings = n
			rows = append(rows, w)
		}
	}
	return rows
}

// Ensure that a row which is there and not yet right counts as present and not as exact.
func TestServedAtADeadline(t *testing.T) {
	truth, err := view.NewTable[view.WindowKey](windowsOf(10, 10, 10, 10))
	require.NoError(t, err)
	at := func(after time.Duration, readings ...int64) served {
		s := served{after: after, windows: windowsOf(readings...)}
		require.NoError(t, s.compare(truth, nil))
		return s
	}
	var r result.Run
	fillDeadlines(&r, []served{
		at(time.Second), at(2*time.Second, 10, 4), at(4*time.Second, 10, 10, 10, 9), at(6*time.Second, 10, 10, 10, 10),
	})
	figures := map[string]float64{}
	for _, f := range r.Figures {
		figures[f.Name] = f.Value
	}
	require.Equal(t, map[string]float64{
		"rows exact after 1s": 0, "rows present after 1s": 0,
		"rows exact after 2s": 25, "rows present after 2s": 50,
		"rows exact after 4s": 75, "rows present after 4s": 100,
		"rows exact after 6s": 100, "rows present after 6s": 100,
		figureExactMean: 50, figureExactUntil: 5.92, // of the way from 75 to 100
	}, figures)
	require.Equal(t, [][2]float64{{1, 0}, {2, 25}, {4, 75}, {6, 100}}, r.Series[0].Points)

	double := served{windows: append(windowsOf(1), windowsOf(2)...)}
	require.Error(t, double.compare(truth, nil), "a window must not be served twice")
}

// Ensure that a time is read between the two deadlines that it lies between, and not made up when it lies
// behind the last one.
func TestTimeUntilRowsAreExact(t *testing.T) {
	f := func(want float64, reached bool, line ...[2]float64) {
		t.Helper()
		got, ok := timeUntil(line, 99)
		require.Equal(t, reached, ok)
		require.InDelta(t, want, got, 1e-9)
	}
	f(2.98, true, [2]float64{1, 0}, [2]float64{2, 50}, [2]float64{3, 100})
	f(0.99, true, [2]float64{1, 100}, [2]float64{2, 100})
	f(2, true, [2]float64{1, 98}, [2]float64{2, 99})
	f(0, false, [2]float64{1, 0}, [2]float64{2, 98.9})
	f(0, false)
}

// Ensure that deadlines that cannot work are refused by name.
func TestDeadlineSettings(t *testing.T) {
	workload := "{cars: 10, rate: 10, duration: 20s, repetitions: 1}"
	require.NoError(t, askWith(t, "deadline", "{after: [1s, 2s]}", workload))
	require.ErrorContains(t, askWith(t, "deadline", "{}", workload), "with: after: must be given")
	require.ErrorContains(t, askWith(t, "deadline", "{after: [2s, 1s]}", workload), "with: after[1] 1s: must be above 0")
	require.ErrorContains(t, askWith(t, "deadline", "{after: [1s], archived: [kappa]}", workload), `with: archived: "kappa" is no arm like lambda`)
	require.ErrorContains(t, askWith(t, "deadline", "{after: [0s]}", workload), "with: after[0] 0s: must be above 0")
}

// Ensure that both arms are cut off with real processes, and are right when they may finish.
func TestDeadline(t *testing.T) {
	wholeScenario(t)
	t.Parallel()
	o := small(t, "deadline")
	o.Cars, o.Rate, o.Duration = 50, 50, time.Minute
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.Len(t, s.Runs, 3)
	requireRight(t, s)
	for _, r := range s.Runs {
		require.Equal(t, figureExactMean, r.Figures[0].Name)
		require.Equal(t, figureExactUntil, r.Figures[1].Name)
		last := r.Figures[len(r.Figures)-1]
		require.Equal(t, result.Figure{Name: "rows present after 6s", Unit: "%", Value: 100}, last)
	}
}
