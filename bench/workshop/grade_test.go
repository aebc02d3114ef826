package workshop

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/result"
)

// Ensure that a code task is green only if something was run and all of it is right, and that red says why.
func TestGraded(t *testing.T) {
	e := &Exercise{Kind: TaskInKappa, Command: []string{"bench", "--scenario", "dir/s.yaml"}}
	f := func(green bool, says string, runs ...result.Run) {
		t.Helper()
		g := Graded(e, &Left{Summary: &result.Summary{Runs: runs}})
		require.Equal(t, green, g.Green, g.Lines)
		require.Contains(t, strings.Join(g.Lines, "\n"), says)
	}
	right := runOf("kappa")
	right.Checks = []result.Check{{Name: "windows at the end", OK: true}}
	wrong := runOf("kappa")
	wrong.OK = false
	wrong.Checks = []result.Check{{Name: "counters", OK: true}, {Name: "windows at the end", Detail: "2 of 3 rows exact"}}
	broken := runOf("kappa")
	broken.OK, broken.Error = false, "kappa process has died"
	void := right
	void.Void = "the generator was late"
	other := right
	other.Scenario = "other"
	f(true, "kappa: 3 of 3 rows exact in the end, 1 of 1 comparisons", right)
	f(false, "windows at the end: 2 of 3 rows exact", right, wrong)
	f(false, "kappa process has died", broken)
	f(false, "too slow for a run that counts (the generator was late)", void)
	f(false, "nothing was run")
	f(false, "nothing was run", other)
}

// Ensure that an observation is held against the newest results that have all of its arms, came to their end and are not
// older than the exercise; never against the committed reference run.
func TestNewest(t *testing.T) {
	out := t.TempDir()
	b := &Bench{Dir: ".", Out: out}
	leave := func(name string, s result.Summary) {
		s.SchemaVersion = result.SchemaVersion
		text, err := json.Marshal(s)
		require.NoError(t, err)
		require.NoError(t, writeWhole(filepath.Join(out, name, "summary.json"), text))
	}
	newest := func(since string) string {
		left, err := b.Newest("s", []string{"lambda", "kappa"}, since)
		require.NoError(t, err)
		if left == nil {
			return ""
		}
		return filepath.Base(left.Dir)
	}
	require.Empty(t, newest(""))
	both := []result.Run{runOf("lambda"), runOf("kappa")}
	leave("20260101T000000Z-s", result.Summary{Runs: both})
	leave("20260102T000000Z-s", result.Summary{Runs: both})
	leave("20260103T000000Z-s", result.Summary{Runs: both[:1]})
	leave("20260104T000000Z-s", result.Summary{Runs: both, Interrupted: true})
	leave("20260105T000000Z-t", result.Summary{Runs: []result.Run{{Scenario: "t", Arm: "lambda"}, {Scenario: "t", Arm: "kappa"}}})
	leave("reference", result.Summary{Runs: both})
	require.NoError(t, os.MkdirAll(filepath.Join(out, "20260106T000000Z-s"), 0o755))
	require.Equal(t, "20260102T000000Z-s", newest(""))
	require.Equal(t, "20260102T000000Z-s", newest("20260102T000000Z"))
	require.Empty(t, newest("20260102T000001Z"))
}

// Ensure that what somebody has written is kept when an exercise begins anew, and that what was not written is not.
func TestPredictions(t *testing.T) {
	dir := t.TempDir()
	e, err := Named("2")
	require.NoError(t, err)
	at, written := BegunAt(dir, e)
	require.Empty(t, at)
	require.False(t, written)
	begin := func(second int) string {
		kept, err := BeginPrediction(dir, e, time.Date(2026, 1, 2, 3, 4, second, 0, time.UTC))
		require.NoError(t, err)
		return kept
	}
	require.Empty(t, begin(1))
	require.Empty(t, begin(5))
	at, written = BegunAt(dir, e)
	require.Equal(t, "20260102T030405Z", at)
	require.False(t, written)

	name := PredictionFile(dir, e)
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Contains(t, string(text), e.Prediction)
	mine := string(text) + "Yes, no, yes.\n"
	require.NoError(t, os.WriteFile(name, []byte(mine), 0o644))
	_, written = BegunAt(dir, e)
	require.True(t, written)
	for range 2 {
		kept := begin(9)
		require.Equal(t, filepath.Join(dir, "workshop", "02-prediction-1.md"), kept)
		text, err := os.ReadFile(kept)
		require.NoError(t, err)
		require.Equal(t, mine, string(text))
		require.NoError(t, os.Rename(kept, name))
	}
}
