package systemtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
)

// history is a transcript's worth of events: late, twice, broken, over the partitions.
const history = `car=a seq=0 t=12:00:01
car=b seq=0 t=12:00:01 coolant=120
car=c seq=0 t=12:00:02
again 0/0
car=a seq=1 t=12:00:55
car=b seq=1 t=12:00:56
car=c seq=1 t=12:00:57
car=a seq=2 t=12:00:03
car=b seq=2 t=12:00:04
car=c seq=2 t=12:01:20 broken=truncated
`

// Ensure that Kappa replays history from Lambda's master dataset, which is in the layout of its own
// archive, when the log has forgotten all of it.
func TestKappaReplaysLambdasMasterDataset(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	play := func(c command) {
		t.Helper()
		_, err := s.play(c)
		require.NoError(t, err)
	}
	play(command{name: "open", args: map[string]string{"partitions": "2"}})
	play(command{name: "send", input: history})
	play(command{name: "batch"}) // so ingest has all of it
	require.NoError(t, s.world.log.DeleteRecords(t.Context(), eventlog.CarsTopic, s.world.ends))
	kappa, err := s.world.side("kappa")
	require.NoError(t, err)
	kappa.system.(*kappaSystem).archive = filepath.Join(s.dir, "lambda")
	play(command{name: "deploy", words: []string{"v2"}})
	play(command{name: "send", input: "car=a seq=3 t=12:01:30\ncar=b seq=3 t=12:01:31\n"})
	play(command{name: "settle"})
	wrong, err := s.play(command{name: "check"})
	require.NoError(t, err)
	require.Empty(t, wrong)
}

// Ensure that the two sides write events in one layout, docs/archive-layout.md: the same columns of
// the same types in the same order, and one more in Kappa's.
func TestOneLayoutOfEvents(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	for _, c := range []command{{name: "open"}, {name: "send", input: "car=a seq=0 t=12:00:01\n"}} {
		_, err := s.play(c)
		require.NoError(t, err)
	}
	kappa, err := s.world.side("kappa")
	require.NoError(t, err)
	require.NoError(t, kappa.start("sink"))
	columns := func(dir string) (columns []string) {
		var files []string
		require.NoError(t, s.world.await("a file", func() (bool, error) {
			var err error
			files, err = filepath.Glob(filepath.Join(s.dir, dir, "master", "date=*", "hour=*", "p*.parquet"))
			return len(files) > 0, err
		}))
		file, err := os.Open(files[0])
		require.NoError(t, err)
		defer file.Close()
		info, err := file.Stat()
		require.NoError(t, err)
		f, err := parquet.OpenFile(file, info.Size())
		require.NoError(t, err)
		facts, found := f.Lookup("segment")
		require.True(t, found)
		require.Contains(t, facts, `"counters"`)
		for _, field := range f.Schema().Fields() {
			columns = append(columns, field.Name()+" "+field.Type().String())
		}
		return columns
	}
	require.Equal(t, append(columns("lambda"), "intended INT(64,true)"), columns("kappa"))
}
