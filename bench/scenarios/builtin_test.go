package scenarios

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that every file is a scenario that loads, in an order that names each once.
func TestBuiltin(t *testing.T) {
	found, err := fs.Glob(files, "*.yaml")
	require.NoError(t, err)
	var named []string
	for _, s := range Builtin() {
		named = append(named, s.Name+".yaml")
	}
	require.ElementsMatch(t, found, named)
}
