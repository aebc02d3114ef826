package kappa

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// rowsOf is one window row per prefix of a window's readings.
func rowsOf(car string, start int64, seqs ...int64) []eventlog.Record {
	w := window{start: start, tally: view.EmptyTally()}
	w.car = newState(event.DefaultRules(), view.All).car(car)
	var rows changelogWriter
	for i, seq := range seqs {
		e := measured(car, seq, start)
		fold(&w.tally, &e)
		w.seen = append(w.seen, reading{seq: seq, offset: int64(i)})
		rows.window(&w, 0)
	}
	return rows.records
}

func filled(t *testing.T, records ...[]eventlog.Record) *part {
	t.Helper()
	p := newPart()
	for _, rows := range records {
		_, _, err := p.take(rows)
		require.NoError(t, err)
	}
	return p
}

// Ensure that an older row changes nothing, neither for serving nor for a restore (invariant 7).
func TestOlderRowsAreIgnored(t *testing.T) {
	rows := rowsOf("a", 10_000, 3, 4, 5)
	want := filled(t, rows[2:]).readWindows(nil, everything)
	require.EqualValues(t, 3, want[0].Readings)
	random := rand.New(rand.NewPCG(1, 1))
	for range 10 {
		random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		p := filled(t, rows, rows)
		require.Equal(t, want, p.readWindows(nil, everything))
		require.Equal(t, 1, p.windows)

		task := memoryTask()
		for i := range rows {
			require.NoError(t, task.restoreRow(&rows[i]))
		}
		require.Equal(t, want[0].Tally, task.cars["a"].open[0].tally)
		require.Len(t, task.cars["a"].open[0].seen, 3)
	}
}

// Ensure that rows are found again in whatever order they come.
func TestRowsInAnyOrder(t *testing.T) {
	p := newPart()
	for _, i := range rand.New(rand.NewPCG(2, 2)).Perm(50) {
		_, _, err := p.take(rowsOf("a", int64(i)*10_000, int64(i)))
		require.NoError(t, err)
	}
	rows := p.readWindows(nil, everything)
	require.Len(t, rows, 50)
	for i, row := range rows {
		require.EqualValues(t, i*10_000, row.Start)
		require.EqualValues(t, i, row.LastSeq)
	}
}

// Ensure that of two alerts of one identity the later one stands, also when an older one comes
// again after a crash.
func TestLaterAlertStands(t *testing.T) {
	at := func(offset int64) []eventlog.Record {
		var rows changelogWriter
		key := view.AlertKey{CarID: "a", Seq: 7}
		rows.alert(&alert{Alert: view.Alert{AlertKey: key, Score: float64(offset)}, offset: offset}, 0)
		return rows.records
	}
	p := filled(t, at(1), at(5), at(1))
	alerts := p.readAlerts(nil, everything)
	require.Len(t, alerts, 1)
	require.EqualValues(t, 5, alerts[0].Score)
	require.Equal(t, 1, p.alerts)
}

// Ensure that queries that wait for a car are woken together, by a greater seq and nothing else.
func TestWaiters(t *testing.T) {
	p := filled(t, rowsOf("a", 0, 5))
	_, _, w := p.latest("a", 5, true)
	_, _, same := p.latest("a", 7, true)
	require.Same(t, w, same)

	_, _, err := p.take(rowsOf("a", 0, 5, 3))
	require.NoError(t, err)
	require.NotNil(t, p.waiters["a"], "3 is news for nobody")
	_, _, err = p.take(rowsOf("a", 10_000, 6))
	require.NoError(t, err)
	<-w.news
	require.Empty(t, p.waiters)

	answer, found, again := p.latest("a", 5, true)
	require.True(t, found)
	require.Nil(t, again)
	require.Equal(t, []int64{6}, answer.Visible)
	p.leave("a", w)
	p.leave("a", w)
	_, _, w = p.latest("a", 6, true)
	p.leave("a", w)
	require.Empty(t, p.waiters)
}
