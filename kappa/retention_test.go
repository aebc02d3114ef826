package kappa

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/view"
)

// brittleRetention is what brittle trips allow: little more than open windows.
const brittleRetention = 50_000

// keeping is a part that keeps rows for so long, in ms.
func keeping(cfg Config, keep int64) *part {
	p := newPart()
	p.retention = retention{rules: cfg.Rules, keep: keep}
	return p
}

// requireKept requires that a part answers what one that keeps everything answers of the time that it is to
// keep, row for row, and holds nothing else.
func requireKept(t *testing.T, all, some *part) {
	t.Helper()
	require.Equal(t, all.progress, some.progress)
	from := some.rules.KeptFrom(some.progress.Watermark, some.keep)
	require.Equal(t, from, some.keptFrom)

	windows := slices.DeleteFunc(all.readWindows(nil, everything), func(w view.Window) bool { return w.Start < from })
	require.ElementsMatch(t, windows, some.readWindows(nil, everything))
	require.Equal(t, len(windows), some.windows)
	alerts := slices.DeleteFunc(all.readAlerts(nil, everything), func(a view.Alert) bool { return a.EventTime < from })
	require.ElementsMatch(t, alerts, some.readAlerts(nil, everything))
	require.Equal(t, len(alerts), some.alerts)
	trips := slices.DeleteFunc(all.readTrips(nil, everything, 1000), func(s view.Trip) bool { return s.End < from })
	require.ElementsMatch(t, trips, some.readTrips(nil, everything, 1000))
	require.Equal(t, len(trips), some.trips)
	held := 0
	require.Len(t, some.cars, len(some.all))
	for _, c := range some.all {
		require.Same(t, c, some.cars[c.id])
		require.False(t, c.isEmpty())
		held += len(c.windows) + len(c.alerts) + len(c.trips)
	}
	require.Equal(t, len(windows)+len(alerts)+len(trips), held)
}

// Ensure that serving, which keeps everything by itself, does not answer about a time of which the processor has trimmed the
// changelog, and that a processor that keeps everything from now on does not bring back what is gone.
func TestServingKnowsThatItsChangelogWasTrimmed(t *testing.T) {
	m := brittle()
	m.cfg.ViewRetention = brittleRetention * time.Millisecond
	log := disturbed(t, 1, 3, 900)
	serving := keeping(m.cfg, 0)
	run := func(from, to int) *task {
		task := m.resume(t)
		for i := from; i < to; i++ {
			require.NoError(t, task.judge(&log[i]))
		}
		m.flush(t, task, 1<<30)
		m.commitAt(t, task)
		_, _, err := serving.take(m.changelog)
		require.NoError(t, err)
		return task
	}
	half := len(log) / 2
	before := run(0, half)
	want := m.cfg.Rules.KeptFrom(before.Watermark, brittleRetention)
	require.Positive(t, want)
	require.Equal(t, want, serving.keptFrom)
	require.NotEmpty(t, serving.all)
	for _, c := range serving.all {
		require.False(t, len(c.windows) > 0 && c.windows[0].start < want)
	}

	m.cfg.ViewRetention = 0
	after := run(half, len(log))
	require.Greater(t, after.Watermark, before.Watermark)
	require.Equal(t, want, serving.keptFrom)
}

// Ensure that a view that is being replaced forgets nothing: it is compared with the new one, without its lock.
func TestAFrozenPartForgetsNothing(t *testing.T) {
	m := brittle()
	log := disturbed(t, 1, 3, 900)
	task, p := m.resume(t), keeping(m.cfg, brittleRetention)
	for i := range log {
		require.NoError(t, task.judge(&log[i]))
	}
	m.flush(t, task, 1<<30)
	rows := m.changelog[:len(m.changelog)-1]
	n, _, frozen, err := p.takeLocked(rows)
	require.NoError(t, err)
	require.Equal(t, len(rows), n)
	require.False(t, frozen)
	require.True(t, p.moves(task.progress)) // and its rows are to be forgotten
	cars, windows, oldest := len(p.all), p.windows, p.all[0].windows[0].start
	require.Less(t, oldest, p.keptFrom)

	p.frozen = true
	p.forget()
	require.Len(t, p.all, cars)
	require.Len(t, p.cars, cars)
	require.Equal(t, windows, p.windows)
	require.Equal(t, oldest, p.all[0].windows[0].start)

	p.frozen = false
	p.forget()
	require.Less(t, p.windows, windows)
}

// Ensure that what is kept is what a part that keeps everything has of the same time, at any moment, also after
// a restart of either the processor or serving.
func TestKeptIsWhatIsWithinTheRetention(t *testing.T) {
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 3))
		m := brittle()
		log := disturbed(t, seed, 3, 900)
		all, some := newPart(), keeping(m.cfg, brittleRetention)
		all.rules = m.cfg.Rules
		task, taken := m.resume(t), 0
		for i := 0; i < len(log); i++ {
			require.NoError(t, task.judge(&log[i]))
			if random.IntN(20) > 0 {
				continue
			}
			m.flush(t, task, 1<<30)
			for _, p := range []*part{all, some} {
				_, _, err := p.take(m.changelog[taken:])
				require.NoError(t, err)
			}
			taken = len(m.changelog)
			requireKept(t, all, some)
			if random.IntN(3) == 0 {
				m.commitAt(t, task)
			}
			if random.IntN(8) == 0 && m.commit != "" { // the processor dies, serving as well
				task = m.resume(t)
				i = int(task.Position) - 1
				some = keeping(m.cfg, brittleRetention)
				_, _, err := some.take(m.changelog)
				require.NoError(t, err)
				requireKept(t, all, some)
			}
		}
		require.NotZero(t, some.keptFrom)
		require.Less(t, some.windows, all.windows/2)
	}
}

// Ensure that what serving holds is bounded, however long events come, and that cars which stay away are
// forgotten.
func TestServingIsBoundedByTheRetention(t *testing.T) {
	cfg := DefaultConfig()
	const keep, cars = 100_000, 40
	p := keeping(cfg, keep)
	var rows changelogWriter
	mostRows, mostRoom := 0, 0
	for at := int64(1_000_000); at < 6_000_000; at += cfg.Rules.Window {
		rows.reset()
		for i := range int64(cars) {
			w := window{
				car: &car{id: carName(int(at/1_000_000*cars + i))}, start: at, tally: view.EmptyTally(),
				seen: []reading{{seq: at, offset: at}},
			}
			rows.window(&w, at)
			rows.alert(&alert{Alert: view.Alert{AlertKey: view.AlertKey{CarID: w.car.id, Seq: at}, EventTime: at}}, at)
		}
		require.NoError(t, rows.progress(progress{Position: at, Watermark: cfg.Rules.Advance(p.progress.Watermark, at)}))
		_, _, err := p.take(rows.records)
		require.NoError(t, err)
		mostRows = max(mostRows, p.windows, p.alerts)
		room := 0
		for _, c := range p.all {
			room += cap(c.windows)
		}
		mostRoom = max(mostRoom, room)
	}
	require.LessOrEqual(t, mostRows, cars*(keep/int(cfg.Rules.Window)+2))
	require.LessOrEqual(t, mostRoom, 4*mostRows)
	require.Len(t, p.cars, cars, "those of the last hours")
}

// Ensure that a reader of all cars is answered whole while some are dropped.
func TestReadersHoldTheOldSliceOfCars(t *testing.T) {
	cfg := DefaultConfig()
	p := keeping(cfg, 100_000)
	var rows changelogWriter
	add := func(id string, start int64) {
		w := window{car: &car{id: id}, start: start, tally: view.EmptyTally(), seen: []reading{{seq: 1}}}
		rows.window(&w, 0)
	}
	add("old", 1_000_000)
	add("new", 2_000_000)
	_, _, err := p.take(rows.records)
	require.NoError(t, err)
	held := p.carsOf("")
	rows.reset()
	require.NoError(t, rows.progress(progress{Position: 1, Watermark: 2_000_000}))
	_, _, err = p.take(rows.records)
	require.NoError(t, err)
	require.Len(t, held, 2)
	require.Equal(t, "old", held[0].id)
	require.Len(t, p.carsOf(""), 1)
	_, found, _ := p.latest("old", -1, false)
	require.False(t, found)
	_, found, _ = p.latest("new", -1, false)
	require.True(t, found)
}

// Ensure that an alert which one side of a cut-over has dropped because of its age is not taken for retracted,
// nor one that the old version has dropped for belated.
func TestWhatIsTooOldIsNotRetracted(t *testing.T) {
	cfg := DefaultConfig()
	of := func(version string, w int64, times ...int64) *materialised {
		cfg.ViewRetention = 100 * time.Second
		m := cfg.newMaterialised(version, 1)
		var rows changelogWriter
		for i, at := range times {
			key := view.AlertKey{CarID: "a", Seq: int64(i)}
			rows.alert(&alert{Alert: view.Alert{AlertKey: key, EventTime: at}, offset: int64(i)}, 0)
		}
		p := progress{Position: 100}
		p.Watermark = event.Watermark(w)
		require.NoError(t, rows.progress(p))
		_, _, err := m.parts[0].take(rows.records)
		require.NoError(t, err)
		return m
	}
	old, new := of("v1", 1_100_000, 1_000_000, 1_050_000), of("v2", 1_140_000, 1_000_000, 1_050_000)
	require.Equal(t, 2, old.parts[0].alerts)
	require.Equal(t, 1, new.parts[0].alerts)
	retracted, belated := compareAlerts(old, new)
	require.Zero(t, retracted)
	require.Zero(t, belated)
	_, belated = compareAlerts(of("v1", 1_140_000, 1_000_000), of("v2", 1_100_000, 1_000_000))
	require.Zero(t, belated)
}
