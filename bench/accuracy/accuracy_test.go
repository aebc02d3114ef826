package accuracy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/oracle"
	"lambdakappa/event"
	"lambdakappa/view"
)

// The log of these tests has one partition, windows of 10 s, a disorder bound of 2 s and 30 s of
// allowed lateness. Its car sends one reading a second; the arguments are event times in seconds.
func logOfCar(t *testing.T, seconds ...int64) *Truth {
	t.Helper()
	o, err := oracle.New(oracle.Config{
		WindowMs: 10_000, DisorderMs: 2_000, LatenessMs: 30_000, SkewMs: 1 << 40, Version: "v1", Partitions: 1,
	})
	require.NoError(t, err)
	for offset, s := range seconds {
		o.Add(oracle.Entry{
			Offset: int64(offset), Fingerprint: uint32(s),
			Event: &event.CarSensor{CarID: "car-00000", Seq: s, EventTime: s * 1000},
		})
	}
	return Read(o, 1, 10_000, 30_000)
}

func key(start int64) view.WindowKey { return view.WindowKey{CarID: "car-00000", Start: start * 1000} }

// row is the window of truth A that begins at a second, with fewer readings if asked.
func (t *Truth) row(start int64, less int64) view.Window {
	row := t.windows[key(start)].a
	row.Readings -= less
	return row
}

// Ensure that a window is in the band of its latest reading, by the log and by the batch runs on it.
func TestBands(t *testing.T) {
	f := func(want Band, boundaries []int64, seconds ...int64) {
		t.Helper()
		w := logOfCar(t, seconds...).windows[key(0)]
		require.Equal(t, want, w.bandAmong(boundaries))
	}
	f(InOrder, nil, 1, 2, 3)
	f(InOrder, []int64{1, 2}, 1, 2, 20, 60)
	f(Disorder, nil, 1, 4, 3)            // the watermark is at 2
	f(Lateness, nil, 1, 6, 3)            // at 4
	f(Lateness, nil, 1, 41, 3)           // at 39: the window takes updates until 40
	f(Beyond, nil, 1, 42, 3)             // at 40
	f(Beyond, []int64{1}, 1, 42, 3)      // the batch run did not know of 42
	f(BatchCut, []int64{2}, 1, 42, 3)    // it did
	f(BatchCut, []int64{1, 2}, 1, 42, 3) // one of them did
	f(Beyond, []int64{2}, 1, 12, 42, 3)  // it had seen the window close, and not for good
	f(Beyond, []int64{3}, 1, 42, 3)      // it had the reading as well
	f(Beyond, nil, 1, 42, 3, 4)          // the worst counts
}

// Ensure that a window is looked at when it closes, when a batch covers that, and in the end.
func TestLives(t *testing.T) {
	truth := logOfCar(t, 1, 2, 12, 60, 3) // 60 closes [0, 10) for good, 3 is too late for it
	var w Watch
	look := func(watermark, boundary int64, rows ...view.Window) {
		i := w.Look(Moment{
			At: time.Duration(len(w.Moments)) * time.Second, Log: []int64{5},
			Watermark: []int64{watermark * 1000}, Boundary: []int64{boundary},
		})
		w.Windows.See(i, rows, func(view.WindowKey) bool { return true })
	}
	look(0, 0, truth.row(0, 2))                    // open
	look(10, 0, truth.row(0, 2), truth.row(10, 0)) // closed, one reading behind
	inTime := truth.windows[key(0)].b
	look(58, 0, inTime, truth.row(10, 0)) // as truth B has it
	look(58, 3, inTime, truth.row(10, 0)) // a batch that covers the close, and not the last reading
	look(58, 5, truth.row(0, 0), truth.row(10, 0))
	final := []view.Window{truth.row(0, 0), truth.row(10, 0), truth.row(60, 0)}
	lives := truth.Lives(&w, final, nil)
	require.Equal(t, Lives{Closed: 2, Corrected: 1, Shares: []Share{
		{Band: InOrder, Stage: AtClose, Windows: 1, ExactA: 1, ExactB: 1},
		{Band: InOrder, Stage: AfterBatch, Windows: 1, ExactA: 1, ExactB: 1},
		{Band: InOrder, Stage: Finally, Windows: 2, ExactA: 2, ExactB: 2}, // [60, 70) never closes
		{Band: Beyond, Stage: AtClose, Windows: 1},
		{Band: Beyond, Stage: AfterBatch, Windows: 1, ExactB: 1},
		{Band: Beyond, Stage: Finally, Windows: 1, ExactA: 1},
	}}, lives)
}

// Ensure that a window has to be right when the log has held all of it for a while, that what is served
// beyond it is a repetition, and that a fault costs the time until nothing is wrong any more.
func TestCourse(t *testing.T) {
	truth := logOfCar(t, 1, 2, 12, 60, 3)
	var w Watch
	look := func(ms int64, log int64, silent bool, rows ...view.Window) {
		i := w.Look(Moment{At: time.Duration(ms) * time.Millisecond, Log: []int64{log}, Silent: silent})
		if !silent {
			w.Windows.See(i, rows, func(view.WindowKey) bool { return true })
		}
	}
	ten, first := truth.row(10, 0), truth.windows[key(0)].b
	look(0, 2, false, first)
	look(1000, 3, false, first)                    // [10, 20) is on the log, and has half a second left
	look(2000, 3, false, first)                    // it has not any more
	look(3000, 3, true)                            // nobody answers
	look(4000, 4, false, first, ten)               // it is right
	look(5000, 5, false, first, truth.row(10, -4)) // counted five times
	look(6000, 5, false, truth.row(0, 0), ten)     // without [60, 70)
	look(7000, 5, false, truth.row(0, 0), ten, truth.row(60, 0))
	c := truth.Course(&w)
	require.Equal(t, []int64{0, 0, 1, 1, 1, 2, 3, 3}, c.DueA)
	require.Equal(t, []int64{0, 0, 0, 0, 1, 0, 2, 3}, c.ExactA)
	require.Equal(t, []int64{0, 1, 2, 2, 2, 3, 3, 3}, c.DueB)
	require.Equal(t, []int64{0, 1, 1, 1, 2, 1, 1, 2}, c.ExactB, "truth B has nothing of what came too late")
	require.Equal(t, []int64{0, 0, 1, 1, 0, 2, 1, 0}, c.Wrong, "[10, 20) and [60, 70): the truths agree on them")
	require.Equal(t, []int64{0, 0, 0, 0, 0, 4, 0, 0}, c.Excess)
	require.Equal(t, [][2]float64{{2, 0}, {4, 100}, {5, 0}, {6, 200. / 3}, {7, 100}}, c.Points(c.ExactA, c.DueA))
	require.Equal(t, 1, c.Spoilt, "[10, 20) was right before it was counted five times")
	require.InDelta(t, 5, c.Seconds(c.Wrong), 1e-9)
	require.Equal(t, 4*time.Second, c.Above(c.Wrong))
	require.Equal(t, time.Second, c.Above(c.Excess))
	require.Equal(t, time.Second, c.Speechless())

	at := func(ms ...int64) (all []time.Duration) {
		for _, ms := range ms {
			all = append(all, time.Duration(ms)*time.Millisecond)
		}
		return all
	}
	again := func(faults ...int64) (took []time.Duration, cut []bool) {
		for _, r := range c.Again(at(faults...)) {
			took, cut = append(took, r.Took), append(cut, r.Cut)
		}
		return took, cut
	}
	f := func(faults, wantTook []int64, wantCut ...bool) {
		t.Helper()
		took, cut := again(faults...)
		require.Equal(t, at(wantTook...), took)
		require.Equal(t, wantCut, cut)
	}
	f([]int64{500, 4500}, []int64{2500, 1500}, false, false)
	f([]int64{100, 2000}, []int64{0, 4000}, false, false)
	f([]int64{500, 2500}, []int64{1500, 3500}, true, false) // wrong at 2 s, and again at 3 s
	f([]int64{6500}, []int64{0}, false)
	require.Empty(t, c.Again(nil))
	silent := Course{At: at(1000, 2000), Wrong: []int64{0, 0}, Silent: []bool{false, true}}
	require.Equal(t, []Recovery{{Took: 1500 * time.Millisecond, Cut: true}}, silent.Again(at(500)), "nobody answered")
}

// Ensure that a row that was asked for and is not there any more is gone, and that others are not.
func TestSee(t *testing.T) {
	truth := logOfCar(t, 1, 12, 60)
	var h History[view.WindowKey, view.Window]
	all := func(view.WindowKey) bool { return true }
	h.See(0, []view.Window{truth.row(0, 0), truth.row(10, 0)}, all)
	h.See(1, []view.Window{truth.row(10, 0)}, func(k view.WindowKey) bool { return k.Start >= 10_000 })
	h.See(2, []view.Window{truth.row(60, 0)}, all)
	served := func(start int64) (at []bool) {
		for i := range 3 {
			_, there := h.at(key(start), i)
			at = append(at, there)
		}
		return at
	}
	require.Equal(t, []bool{true, true, false}, served(0))
	require.Equal(t, []bool{true, true, false}, served(10))
	require.Equal(t, []bool{false, false, true}, served(60))
}

// Ensure that what an arm says again, or does not say, moves nothing back.
func TestLook(t *testing.T) {
	var w Watch
	w.Look(Moment{Log: []int64{5, 5}, Watermark: []int64{10, 20}, Boundary: []int64{0, 3}, Generation: 2})
	w.Look(Moment{Log: []int64{6, 5}, Silent: true})
	w.Look(Moment{Log: []int64{6, 6}, Watermark: []int64{8, 30}, Boundary: []int64{1, 0}, Generation: 1})
	require.Equal(t, Moment{
		Log: []int64{6, 6}, Watermark: []int64{10, 30}, Boundary: []int64{1, 3}, Generation: 2,
	}, w.Moments[2])
	require.Equal(t, []int64{10, 20}, w.Moments[1].Watermark)
	require.Equal(t, [][]int64{{1}, {3}}, w.Boundaries())
	require.Equal(t, 2, w.from(25, 1, watermarkOf))
	require.Equal(t, 3, w.from(25, 0, watermarkOf))
}
