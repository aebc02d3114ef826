package bench

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A fullDisk has no room as long as the data of a run lies on it, from the moment when two
// summaries were written: that of the beginning, and that of the first run.
type fullDisk struct {
	folder    *folder
	summaries int
}

func (d *fullDisk) writeFile(path string, content []byte) error {
	_, err := os.Stat(filepath.Join(d.folder.path, "work"))
	if d.summaries >= 2 && !errors.Is(err, fs.ErrNotExist) {
		_ = writeFile(path, content[:len(content)/2])
		return &fs.PathError{Op: "write", Path: path, Err: syscall.ENOSPC}
	}
	if filepath.Base(path) == "summary.json.tmp" {
		d.summaries++
	}
	return writeFile(path, content)
}

// Ensure that a disk that fills up during the second run ends the benchmark with an error that
// names the file and what to do, that no process is left, and that the first run is kept and
// reported: the data of the second is removed first, which makes room.
func TestDiskFillsUp(t *testing.T) {
	t.Parallel()
	o := small(t, "settled")
	o.Arms, o.Cars, o.Rate = []string{armKappa}, 50, 50 // the one that is faster
	o.Duration, o.Repetitions = 24*time.Second, 2
	f, err := newFolder(o.Out, folderName(o), noon)
	require.NoError(t, err)
	disk := &fullDisk{folder: f}
	f.writeFile = disk.writeFile

	s, err := runIn(t.Context(), o, f, nil)
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, "scenario settled: write views/settled-kappa-2/")
	require.ErrorContains(t, err, f.path)
	require.ErrorContains(t, err, "--out")
	requireNobodyLeft(t, o.Out)
	require.NoDirExists(t, filepath.Join(f.path, "work"))

	kept := readSummary(t, o.Out)
	require.Len(t, kept.Runs, 1)
	requireRight(t, kept)
	require.Equal(t, s.Runs[0].Correctness, kept.Runs[0].Correctness)
	for _, name := range []string{"report.html", "samples.txt", "views/settled-kappa-1/kappa.parquet"} {
		require.FileExists(t, filepath.Join(f.path, filepath.FromSlash(name)))
	}
	requireSchema(t, filepath.Join(f.path, "summary.json"))
}

// Ensure that the program, too, ends with a clear message, an exit code and no process left when
// its disk is full and stays so, and that the last summary that could be written is still whole.
func TestDiskStaysFull(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "results")
	cmd := exec.Command(binary(t), "bench", "--quiet", "--scenario", "settled", "--arm", armLambda,
		"--cars", "50", "--rate", "50", "--duration", "24s", "--out", out)
	var said bytes.Buffer
	cmd.Stderr = &said
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return len(processesWith(t, out)) >= 4 }, 30*time.Second,
		20*time.Millisecond, "the driver, a broker and components are running")
	summaries, err := filepath.Glob(filepath.Join(out, "*", "summary.json"))
	require.NoError(t, err)
	require.Len(t, summaries, 1)
	fillUp(t, summaries[0]+".tmp")

	var failed *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &failed)
	require.Equal(t, 1, failed.ExitCode())
	require.Contains(t, said.String(), "write summary")
	require.Contains(t, said.String(), summaries[0])
	require.Contains(t, said.String(), "--out")
	requireNobodyLeft(t, out)
	require.NoDirExists(t, filepath.Join(filepath.Dir(summaries[0]), "work"))
	require.Empty(t, readSummary(t, out).Runs)
}

// fillUp makes every write to path fail, for root as well: Linux has a device that is always full;
// elsewhere a folder in the place of the file has to do.
func fillUp(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat("/dev/full"); err == nil {
		require.NoError(t, os.Symlink("/dev/full", path))
		return
	}
	require.NoError(t, os.Mkdir(path, 0o755))
}
