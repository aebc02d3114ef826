package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/report"
	"lambdakappa/bench/result"
)

// Ensure that a run keeps what it has counted of the two sides, as it was, that no figure stands for a file that is not
// there, and that what is kept is no code of the project: make test after make bench tests what it tested before.
func TestCountCodeKeepsWhatItCounts(t *testing.T) {
	f, err := newFolder(t.TempDir(), "code", noon)
	require.NoError(t, err)
	d := &driver{opt: DefaultOptions(), summary: &result.Summary{}, folder: f}
	require.NoError(t, (&countCode{}).run(t.Context(), d, nil))
	kept := 0
	for column, size := range d.summary.CodeSize {
		for _, file := range size.PerFile {
			got, err := os.ReadFile(filepath.Join(f.path, report.CodeFolder, file.File))
			if column == "shared" {
				require.ErrorIs(t, err, os.ErrNotExist)
				continue
			}
			require.NoError(t, err, column)
			want, err := os.ReadFile(filepath.Join("..", file.File))
			require.NoError(t, err)
			require.Equal(t, string(want), string(got), file.File)
			kept++
		}
	}
	require.Greater(t, kept, 60)

	require.NoError(t, os.WriteFile(filepath.Join(f.path, "go.mod"), []byte("module results\n"), 0o644))
	list := exec.CommandContext(t.Context(), "go", "list", "-e", "./...")
	list.Dir = f.path
	packages, err := list.Output()
	require.NoError(t, err)
	require.Empty(t, string(packages), "the go command takes the copies for packages of the project")
}
