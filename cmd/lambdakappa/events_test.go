package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that the events of a time come out in every way that they can be asked for, and that a file
// that could not be completed is not left behind.
func TestEventsComeOut(t *testing.T) {
	log := startBroker(t)
	events := append(log, "datagen", "--cars", "10", "--rate", "10", "--duration", "30s",
		"--start", "2026-11-22T23:30:00Z", "--speedup", "0")
	require.Equal(t, exitOK, do(t, events...).code)
	ask := func(args ...string) ended {
		t.Helper()
		return do(t, append(append(log, "kappa", "events",
			"--from", "2026-11-22T23:30:10Z", "--to", "2026-11-22T23:30:20Z"), args...)...)
	}
	lines := ask()
	require.Equal(t, exitOK, lines.code)
	require.Equal(t, 100, strings.Count(lines.stdout, "\n"))
	require.Contains(t, lines.stdout, `"event_time":1795390210000`)

	fact := func(got ended) (fact map[string]any) {
		t.Helper()
		require.Equal(t, exitOK, got.code, got.stderr)
		require.NoError(t, json.Unmarshal([]byte(got.stdout), &fact))
		require.EqualValues(t, 100, fact["events"])
		return fact
	}
	counted := fact(ask("--count"))
	require.Greater(t, counted["bytes_read"], counted["bytes_wanted"])
	file := filepath.Join(t.TempDir(), "events.parquet")
	require.Equal(t, counted["hash"], fact(ask("--output", file))["hash"])
	require.FileExists(t, file)

	failed := do(t, "lambda", "events", "--dir", t.TempDir(), "--output", file,
		"--from", "2026-11-22T23:30:10Z", "--to", "2026-11-22T23:30:20Z")
	require.Equal(t, exitFailed, failed.code)
	_, err := os.Stat(file)
	require.ErrorIs(t, err, os.ErrNotExist)
}
