package lambda

import (
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// visibleOf is what an answer has to name of readings, in the plainest way.
func visibleOf(readings []int64, afterSeq int64) []int64 {
	var seqs []int64
	for _, seq := range readings {
		if afterSeq >= 0 && seq > max(afterSeq, slices.Max(readings)-httpapi.MaxVisible) {
			seqs = append(seqs, seq)
		}
	}
	slices.Sort(seqs)
	return slices.Compact(seqs)
}

// someSeqs draws seqs that repeat, leave holes, and leap.
func someSeqs() *rapid.Generator[[]int64] {
	return rapid.SliceOf(rapid.OneOf(
		rapid.Int64Range(0, 20), rapid.Int64Range(1000, 1050), rapid.Int64Range(0, 5000),
		rapid.Int64Min(0)))
}

// Ensure that an answer names the readings above a seq that are near the greatest, and no others,
// in whichever layer they are.
func TestVisible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := carView{speed: &carRows{lastSeq: -1, windows: make([]windowCell, 3)}}
		readings := someSeqs().Draw(t, "readings")
		for _, seq := range readings {
			if in := rapid.IntRange(0, 3).Draw(t, "in"); in < 3 {
				c.speed.windows[in].seqs.add(seq)
				c.speed.lastSeq = max(c.speed.lastSeq, seq)
			} else {
				c.seen.add(seq)
			}
		}
		afterSeq := rapid.OneOf(rapid.Just(int64(-1)), rapid.Int64Range(0, 5000)).Draw(t, "after")
		require.Equal(t, visibleOf(readings, afterSeq), c.visible(afterSeq))
	})
}

// Ensure that the follower of the speed view gets its turn in the middle of a long answer, and that
// the answer is complete nevertheless.
func TestLongAnswersTakeTurns(t *testing.T) {
	p := newPart(&Manifest{}, 0)
	p.setBatch(&batchPart{})
	out := speedViewWriter{}
	out.begin()
	for i := range 3 * rowsPerLock {
		w := &speedWindow{car: &speedCar{id: carName(i)}, tally: view.EmptyTally()}
		w.tally.Readings = 1
		out.window(w, 1, 1)
	}
	_, err := p.take(out.records, &speedRow{})
	require.NoError(t, err)
	var written bool // guarded by the lock
	follower := func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		written = true
	}
	seen := map[string]bool{}
	p.copyRows("", func(c *carRows) {
		if len(seen) == 0 {
			go follower()
			for p.mu.TryRLock() { // until the follower waits for the lock
				p.mu.RUnlock()
				runtime.Gosched()
			}
		}
		seen[c.id] = true
		if len(seen) == 3*rowsPerLock {
			require.True(t, written, "the follower has waited for the whole answer")
		}
	})
	require.Len(t, seen, 3*rowsPerLock)
	require.Len(t, p.readWindows(nil, httpapi.All()), 3*rowsPerLock)
}

// How long a query over everything holds up the follower of the speed view, and with it point
// queries, at most: 40,000 rows of 10,000 cars in one partition, of which the speed view has half.
func BenchmarkHeldUp(b *testing.B) {
	const cars, windows = 10_000, 4
	p, batch, out := newPart(&Manifest{}, 0), &batchPart{index: map[string]int32{}}, speedViewWriter{}
	out.begin()
	t := view.EmptyTally()
	t.Readings = 10
	for i := range cars {
		id := carName(i)
		batch.index[id] = int32(i)
		batch.cars = append(batch.cars, id)
		for w := range int64(windows / 2) {
			batch.windows = append(batch.windows, batchWindow{w * 10_000, t})
			start := (w + windows/2) * 10_000
			out.window(&speedWindow{car: &speedCar{id: id}, start: start, tally: t}, 1, 1)
		}
		batch.windowsEnd = append(batch.windowsEnd, int32(len(batch.windows)))
	}
	p.setBatch(batch)
	_, err := p.take(out.records, &speedRow{})
	require.NoError(b, err)
	require.Len(b, p.readWindows(nil, httpapi.All()), cars*windows)
	var longest time.Duration
	for b.Loop() {
		longest = max(longest, heldUp(&p.mu, func() { p.readWindows(nil, httpapi.All()) }))
	}
	b.ReportMetric(float64(longest.Microseconds())/1000, "max-ms")
}

// heldUp returns the longest wait for a lock while a query is answered.
func heldUp(mu *sync.RWMutex, query func()) (longest time.Duration) {
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		query()
	}()
	for {
		select {
		case <-answered:
			return longest
		default:
		}
		asked := time.Now()
		mu.Lock()
		longest = max(longest, time.Since(asked))
		mu.Unlock()
	}
}

// Ensure that an alert of the speed view stands for that of the batch view also where only the latter is
// in the range.
func TestAnAlertThatMovedOutOfTheRange(t *testing.T) {
	p := newPart(&Manifest{}, 0)
	p.setBatch(&batchPart{alerts: []view.Alert{
		{AlertKey: view.AlertKey{CarID: "car-1", Seq: 4}, EventTime: 4_000},
		{AlertKey: view.AlertKey{CarID: "car-1", Seq: 5}, EventTime: 5_000},
	}})
	cell, _ := p.car([]byte("car-1")).alert(5)
	*cell = alertCell{seq: 5, eventTime: 50_000}
	alerts := p.readAlerts(nil, httpapi.Range{From: 0, To: 10_000})
	require.Len(t, alerts, 1)
	require.EqualValues(t, 4, alerts[0].Seq)
	require.Len(t, p.readAlerts(nil, httpapi.All()), 2)
}

// Ensure that what a query holds the lock for is counted in rows: of cars that have many, few are copied at a time.
func TestRowsPerLock(t *testing.T) {
	p := &part{}
	f := func(cars, windows, first int) {
		t.Helper()
		var all []*carRows
		for range cars {
			all = append(all, &carRows{windows: make([]windowCell, windows)})
		}
		copied := 0
		left := p.copySome(all, func(*carRows) { copied++ })
		require.Equal(t, first, copied)
		require.Len(t, left, cars-first)
	}
	f(1000, 0, rowsPerLock)
	f(1000, 1, rowsPerLock)
	f(1000, 10, (rowsPerLock+9)/10)
	f(1000, 10*rowsPerLock, 1)
	f(3, 1, 3)
}
