package lambda

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
)

func TestSegmentNames(t *testing.T) {
	cfg := testConfig(t)
	path := cfg.segmentPath(3, 1200, 2400, testStart)
	require.Equal(t, filepath.Join(cfg.masterDir(), "date=2023-11-14", "hour=22",
		"p003-00000000000000001200-00000000000000002400.parquet"), path)
	s, ok := parseSegment(path)
	require.True(t, ok)
	require.Equal(t, segment{path, 3, 1200, 2400}, s)
	for _, name := range []string{
		"p003-5-9.parquet", "p003-00000000000000000009-00000000000000000009.parquet",
		"p003-00000000000000000001-00000000000000000009.parquet.tmp", "notes.txt",
	} {
		_, ok := parseSegment(name)
		require.False(t, ok, name)
	}
}

// Ensure that overlapping segments of two writers are resolved, and that one more never moves the
// end back. (Invariant 1.)
func TestLongestChain(t *testing.T) {
	f := func(want []segment, first int64, segments ...segment) {
		t.Helper()
		require.Equal(t, want, longestChain(segments, first))
	}
	a, b := segment{first: 0, end: 10}, segment{first: 10, end: 20}
	long, beyond := segment{first: 0, end: 15}, segment{first: 15, end: 30}
	f(nil, 0)
	f([]segment{a, b}, 0, b, a)
	f([]segment{b}, 10, b, a)
	f(nil, 5, a, b)
	f([]segment{a}, 0, a, beyond)
	f([]segment{a, b}, 0, a, b, long)
	f([]segment{long, beyond}, 0, a, b, long, beyond)
	f([]segment{long}, 0, a, long)
	whole := segment{first: 0, end: 20}
	f([]segment{whole}, 0, a, b, whole)
}

// Ensure that a writer that does not know yet that it has lost its partition harms nothing:
// whichever of its files survive, every offset is read once. (Invariant 1.)
func TestTwoWriters(t *testing.T) {
	cfg := testConfig(t)
	records := disturbed(t, 6, 2, 200)
	n := int64(len(records))
	ingestAll(t, cfg, records[:100], 40)
	ingestAll(t, cfg, records[:150], 30, 60)
	ingestAll(t, cfg, records[40:], 90)
	m, err := runBatch(context.Background(), cfg, 1)
	require.NoError(t, err)
	require.Equal(t, n, m.boundary(0))
	want := naiveAnswer(t, cfg, records, n)
	require.Equal(t, want.counters, m.Counters)
	part, err := loadBatchPart(cfg.generationDir(1), 0, cfg.Views)
	require.NoError(t, err)
	require.Len(t, part.windows, len(want.windows))
}

// Ensure that a file ends with the hour of its folder, and that append times that go back, also by
// days as in a recording that is sorted by car, make no file of every event.
func TestFilesByHour(t *testing.T) {
	const hour = 3_600_000
	f := func(appended []int64, want ...string) {
		t.Helper()
		cfg := testConfig(t)
		var records []eventlog.Record
		for i, at := range appended {
			records = append(records, recordOf(t, measured("car-1", int64(i), at)))
		}
		ingestAll(t, cfg, numbered(records...))
		master, err := cfg.scanMaster()
		require.NoError(t, err)
		var names []string
		for _, s := range longestChain(master[0], 0) {
			name, err := filepath.Rel(cfg.masterDir(), s.path)
			require.NoError(t, err)
			names = append(names, filepath.ToSlash(name))
		}
		require.Equal(t, want, names)
	}
	first := "date=1970-01-01/hour=00/"
	f([]int64{hour - 1000, hour - 1, hour, 2 * hour},
		first+segmentName(0, 0, 2),
		"date=1970-01-01/hour=01/"+segmentName(0, 2, 3),
		"date=1970-01-01/hour=02/"+segmentName(0, 3, 4))
	f([]int64{hour - 1, hour, hour - 1, hour, hour - 1, hour},
		first+segmentName(0, 0, 1), "date=1970-01-01/hour=01/"+segmentName(0, 1, 6))
	f([]int64{0, 30 * hour, 0, hour, 2 * hour, 30 * hour, 0},
		first+segmentName(0, 0, 1), "date=1970-01-02/hour=06/"+segmentName(0, 1, 7))
}

// Ensure that every way of being damaged is an error that names the file.
func TestDamagedMasterFile(t *testing.T) {
	cfg := testConfig(t)
	records := disturbed(t, 6, 2, 200)
	ingestAll(t, cfg, records)
	master, err := cfg.scanMaster()
	require.NoError(t, err)
	path := master[0][0].path
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	f := func(name string, content []byte) {
		t.Helper()
		require.NoError(t, os.WriteFile(path, content, 0o644))
		_, err := runBatch(context.Background(), cfg, 1)
		require.ErrorContains(t, err, path, name)
		require.NoDirExists(t, cfg.generationDir(1), name)
	}
	f("empty", nil)
	f("truncated", whole[:len(whole)/2])
	f("not Parquet", []byte("car_id,seq\ncar-1,0\n"))
	for name, at := range pageOffsets(t, whole) {
		flipped := append([]byte(nil), whole...)
		flipped[at] ^= 0x10
		f("one bit of column "+name, flipped)
	}
	other := testConfig(t)
	ingestAll(t, other, records[:100])
	otherMaster, err := other.scanMaster()
	require.NoError(t, err)
	foreign, err := os.ReadFile(otherMaster[0][0].path)
	require.NoError(t, err)
	f("another segment's content", foreign)
}

// Ensure that no data at all, and a file without rows, are no special case.
func TestEmptyMasterDataset(t *testing.T) {
	cfg := testConfig(t)
	m, err := runBatch(context.Background(), cfg, 3)
	require.NoError(t, err)
	require.Equal(t, []int64{0, 0, 0}, m.boundaries())
	require.Zero(t, m.Windows)
	onlyDead := numbered(recordOf(t, measured("car-1", 0, 1000)))
	onlyDead[0].Value = onlyDead[0].Value[:7]
	ingestAll(t, cfg, onlyDead)
	m, err = runBatch(context.Background(), cfg, 1)
	require.NoError(t, err)
	require.EqualValues(t, 1, m.boundary(0))
	require.EqualValues(t, 1, m.Counters.Events)
	require.Zero(t, m.Rows)
}

// pageOffsets returns, per column that the fold reads, an offset amid its values in the file.
func pageOffsets(t testing.TB, content []byte) map[string]int64 {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)))
	require.NoError(t, err)
	columns := columnLogicOf("v1").names()
	offsets := map[string]int64{}
	for _, c := range f.Metadata().RowGroups[0].Columns {
		m := c.MetaData
		if name := m.PathInSchema[0]; slices.Contains(columns, name) {
			offsets[name] = m.DataPageOffset + m.TotalCompressedSize - 10
			if m.DictionaryPageOffset > 0 {
				offsets[name] = m.DictionaryPageOffset + m.TotalCompressedSize - 10
			}
		}
	}
	require.Len(t, offsets, len(columns))
	return offsets
}
