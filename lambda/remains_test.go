package lambda

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// latecomers is disturbed, with readings that are older than anything that is kept, and copies and conflicts of
// readings in files that are gone.
func latecomers(t testing.TB, seed uint64, cars, events int) []eventlog.Record {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 11))
	records := stopAndGo(t, disturbed(t, seed, cars, events))
	decoder := event.NewDecoder(schemas{})
	for i := 50; i < len(records); i += 1 + random.IntN(20) {
		old := records[random.IntN(i)]
		var e event.CarSensor
		if decoder.Decode(old.Key, old.Value, &e) == nil && random.IntN(2) == 0 {
			e.Speed++
			if random.IntN(2) == 0 {
				e.EventTime = records[i].AppendTime - random.Int64N(20_000)
			}
			old.Value = recordOf(t, e).Value
		}
		old.AppendTime = records[i].AppendTime
		records[i] = old
	}
	return numbered(records...)
}

// requireSameFrom requires that of what is kept a trimmed dataset says, row for row, what a whole one says.
func requireSameFrom(t *testing.T, whole, trimmed Config, m, n *Manifest) {
	t.Helper()
	all, err := loadBatchPart(whole.generationDir(m.Generation), 0, whole.Views)
	require.NoError(t, err)
	some, err := loadBatchPart(trimmed.generationDir(n.Generation), 0, trimmed.Views)
	require.NoError(t, err)
	from := n.keptFrom(0)
	require.Equal(t, trimmed.Rules.KeptFrom(m.watermark(0), trimmed.ViewRetention.Milliseconds()), from)
	require.Equal(t, m.boundary(0), n.boundary(0))
	require.Equal(t, m.watermark(0), n.watermark(0))
	require.Equal(t, m.newestAppend(0), n.newestAppend(0))
	require.Equal(t, m.Counters.Events, n.Counters.Events)
	require.Equal(t, m.Counters.DeadLetters, n.Counters.DeadLetters)
	require.Equal(t, m.Counters.Duplicates+m.Counters.Conflicts, n.Counters.Duplicates+n.Counters.Conflicts)
	handed, err := whole.loadHandover(m, 0)
	require.NoError(t, err)
	got, err := trimmed.loadHandover(n, 0)
	require.NoError(t, err)
	require.ElementsMatch(t, handed.named(), got.named())

	for i, car := range all.cars {
		windows := slices.DeleteFunc(slices.Clone(all.windowsOf(int32(i))), func(w batchWindow) bool { return w.start < from })
		at, known := some.index[car]
		require.Equal(t, len(windows) > 0, known, car)
		if !known {
			continue
		}
		require.Equal(t, windows, some.windowsOf(at))
		require.Equal(t, all.seenOf(int32(i)), some.seenOf(at))
		begins := func(s view.Stretch) bool { return s.Start < from }
		require.Equal(t,
			slices.DeleteFunc(slices.Clone(all.tripsOf(car, 0)), begins),
			slices.DeleteFunc(slices.Clone(some.tripsOf(car, 0)), begins))
		for _, s := range some.tripsOf(car, 0) {
			require.GreaterOrEqual(t, s.End, from)
		}
	}
	alerts := slices.DeleteFunc(slices.Clone(all.alerts), func(a view.Alert) bool { return a.EventTime < from })
	require.Equal(t, alerts, some.alerts)
	require.EqualValues(t, len(some.windows), n.Windows)
	require.EqualValues(t, len(some.alerts), n.Alerts)
	require.EqualValues(t, len(some.trips), n.Trips)
}

// Ensure that a master dataset whose oldest files are gone gives what a whole one gives, in either logic, whatever
// comes late, twice or in conflict with what is gone, and whatever step a run dies at; and that files do go.
func TestTrimmedMasterGivesTheSame(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 5))
			records := latecomers(t, seed, 3, 900)
			whole, trimmed := testConfig(t), testConfig(t)
			whole.Rules.TripGap = []int64{1_000, 5_000}[seed%2]
			whole.Logic = []string{ByColumns, ByEvents}[seed/2%2]
			trimmed.Rules, trimmed.Logic = whole.Rules, whole.Logic
			trimmed.ViewRetention = brittleRetention
			files := 0
			for from := 0; from < len(records); {
				end := min(len(records), from+20+random.IntN(80))
				ingestAll(t, whole, records[from:end])
				ingestAll(t, trimmed, records[from:end])
				from = end
				files++
				if random.IntN(2) > 0 && end < len(records) {
					continue
				}
				m, err := runBatch(context.Background(), whole, 1)
				require.NoError(t, err)
				dieAtAnyStep(t, trimmed, random)
				n, err := runBatch(context.Background(), trimmed, 1)
				require.NoError(t, err)
				requireSameFrom(t, whole, trimmed, m, n)
			}
			master, err := trimmed.scanMaster()
			require.NoError(t, err)
			require.Less(t, len(master[0]), files/2)
			left, err := trimmed.readRemains()
			require.NoError(t, err)
			require.Equal(t, chainStart(master[0]), left.of(0).End)
		})
	}
}

var errDied = errors.New("died")

// dieAtAnyStep has a batch run die at one of its steps, which does not matter to the next.
func dieAtAnyStep(t *testing.T, cfg Config, random *rand.Rand) {
	t.Helper()
	var left atomic.Int64 // files are made durable side by side
	left.Store(random.Int64N(30))
	cfg.fault = func(string) error {
		if left.Add(-1) < 0 {
			return errDied
		}
		return nil
	}
	if _, err := runBatch(context.Background(), cfg, 1); err != nil {
		require.ErrorIs(t, err, errDied)
	}
	master, err := cfg.scanMaster()
	require.NoError(t, err)
	chain := longestChain(master[0], chainStart(master[0]))
	require.Len(t, chain, len(master[0]), "who knows of no remains finds a chain")
}

// Ensure that what repeats a reading in a file that is gone counts as a duplicate, also when copies that differ are in files that
// are kept: none of these is the first.
func TestRepeatsOfWhatIsGone(t *testing.T) {
	cfg := testConfig(t)
	cfg.Rules.TripGap = 1_000
	cfg.ViewRetention = brittleRetention
	first := measured("a", 0, 1_000_000)
	other := first
	other.Speed++
	log := []eventlog.Record{recordOf(t, first)}
	for seq := int64(1); seq < 400; seq++ {
		log = append(log, recordOf(t, measured("a", seq, 1_000_000+seq*1000)))
	}
	log = append(log, recordOf(t, other), recordOf(t, first), recordOf(t, first))
	log = numbered(log...)
	ingestAll(t, cfg, log[:10])
	ingestAll(t, cfg, log[10:400])
	m := runBatchOnce(t, cfg)
	require.Zero(t, m.Counters.Duplicates+m.Counters.Conflicts)
	master, err := cfg.scanMaster()
	require.NoError(t, err)
	require.EqualValues(t, 10, chainStart(master[0]))

	ingestAll(t, cfg, log[400:])
	m = runBatchOnce(t, cfg)
	require.EqualValues(t, 3, m.Counters.Duplicates)
	require.Zero(t, m.Counters.Conflicts)
}

// Ensure that a copy is counted for as long as its file is kept, also when its car has fallen silent and is answered no more.
func TestRepeatsOfASilentCar(t *testing.T) {
	cfg := testConfig(t)
	cfg.ViewRetention = brittleRetention
	var log []eventlog.Record
	done := 0
	run := func() view.Counters {
		log = numbered(log...)
		ingestAll(t, cfg, log[done:])
		done = len(log)
		return runBatchOnce(t, cfg).Counters
	}
	seq, at := int64(0), int64(1_000_000)
	drive := func(seconds int) {
		for range seconds {
			at += 1000
			log = append(log, recordOf(t, measured("a", seq, at)))
			seq++
		}
	}
	log = append(log, recordOf(t, measured("silent", 0, at)))
	run()
	for range 6 { // so that the remains know of it: it is answered, and its first file is gone
		drive(5)
		log = append(log, recordOf(t, measured("silent", seq, at)))
		drive(5)
		run()
	}
	for range 5 { // it falls silent, and is answered for a little longer
		drive(10)
		run()
	}
	log = append(log, log[0])
	require.EqualValues(t, 1, run().Duplicates)
	for range 12 {
		drive(10)
		require.EqualValues(t, 1, run().Duplicates)
	}
}

// Ensure that a view by longer windows than those by which files were removed has no alert and no trip of a car without a window:
// serving could not load it. Some cars fall silent, one after the other, so that for one of them the boundary is where it hurts.
func TestTrimmedMasterByOtherWindows(t *testing.T) {
	for seed := range uint64(4) {
		cfg := testConfig(t)
		cfg.Rules.TripGap = 1_000
		cfg.ViewRetention = brittleRetention
		silent := 0
		records := slices.DeleteFunc(disturbed(t, seed, 40, 12_000), func(r eventlog.Record) bool {
			var e event.CarSensor
			if event.NewDecoder(schemas{}).Decode(r.Key, r.Value, &e) != nil {
				return false
			}
			var car int64
			_, err := fmt.Sscanf(e.CarID, "car-%d", &car)
			require.NoError(t, err)
			stops := e.Seq%1_000_000 > 100+car*5
			if stops {
				silent++
			}
			return stops
		})
		require.Positive(t, silent)
		records = numbered(records...)
		for from := 0; from < len(records); from += 200 {
			ingestAll(t, cfg, records[from:min(len(records), from+200)])
		}
		m := runBatchOnce(t, cfg)
		require.Positive(t, m.keptFrom(0))

		cfg.Rules.Window = 60_000
		cfg.ViewRetention = time.Duration(cfg.Rules.Settled()) * time.Millisecond
		other := runBatchOnce(t, cfg)
		loadPair(t, cfg, other)
		require.GreaterOrEqual(t, other.keptFrom(0), m.keptFrom(0))
		require.Zero(t, other.keptFrom(0)%cfg.Rules.Window)
	}
}

// Ensure that ingest goes on behind a trimmed dataset, also when it finds files that are about to go.
func TestIngestGoesOnBehindATrimmedMaster(t *testing.T) {
	log := startLog(t, 1)
	cfg := logConfig(t, log)
	cfg.Rules.TripGap = 1_000
	cfg.ViewRetention = brittleRetention
	records := disturbed(t, 3, 2, 400)
	for from := 0; from < 300; from += 60 {
		send(t, log, records[from:from+60])
		stop := start(t, cfg, Ingest)
		batch(t, cfg)
		stop()
	}
	left, err := cfg.readRemains()
	require.NoError(t, err)
	require.Positive(t, left.of(0).End)

	// A crash between remains and removal, and a file across the cut.
	writeSegment(t, cfg, 0, left.of(0).End-10, left.of(0).End, nil)
	writeSegment(t, cfg, 0, left.of(0).End-5, left.of(0).End+1, nil)
	send(t, log, records[300:])
	start(t, cfg, Ingest)
	require.Eventually(t, func() bool {
		m, err := RunBatch(context.Background(), cfg)
		require.NoError(t, err)
		return m.boundary(0) == int64(len(records))
	}, patience, 10*time.Millisecond)
	master, err := cfg.scanMaster()
	require.NoError(t, err)
	require.GreaterOrEqual(t, chainStart(master[0]), left.of(0).End)
}

// Ensure that folders of hours that are long past go with their files.
func TestEmptyHoursGo(t *testing.T) {
	cfg := testConfig(t)
	var chain []segment
	for i := range int64(6) {
		path := cfg.segmentPath(0, i, i+1, testStart+i*time.Hour.Milliseconds())
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o644))
		s, ok := parseSegment(path)
		require.True(t, ok)
		chain = append(chain, s)
	}
	require.NoError(t, cfg.removeBefore(5, chain, chain))
	hours := 0
	require.NoError(t, filepath.WalkDir(cfg.masterDir(), func(path string, e fs.DirEntry, err error) error {
		if e.IsDir() && filepath.Base(path)[:4] == "hour" {
			hours++
		}
		return err
	}))
	require.Equal(t, 2, hours, "that of the newest file, and the one before")
}

// Ensure that a run which wants what the remains do not have says so.
func TestRemainsOfOtherViews(t *testing.T) {
	cfg := testConfig(t)
	cfg.Rules.TripGap, cfg.ViewRetention, cfg.Views = 1_000, brittleRetention, view.Windows|view.Alerts
	records := disturbed(t, 3, 2, 400)
	for from := 0; from < len(records); from += 40 {
		ingestAll(t, cfg, records[from:min(len(records), from+40)])
	}
	_, err := runBatch(context.Background(), cfg, 1)
	require.NoError(t, err)
	left, err := cfg.readRemains()
	require.NoError(t, err)
	require.Positive(t, left.of(0).End)
	cfg.Views = view.All
	_, err = runBatch(context.Background(), cfg, 1)
	require.ErrorContains(t, err, "views windows,alerts,trips, trip gap 1000 ms: what was removed")
}

// Ensure that what a run reads and keeps is bounded, however long events come.
func TestMasterIsBoundedByTheRetention(t *testing.T) {
	cfg := testConfig(t)
	cfg.Rules.TripGap, cfg.ViewRetention = 1_000, brittleRetention
	most := 0
	for i := range int64(40) {
		var records []eventlog.Record
		for j := range int64(20) {
			e := measured(carName(int(i/10)), i*20+j, (i*20+j)*1000)
			r := recordOf(t, e)
			r.Offset = i*20 + j
			records = append(records, r)
		}
		ingestAll(t, cfg, records)
		m, err := runBatch(context.Background(), cfg, 1)
		require.NoError(t, err)
		require.LessOrEqual(t, m.Rows, int64(60+60))
		require.EqualValues(t, (i+1)*20, m.Counters.Events)
		require.LessOrEqual(t, m.Windows, int64(8))
		master, err := cfg.scanMaster()
		require.NoError(t, err)
		most = max(most, len(master[0]))
	}
	require.LessOrEqual(t, most, 6)
	left, err := cfg.readRemains()
	require.NoError(t, err)
	cars := map[string]bool{}
	require.NoError(t, readParquet(partFile(generationDir(cfg.remainsDir(), left.Generation), "seen", 0),
		func(e *seenEntry) error { cars[e.CarID] = true; return nil }))
	require.LessOrEqual(t, len(cars), 2, "those that are long gone are forgotten")
}
