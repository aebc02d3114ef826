package report

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that what is kept of a reference run says the same as the whole of it, without the lines, and
// that the whole is left as it was.
func TestWriteReference(t *testing.T) {
	s := fixture(t, "right")
	from, dir := t.TempDir(), t.TempDir()
	for _, name := range kept {
		require.NoError(t, os.WriteFile(filepath.Join(from, name), []byte(name), 0o644))
	}
	require.NoError(t, WriteReference(dir, from, s))
	small, err := Load(dir)
	require.NoError(t, err)
	require.Equal(t, s.Scenarios, small.Scenarios)
	require.Len(t, small.Runs, len(s.Runs))
	lines, spectra := 0, 0
	for i, r := range small.Runs {
		lines += len(s.Runs[i].Series)
		require.Empty(t, r.Series)
		require.Equal(t, s.Runs[i].Figures, r.Figures)
		if r.LatencyMs != nil {
			spectra += len(s.Runs[i].LatencyMs.Visible.Spectrum)
			require.Empty(t, r.LatencyMs.Visible.Spectrum)
			require.Equal(t, s.Runs[i].LatencyMs.Visible.P99, r.LatencyMs.Visible.P99)
		}
	}
	require.Positive(t, lines)
	require.Positive(t, spectra)
	for _, name := range kept {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, name, string(raw))
	}
	requireLinksResolve(t, dir)
	require.NoFileExists(t, filepath.Join(dir, "report.html"))
	require.ErrorContains(t, WriteReference(dir, t.TempDir(), s), "keep as reference")
}
