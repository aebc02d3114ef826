package report

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that only what stands between the markers changes, and that splicing again changes nothing.
func TestSplice(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	require.NoError(t, os.WriteFile(file, []byte("above\n<!-- results -->\nold\n<!-- /results -->\nbelow\n"), 0o644))
	s := fixture(t, "right")
	require.NoError(t, Splice(file, s))
	once, err := os.ReadFile(file)
	require.NoError(t, err)
	golden(t, "spliced.md", once)
	require.NoError(t, Splice(file, s))
	twice, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(once), string(twice))
}

// Ensure that a file without its two markers is refused and left alone.
func TestSpliceNeedsMarkers(t *testing.T) {
	for _, content := range []string{
		"no markers",
		"<!-- results --> only",
		"<!-- /results --> <!-- results -->",
		"<!-- results --> <!-- results --> <!-- /results -->",
	} {
		file := filepath.Join(t.TempDir(), "README.md")
		require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
		require.ErrorContains(t, Splice(file, fixture(t, "right")), "README.md")
		after, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, content, string(after))
	}
}
