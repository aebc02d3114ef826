package event_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/event"
)

// anyRules draws rules that are valid.
func anyRules(t *rapid.T) event.Rules {
	r := event.Rules{
		Window:          rapid.Int64Range(1, 1e8).Draw(t, "window"),
		DisorderBound:   rapid.Int64Range(0, 1e6).Draw(t, "disorder"),
		AllowedLateness: rapid.Int64Range(1, 1e7).Draw(t, "lateness"),
		TripGap:         rapid.Int64Range(0, 1e7).Draw(t, "trip gap"),
		ReadingInterval: rapid.Int64Range(1, 1e6).Draw(t, "interval"),
	}
	r.MaxFutureSkew = rapid.Int64Range(0, r.DisorderBound+r.AllowedLateness-1).Draw(t, "skew")
	return r
}

func anyInstant(t *rapid.T, name string) int64 { return rapid.Int64Range(-1e15, 1e15).Draw(t, name) }

func TestEveryInstantLiesInExactlyOneAlignedWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, at := anyRules(t), anyInstant(t, "t")
		start := r.WindowStart(at)
		require.LessOrEqual(t, start, at)
		require.Less(t, at, start+r.Window)
		require.Zero(t, start%r.Window, "aligned to the epoch")
		// Every instant of the window says so, and its neighbours say otherwise.
		inside := start + rapid.Int64Range(0, r.Window-1).Draw(t, "inside")
		require.Equal(t, start, r.WindowStart(inside))
		require.Equal(t, start-r.Window, r.WindowStart(start-1))
		require.Equal(t, start+r.Window, r.WindowStart(start+r.Window))
	})
}

func TestWindowStartAtTheEdges(t *testing.T) {
	r := event.DefaultRules()
	f := func(at, want int64) { t.Helper(); require.Equal(t, want, r.WindowStart(at)) }
	f(0, 0)
	f(9_999, 0)
	f(10_000, 10_000)
	f(-1, -10_000)
	f(-10_000, -10_000)
	f(-10_001, -20_000)
}

func TestTheWatermarkNeverGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, w := anyRules(t), event.NoWatermark
		greatest := int64(math.MinInt64)
		for _, at := range rapid.SliceOf(rapid.Int64Range(-1e12, 1e12)).Draw(t, "times") {
			next := r.Advance(w, at)
			require.GreaterOrEqual(t, next, w)
			greatest = max(greatest, at)
			require.EqualValues(t, greatest-r.DisorderBound, next)
			w = next
		}
	})
}

// Ensure that the prefix decides, not the order within it.
func TestTheWatermarkDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRules(t)
		times := rapid.SliceOf(rapid.Int64Range(-1e12, 1e12)).Draw(t, "times")
		fold := func(times []int64) event.Watermark {
			w := event.NoWatermark
			for _, at := range times {
				w = r.Advance(w, at)
			}
			return w
		}
		require.Equal(t, fold(times), fold(rapid.Permutation(times).Draw(t, "permutation")))
	})
}

func TestAWindowClosesOnceAndForAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, at := anyRules(t), anyInstant(t, "t")
		start := r.WindowStart(at)
		closes := event.Watermark(start + r.Window + r.AllowedLateness)
		require.False(t, r.Late(at, event.NoWatermark), "nothing is late on an empty log")
		require.False(t, r.Late(at, closes-1))
		require.True(t, r.Late(at, closes))
		w := event.Watermark(anyInstant(t, "w"))
		require.Equal(t, r.Closed(start, w), r.Late(at, w))
		if r.Closed(start, w) {
			require.True(t, r.Closed(start, w+1))
		}
	})
}

// Ensure that one broken clock cannot close a window which honest cars still write to: the invariant
// of Rules.
func TestNoClockThatPassesTheGuardMakesAnHonestEventLate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, now := anyRules(t), anyInstant(t, "now")
		require.NoError(t, r.Validate())
		ahead := now + rapid.Int64Range(0, 2*r.MaxFutureSkew).Draw(t, "ahead")
		if r.CheckSkew(ahead, now) == nil {
			require.False(t, r.Late(now, r.Advance(event.NoWatermark, ahead)))
		}
	})
}

// Ensure that no reading that the trips still take can touch a trip that is closed, or be a copy of
// one that they have forgotten: what may be let go of is let go of without a trace.
func TestWhatTripsForgetCannotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, w := anyRules(t), event.Watermark(anyInstant(t, "watermark"))
		around := int64(w) - r.TripGap - r.AllowedLateness
		at := around + rapid.Int64Range(-10, 10).Draw(t, "at")
		require.Equal(t, at <= around, r.TripLate(at, w))
		end := around - r.TripGap + rapid.Int64Range(-10, 10).Draw(t, "end")
		if !r.TripLate(at, w) && r.TripClosed(end, w) {
			require.Greater(t, at-end, r.TripGap)
		}
		if !r.TripLate(at, w) {
			require.False(t, r.TripForgotten(r.WindowStart(at), w))
			require.False(t, r.TripClosed(at, w))
		}
	})
}

func TestCheckSkew(t *testing.T) {
	r := event.DefaultRules()
	require.NoError(t, r.CheckSkew(5_000, 0))
	require.NoError(t, r.CheckSkew(0, 1e12), "the past is not skewed")
	err := r.CheckSkew(5_001, 0)
	var reject *event.Reject
	require.True(t, errors.As(err, &reject))
	require.Equal(t, event.ReasonFuture, reject.Reason)
	require.EqualError(t, err, "future: 5.001s ahead of its append time")
}

func TestRulesValidateNamesTheField(t *testing.T) {
	f := func(want string, change func(*event.Rules)) {
		t.Helper()
		r := event.DefaultRules()
		require.NoError(t, r.Validate())
		change(&r)
		require.ErrorContains(t, r.Validate(), want)
	}
	f("window 0s:", func(r *event.Rules) { r.Window = 0 })
	f("window -1s:", func(r *event.Rules) { r.Window = -1000 })
	f("disorder bound -1ms:", func(r *event.Rules) { r.DisorderBound = -1 })
	f("allowed lateness -1ms:", func(r *event.Rules) { r.AllowedLateness = -1 })
	f("trip gap -1ms:", func(r *event.Rules) { r.TripGap = -1 })
	f("reading interval 0s:", func(r *event.Rules) { r.ReadingInterval = 0 })
	f("max future skew -1ms:", func(r *event.Rules) { r.MaxFutureSkew = -1 })
	f("max future skew 32s: must be below disorder bound + allowed lateness (32s)",
		func(r *event.Rules) { r.MaxFutureSkew = 32_000 })
}

func ExampleRules() {
	r := event.DefaultRules()
	w := event.NoWatermark
	for _, at := range []int64{1_000, 52_000, 9_000, 29_000} {
		fmt.Println(at, "in window", r.WindowStart(at), "late:", r.Late(at, w))
		w = r.Advance(w, at)
	}
	// Output:
	// 1000 in window 0 late: false
	// 52000 in window 50000 late: false
	// 9000 in window 0 late: true
	// 29000 in window 20000 late: false
}

// Ensure that what is kept begins with a window, never goes back, and leaves out nothing that may still change.
func TestWhatIsKeptBeginsWithAWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRules(t)
		keep := r.Settled() + rapid.Int64Range(0, 1e8).Draw(t, "more")
		require.NoError(t, r.CheckRetention(keep))
		w := event.Watermark(rapid.Int64Range(1, 1e15).Draw(t, "w"))
		from := r.KeptFrom(w, keep)
		require.Zero(t, from%r.Window)
		require.GreaterOrEqual(t, r.KeptFrom(w+event.Watermark(rapid.Int64Range(0, 1e9).Draw(t, "on")), keep), from)
		require.LessOrEqual(t, from, max(0, int64(w)-keep))
		if from > 0 {
			require.Greater(t, from, int64(w)-keep-r.Window)
			require.True(t, r.Closed(from-r.Window, w), "the window before it takes no more")
			require.True(t, r.TripForgotten(r.WindowStart(from-1+r.TripGap), w), "a trip that ended before it is let go of")
		}
		require.Zero(t, r.KeptFrom(w, 0))
		require.Zero(t, r.KeptFrom(event.NoWatermark, keep))
	})
	require.NoError(t, event.DefaultRules().CheckRetention(0))
	require.EqualError(t, event.DefaultRules().CheckRetention(60_000),
		"view retention 1m0s: must be 0, to keep everything, or at least 1m40s, behind which nothing changes any more")
	require.Error(t, event.DefaultRules().CheckRetention(-1))
}
