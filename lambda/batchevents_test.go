package lambda

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/view"
)

// Ensure that both logics publish the same batch view and hand-over, to the byte, over everything
// and from a previous generation on.
func TestLogicsPublishTheSame(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 3))
		records := stopAndGo(t, disturbed(t, seed, 1+random.IntN(5), 400))
		half := int64(len(records) / 2)
		var published [2][]map[string]string
		var manifests [2]*Manifest
		for i, logic := range []string{ByColumns, ByEvents} {
			cfg := testConfig(t)
			cfg.Logic, cfg.Incremental = logic, seed/3%2 == 1
			cfg.Version = logics[seed%uint64(len(logics))].version
			cfg.Rules.TripGap = brittleGaps[seed%uint64(len(brittleGaps))]
			ingestAll(t, cfg, records[:half], half/3, half/2)
			m := runBatchOnce(t, cfg)
			published[i] = append(published[i], filesOf(t, cfg.generationDir(m.Generation)))
			ingestAll(t, cfg, records[half:], half+20)
			manifests[i] = runBatchOnce(t, cfg)
			published[i] = append(published[i], filesOf(t, cfg.generationDir(manifests[i].Generation)))
			require.Equal(t, cfg.Incremental, manifests[i].Base == 1)
			require.Equal(t, logic, manifests[i].Logic)
		}
		require.Equal(t, published[0], published[1])
		m := manifests[0]
		require.Equal(t, m.Partitions, manifests[1].Partitions)
		require.Equal(t, m.Counters, manifests[1].Counters)
		require.Positive(t, m.Counters.Duplicates)
		require.Positive(t, m.Counters.Conflicts)
		require.Positive(t, m.Alerts)
		require.Positive(t, m.Trips)
	}
}

func runBatchOnce(t testing.TB, cfg Config) *Manifest {
	t.Helper()
	m, err := runBatch(context.Background(), cfg, 1)
	require.NoError(t, err)
	return m
}

// filesOf returns the content of the files of a generation; all but the manifest, which has times.
func filesOf(t testing.TB, dir string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.parquet"))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	files := map[string]string{}
	for _, name := range names {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		files[filepath.Base(name)] = string(content)
	}
	return files
}

// Ensure that rows come to either logic in the order of the log: of two readings with one identity
// the lowest offset wins.
func TestRowsComeInLogOrder(t *testing.T) {
	cfg := testConfig(t)
	records := disturbed(t, 11, 3, 400)
	ingestAll(t, cfg, records, 50, 120)
	master, err := cfg.scanMaster()
	require.NoError(t, err)
	last := int64(-1)
	for _, s := range longestChain(master[0], 0) {
		require.NoError(t, readParquet(s.path, func(r *masterRow) error {
			require.Greater(t, r.Offset, last)
			require.GreaterOrEqual(t, r.Offset, s.first)
			require.Less(t, r.Offset, s.end)
			last = r.Offset
			return nil
		}))
	}
	require.Greater(t, last, int64(350))
}

// Ensure that events are made of rows without allocating, however many there are.
func TestEventLogicAllocatesPerBatchNotPerRow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.parquet")
	const rows = 20_000
	require.NoError(t, writeParquet(path, func(emit func(masterRow)) {
		for seq := range int64(rows) {
			e := testEvent(7, seq%100) // the same windows again: what is measured is the rows
			e.Seq = seq
			emit(newMasterRow(&e, seq, e.EventTime, 0))
		}
	}))
	cfg := testConfig(t)
	fold := func(logic string) float64 {
		return testing.AllocsPerRun(3, func() {
			f := newBatchFold(cfg.Rules, view.Windows|view.Alerts)
			logic := batchLogics[logic](f, "v1")
			require.NoError(t, scanFile(path, logic.names(), logic.add))
		})
	}
	require.Less(t, fold(ByEvents), fold(ByColumns)+100)
}

// Ensure that a logic that nobody knows is refused before anything runs.
func TestUnknownLogic(t *testing.T) {
	require.EqualError(t, checkLogic("rows"), `logic "rows": must be one of columns, events`)
}
