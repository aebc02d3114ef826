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

// Ensure that every scenario helps its reader, and that no figure is typed (p99 and v2 are names): those come from runs.
func TestBuiltinSayHowTheyAreRead(t *testing.T) {
	for _, s := range Builtin() {
		require.NotEmpty(t, s.Reading, s.Name)
		require.NotEmpty(t, s.Caution, s.Name)
		if !s.Apart && s.Procedure != NotBuilt {
			require.NotEmpty(t, s.Surprises, s.Name)
			require.NotEmpty(t, s.Parts, s.Name)
		}
		require.NotRegexp(t, `[^pv0-9][0-9]`, s.Reading+s.Surprises+s.Caution, s.Name)
	}
}
