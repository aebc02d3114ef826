package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that a cluster which is there already is not started with what it was made without, and that the
// error says so.
func TestAClusterStaysAsItWasMade(t *testing.T) {
	home, dir := t.TempDir(), t.TempDir()
	t.Setenv("JAVA_HOME", home)
	require.NoError(t, os.Mkdir(filepath.Join(home, "bin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(home, "bin", "java"), []byte("#!/bin/sh\nexit 1\n"), 0o755))
	made := `{"id": "x", "jars": "/jars", "nodes": [{"id": 1, "voter": true, "port": 19092}]}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cluster.json"), []byte(made), 0o644))
	f := func(how string, args ...string) {
		t.Helper()
		done := do(t, append([]string{"kafka"}, append(args, "--dir", dir)...)...)
		require.Equal(t, exitFailed, done.code)
		require.Contains(t, done.stderr, "was made "+how+": take it down first")
	}
	f("without a second tier", "up", "--tiered")
	f("with 1 nodes", "up", "--nodes", "3")
	f("with port 19092", "up", "--port", "9092")
	f("without links between its nodes", "run")
}
