package oracle

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/view"
)

// Ensure that a fold that forgets has the rows of one that does not, for every window that it still knows, by either truth.
func TestLawForgettingChangesNoRecentWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg, log := small(2), anyLog(t, 2, false)
		for _, boundary := range []int64{0, math.MaxInt64} {
			whole, err := NewFold(cfg, everywhere(boundary, 2))
			require.NoError(t, err)
			recent, err := NewFold(cfg, everywhere(boundary, 2))
			require.NoError(t, err)
			for _, e := range log {
				whole.Add(e)
				if e.Event == nil || !recent.Forgotten(e.Event.EventTime) {
					recent.Add(e)
				}
				if rapid.IntRange(0, 4).Draw(t, "forget") == 0 {
					recent.Forget(max(0, min(whole.partitions[0].watermark, whole.partitions[1].watermark)))
				}
			}
			want := slices.DeleteFunc(whole.Answer().Windows, func(w view.Window) bool {
				return w.Start+cfg.WindowMs <= recent.forgotten
			})
			require.Equal(t, want, recent.Answer().Windows)
			require.ElementsMatch(t, want, slices.Collect(recent.Windows(0, math.MaxInt32)))
			for _, row := range want {
				got, ok := recent.Window(row.WindowKey)
				require.True(t, ok)
				require.Equal(t, row, got)
			}
		}
	})
}

// Ensure that what was forgotten is gone, with the cars that nobody has heard of since.
func TestForgetLetsGo(t *testing.T) {
	f, err := NewFold(small(1), []int64{math.MaxInt64})
	require.NoError(t, err)
	for i, e := range logOf(hot("a", 0, 1), reading("b", 0, 2), reading("b", 1, 40)) {
		e.Offset = int64(i)
		f.Add(e)
	}
	f.Forget(20_000)
	require.Len(t, f.cars, 1)
	require.Len(t, f.Answer().Windows, 1)
	require.Empty(t, f.alerts)
	require.True(t, f.Forgotten(19_999))
	require.False(t, f.Forgotten(20_000))
	require.Empty(t, slices.Collect(f.Windows(0, 20_000)))
}
