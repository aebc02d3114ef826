package live

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/oracle"
	carevent "lambdakappa/event"
	"lambdakappa/view"
)

// logOf is a referee that has read one partition's readings of a car, second by second, and the watermark of the other.
func refereeOf(t *testing.T, readings ...*carevent.CarSensor) *referee {
	t.Helper()
	r, err := newReferee(carevent.DefaultRules(), time.Minute)
	require.NoError(t, err)
	other := reading("other", 0, 1000)
	entries := []oracle.Entry{{Partition: 1, AppendTime: other.EventTime, Event: other}}
	for i, e := range readings {
		entries = append(entries, oracle.Entry{Offset: int64(i), AppendTime: e.EventTime, Event: e, Fingerprint: uint32(e.Seq)})
	}
	for i := range entries {
		r.addEntry(&entries[i], time.Now().Add(-time.Minute).UnixMilli()) // long ago: nothing is on its way any more
	}
	return r
}

func reading(car string, seq, second int64) *carevent.CarSensor {
	return &carevent.CarSensor{
		CarID: car, Seq: seq, EventTime: second * 1000, CoolantTemp: 90, BatteryVoltage: 380, TirePressure11: 30,
		TirePressure12: 30, TirePressure21: 30, TirePressure22: 30,
	}
}

// Ensure that every kind of row is told apart: exact, without what came too late, with some of it, missing, double, and other.
func TestVerdicts(t *testing.T) {
	r := refereeOf(t, reading("a", 0, 10), reading("a", 1, 12), reading("a", 4, 100), reading("a", 2, 13), reading("a", 3, 14))
	exact, ok := r.truths["v1"].a.Window(view.WindowKey{CarID: "a", Start: 10_000})
	require.True(t, ok)
	require.EqualValues(t, 4, exact.Readings)
	least, ok := r.truths["v1"].b.Window(exact.WindowKey)
	require.True(t, ok)
	require.EqualValues(t, 2, least.Readings, "two came when the window was closed")

	with := func(readings int64) view.Window { w := exact; w.Readings = readings; return w }
	other := exact
	other.SpeedMax++
	f := func(name string, want Accuracy, rows ...view.Window) {
		t.Helper()
		want.Windows = 1
		require.Equal(t, want, r.judge("v1", rows, 10_000, 20_000)[10_000].accuracy, name)
	}
	f("exact", Accuracy{Exact: 1}, exact)
	f("without what came too late", Accuracy{LacksLate: 1}, least)
	f("with some of it", Accuracy{LacksLate: 1}, with(3))
	f("no row", Accuracy{Missing: 1})
	f("too few readings", Accuracy{Missing: 1}, with(1))
	f("too many readings", Accuracy{Double: 1}, with(5))
	f("another content", Accuracy{Other: 1}, other)
	require.Nil(t, r.judge("v99", nil, 0, 20_000), "nobody knows what is right there")
}

// Ensure that a window all of whose readings came too late is no mistake of who lacks it.
func TestAWindowThatOnlyComesTooLate(t *testing.T) {
	r := refereeOf(t, reading("a", 0, 100), reading("a", 1, 10))
	require.Equal(t, Accuracy{Windows: 1, LacksLate: 1}, r.judge("v1", nil, 10_000, 20_000)[10_000].accuracy)
}

// Ensure that a row that nobody has sent is found.
func TestARowOutOfNothing(t *testing.T) {
	r := refereeOf(t, reading("a", 0, 100))
	row := view.Window{WindowKey: view.WindowKey{CarID: "ghost", Start: 10_000}}
	require.Equal(t, Accuracy{Windows: 1, Other: 1}, r.judge("v1", []view.Window{row}, 10_000, 20_000)[10_000].accuracy)
}

// Ensure that windows are left alone that are open, or that a reading has just come for.
func TestWindowsOnTheirWayAreLeftAlone(t *testing.T) {
	r := refereeOf(t, reading("a", 0, 10), reading("a", 1, 15))
	require.Empty(t, r.judge("v1", nil, 10_000, 20_000), "it is open")

	r = refereeOf(t, reading("a", 0, 10), reading("a", 1, 25))
	require.Len(t, r.judge("v1", nil, 10_000, 20_000), 1, "it is closed")
	r.touched[view.WindowKey{CarID: "a", Start: 10_000}] = time.Now().UnixMilli()
	require.Empty(t, r.judge("v1", nil, 10_000, 20_000), "an answer takes some milliseconds")
}

// Ensure that a row of another version is told from a wrong one.
func TestRowsOfAnotherVersion(t *testing.T) {
	leaking := reading("a", 0, 10)
	leaking.TirePressure21 = 20 // the rear axle, which v1 does not watch
	r := refereeOf(t, leaking, reading("a", 1, 100))
	key := view.WindowKey{CarID: "a", Start: 10_000}
	one, _ := r.truths["v1"].a.Window(key)
	two, _ := r.truths["v2"].a.Window(key)
	require.NotEqual(t, one, two, "the versions must differ for this test")
	got := r.judge("v2", []view.Window{one}, 10_000, 20_000)[10_000]
	require.Equal(t, verdict{Accuracy{Windows: 1, Other: 1}, 1}, got)
	got = r.judge("v2+v1", []view.Window{two}, 10_000, 20_000)[10_000]
	require.Equal(t, verdict{Accuracy{Windows: 1, Exact: 1}, 0}, got)
}

// Ensure that what the page no longer looks at is forgotten, and that what comes for it then is left out.
func TestTheRefereeForgets(t *testing.T) {
	r := refereeOf(t, reading("a", 0, 10), reading("a", 1, 500))
	r.newest[1] = r.newest[0]
	r.forget()
	require.Empty(t, r.touched)
	require.Empty(t, r.judge("v1", nil, 10_000, 20_000))
	again := oracle.Entry{Offset: 2, Event: reading("a", 2, 11), AppendTime: 500_000}
	r.addEntry(&again, 0)
	require.Empty(t, r.judge("v1", nil, 10_000, 20_000))
}
