package bench

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/report"
	"lambdakappa/bench/result"
)

// Ensure that a run keeps what it has counted of the two sides, as it was, and that no figure stands for a file that is not
// there.
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
}
