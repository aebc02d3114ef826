package lambda

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// brittleRetention is what trips with a gap of 5 s allow: little more than open windows.
const brittleRetention = 60 * time.Second

// keepingPart is the part of partition 0 of a generation, as serving loads it, that keeps rows for so long.
func keepingPart(t testing.TB, cfg Config, m *Manifest, keep time.Duration) *part {
	t.Helper()
	cfg.ViewRetention = keep
	s := &Serving{cfg: cfg, partitions: 1}
	p := cfg.newPair(m, 1)
	batches, err := s.loadBatch(m)
	require.NoError(t, err)
	p.setBatches(batches)
	return p.parts[0]
}

// servingOf is a serving that answers from one part.
func servingOf(cfg Config, p *part) *Serving {
	pair := &pair{manifest: &Manifest{Rules: cfg.Rules, Views: view.All}, parts: []*part{p}}
	pair.stampAs(&p.progress)
	s := &Serving{cfg: cfg}
	s.live.Store(pair)
	s.ends.Store(&[]int64{0})
	return s
}

// requireKept requires that a part answers what one that keeps everything answers of the time that it is to
// keep, row for row and in every layer, and that its speed view holds nothing else.
func requireKept(t *testing.T, cfg Config, all, some *part) {
	t.Helper()
	require.Equal(t, all.progress, some.progress)
	from := some.rules.KeptFrom(some.progress.Watermark, some.keep)
	require.Equal(t, from, some.keptFrom)
	everything, kept := servingOf(cfg, all), servingOf(cfg, some)
	require.Equal(t, from, kept.KeptFrom(""))
	status := kept.Status()
	for _, layer := range []httpapi.Layer{httpapi.Merged, httpapi.Batch, httpapi.Speed} {
		r := httpapi.All()
		r.Layer = layer
		had, _ := everything.Windows(r)
		windows := slices.DeleteFunc(had, func(w view.Window) bool { return w.Start < from })
		got, _ := kept.Windows(r)
		require.ElementsMatch(t, windows, got)
		hadAlerts, _ := everything.Alerts(r)
		alerts := slices.DeleteFunc(hadAlerts, func(a view.Alert) bool { return a.EventTime < from })
		gotAlerts, _ := kept.Alerts(r)
		require.ElementsMatch(t, alerts, gotAlerts)
		hadTrips, _, _ := everything.Trips(r)
		trips := slices.DeleteFunc(hadTrips, func(s view.Trip) bool { return s.End < from })
		gotTrips, _, _ := kept.Trips(r)
		require.ElementsMatch(t, trips, gotTrips)
		if layer == httpapi.Merged {
			require.Equal(t, [3]int{len(windows), len(alerts), len(trips)},
				[3]int{status.Rows.Windows, status.Rows.Alerts, status.Rows.Trips})
		}
	}
	require.Len(t, some.cars, len(some.all))
	for _, c := range some.all {
		require.Same(t, c, some.cars[c.id])
		require.True(t, len(c.windows) == 0 || c.windows[0].start >= from)
		require.False(t, slices.ContainsFunc(c.alerts, func(a alertCell) bool { return a.eventTime < from }))
	}
}

// Ensure that serving, which keeps everything by itself, does not answer about a time of which the batch layer has removed the
// files, and that a batch layer that keeps everything from now on does not bring back what is gone.
func TestServingKnowsThatItsFilesWereTrimmed(t *testing.T) {
	cfg := testConfig(t)
	cfg.Rules.TripGap = 1_000
	cfg.ViewRetention = brittleRetention
	log := disturbed(t, 1, 3, 900)
	for from := 0; from < len(log); from += 200 {
		ingestAll(t, cfg, log[from:min(len(log), from+200)])
	}
	m := runBatchOnce(t, cfg)
	require.Positive(t, m.keptFrom(0))
	cfg.ViewRetention = 0
	later := runBatchOnce(t, cfg)
	for _, m := range []*Manifest{m, later} {
		s := &Serving{cfg: cfg, partitions: 1}
		s.live.Store(loadPair(t, cfg, m))
		require.Equal(t, m.keptFrom(0), s.KeptFrom(""))
		for _, w := range s.live.Load().parts[0].batch.windows {
			require.GreaterOrEqual(t, w.start, m.keptFrom(0))
		}
	}
	require.Equal(t, m.keptFrom(0), later.keptFrom(0))
}

// Ensure that what is kept is what a part that keeps everything has of the same time, at any moment, wherever the
// boundary is, also after a restart of serving, and while the batch view is still to be loaded.
func TestKeptIsWhatIsWithinTheRetention(t *testing.T) {
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 3))
		cfg := testConfig(t)
		cfg.Rules.TripGap = []int64{1000, 5000}[seed%2]
		records := stopAndGo(t, disturbed(t, seed, 3, 900))
		boundary := random.Int64N(400)
		ingestAll(t, cfg, records[:boundary], boundary/2)
		m, err := runBatch(context.Background(), cfg, 1)
		require.NoError(t, err)
		h, err := cfg.loadHandover(m, 0)
		require.NoError(t, err)
		all, some := keepingPart(t, cfg, m, 0), keepingPart(t, cfg, m, brittleRetention)

		g := newGeneration(cfg, h, event.NewDecoder(schemas{}))
		var topic []eventlog.Record
		deliver := func() {
			first := len(topic)
			for _, r := range g.rows.records {
				r.Offset, r.Key, r.Value = int64(len(topic)), slices.Clone(r.Key), slices.Clone(r.Value)
				topic = append(topic, r)
			}
			for _, p := range []*part{all, some} {
				_, err := p.take(topic[first:], &speedRow{})
				require.NoError(t, err)
			}
		}
		g.rows.begin()
		deliver()
		for i := boundary; i < int64(len(records)); i++ {
			require.NoError(t, g.judge(&records[i]))
			if random.IntN(20) > 0 {
				continue
			}
			require.NoError(t, g.encode())
			deliver()
			g.alerts = g.alerts[:0]
			g.flushed()
			requireKept(t, cfg, all, some)
			if random.IntN(8) == 0 {
				batch := some.batch
				some = keepingPart(t, cfg, m, brittleRetention)
				late := random.IntN(2) == 0
				if late {
					some.batch = nil
				}
				_, err := some.take(topic, &speedRow{})
				require.NoError(t, err)
				if late {
					some.setBatch(batch)
				}
				requireKept(t, cfg, all, some)
			}
		}
		require.NotZero(t, some.keptFrom)
		rows := servingOf(cfg, some).Status().Rows.Windows
		require.Less(t, rows, servingOf(cfg, all).Status().Rows.Windows/2)
	}
}

// Ensure that what the speed view holds is bounded, however long events come and no batch run does, and that cars
// which stay away are forgotten.
func TestServingIsBoundedByTheRetention(t *testing.T) {
	cfg := testConfig(t)
	cfg.ViewRetention = 100 * time.Second
	const cars = 40
	pair := cfg.newPair(&Manifest{Rules: cfg.Rules, Views: view.All}, 1)
	pair.setBatches(make([]*batchPart, 1))
	p := pair.parts[0]
	out := speedViewWriter{}
	out.begin()
	mostRows, mostRoom := 0, 0
	for at := int64(1_000_000); at < 6_000_000; at += cfg.Rules.Window {
		for i := range int64(cars) {
			w := speedWindow{car: &speedCar{id: carName(int(at/1_000_000*cars + i))}, start: at, tally: view.EmptyTally()}
			w.tally.Readings, w.seqs = 1, seqSet{{at, at}}
			out.window(&w, at, at)
			out.alert(&speedAlert{Alert: view.Alert{AlertKey: view.AlertKey{CarID: w.car.id, Seq: at}, EventTime: at}}, at)
		}
		next := progress{Position: at, Watermark: cfg.Rules.Advance(p.progress.Watermark, at)}
		require.NoError(t, out.progress(next))
		_, err := p.take(out.records, &speedRow{})
		require.NoError(t, err)
		out.reset()
		mostRows = max(mostRows, p.extra.windows, p.extra.alerts)
		room := 0
		for _, c := range p.all {
			room += cap(c.windows)
		}
		mostRoom = max(mostRoom, room)
	}
	require.LessOrEqual(t, mostRows, cars*(100_000/int(cfg.Rules.Window)+2))
	require.LessOrEqual(t, mostRoom, 4*mostRows)
	require.Len(t, p.cars, cars, "those of the last hours")
}
