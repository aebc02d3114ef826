package kappa

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// readingsIn adds up what windows say.
func readingsIn(windows []view.Window) (readings int64) {
	for _, w := range windows {
		readings += w.Readings
	}
	return readings
}

// careless is a life of a task that does not de-duplicate.
func (m *memory) careless(t testing.TB) *task {
	task := m.resume(t)
	task.cfg.Mistakes.CountRepeats = true
	task.cfg.Mistakes.tell(task.state)
	return task
}

// Ensure that without de-duplication every delivery counts, that nothing else changes, and that the
// view says so.
func TestCountRepeats(t *testing.T) {
	for seed := range uint64(4) {
		log := disturbed(t, seed, 3, 500)
		truth := straight(t, log)
		m := newMemory()
		task := m.careless(t)
		for i := range log {
			require.NoError(t, task.judge(&log[i]))
		}
		m.flush(t, task, math.MaxInt)
		got := m.outcome(t)
		repeats := truth.Progress.Counters.Duplicates + truth.Progress.Counters.Conflicts
		require.Positive(t, repeats)
		// A reading that was late once and in time before is a repeat to one and late to the other.
		require.Equal(t, readingsIn(truth.Windows)+repeats, readingsIn(got.Windows))
		require.Equal(t, truth.Progress.Counters.DroppedLate, got.Progress.Counters.DroppedLate)
		require.Zero(t, got.Progress.Counters.Duplicates+got.Progress.Counters.Conflicts)
		require.Equal(t, "no de-duplication", got.Progress.Mistake)
		require.Empty(t, truth.Progress.Mistake)
	}
}

// Ensure that a crash doubles exactly what lies between the commit and the changelog that was ahead
// of it, on a log that has every reading once, and that it stays so.
func TestCrashDoublesWithoutDeduplication(t *testing.T) {
	var log []eventlog.Record
	for seq := range int64(30) {
		log = append(log, recordOf(t, measured("a", seq, 1_000_000+seq*500)))
	}
	log = numbered(log...)
	truth := straight(t, log)
	for _, committed := range []int{0, 7, 20} {
		m := newMemory()
		task := m.careless(t)
		for i := range log[:20] {
			require.NoError(t, task.judge(&log[i]))
			m.flush(t, task, math.MaxInt)
			if i+1 == committed {
				m.commitAt(t, task)
			}
		}
		task = m.careless(t) // it was killed
		require.EqualValues(t, committed, task.Position)
		for i := range log[committed:] {
			require.NoError(t, task.judge(&log[committed+i]))
			m.flush(t, task, math.MaxInt)
		}
		got := m.outcome(t)
		require.Equal(t, "no de-duplication", got.Progress.Mistake)
		require.Equal(t, readingsIn(truth.Windows)+int64(20-committed), readingsIn(got.Windows))
		require.Equal(t, len(truth.Windows), len(got.Windows))
		require.Len(t, truth.Trips, 1)
		require.Len(t, got.Trips, 1)
		require.Equal(t, truth.Trips[0].Readings+int64(20-committed), got.Trips[0].Readings)
		require.Equal(t, truth.Progress.Counters, got.Progress.Counters, "they are those of the commit")
	}
}

// Ensure that rows say that a mistake had a hand in them also when a later life makes none.
func TestMistakesAreRemembered(t *testing.T) {
	log := disturbed(t, 1, 3, 200)
	m := newMemory()
	task := m.careless(t)
	for i := range log[:100] {
		require.NoError(t, task.judge(&log[i]))
	}
	m.flush(t, task, math.MaxInt)
	m.commitAt(t, task)
	task = m.resume(t)
	for i := range log[100:] {
		require.NoError(t, task.judge(&log[100+i]))
	}
	m.flush(t, task, math.MaxInt)
	require.Equal(t, "no de-duplication", m.outcome(t).Progress.Mistake)
}
