package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench"
)

func TestDatagenWritesTheSameFileForTheSameFlags(t *testing.T) {
	args := []string{"datagen", "--cars", "10", "--rate", "20", "--duration", "5s", "--seed", "7"}
	stdout := do(t, append(args, "--csv", "-")...)
	require.Equal(t, exitOK, stdout.code)
	require.Equal(t, 1+100, strings.Count(stdout.stdout, "\n"), "a header and 100 readings")

	file := filepath.Join(t.TempDir(), "cars.csv")
	require.Contains(t, do(t, append(args, "--csv", file)...).stdout, `"event":"written"`)
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, stdout.stdout, string(written))

	again := do(t, "datagen", "--input", "csv:"+file, "--csv", "-")
	require.Equal(t, stdout, again, "recorded input is the same again")
}

func TestDatagenLeavesNoHalfFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cars.parquet")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stderr strings.Builder
	code := run(ctx, []string{"datagen", "--parquet", file}, nil, t.Output(), &stderr)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr.String(), "interrupted")
	require.NoFileExists(t, file)
}

func TestDatagenNamesTheRowOfRecordedInputThatIsBroken(t *testing.T) {
	dir := t.TempDir()
	good := do(t, "datagen", "--cars", "1", "--rate", "1", "--duration", "3s", "--csv", "-").stdout
	file := filepath.Join(dir, "broken.csv")
	require.NoError(t, os.WriteFile(file, []byte(good+"1,2,3\n"), 0o600))
	got := do(t, "datagen", "--input", "csv:"+file, "--csv", filepath.Join(dir, "out.csv"))
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.stderr, "line 5")
	require.NoFileExists(t, filepath.Join(dir, "out.csv"))
}

func TestAWorkloadIsWhatItsFlagsChange(t *testing.T) {
	rows := func(args ...string) int {
		got := do(t, append([]string{"datagen", "--csv", "-"}, args...)...)
		require.Equal(t, exitOK, got.code, got.stderr)
		return strings.Count(got.stdout, "\n") - 1
	}
	require.Equal(t, 200*10, rows("--workload", "silence", "--duration", "10s"))
	require.Equal(t, 5*10, rows("--workload", "silence", "--duration", "10s", "--cars", "5", "--rate", "5"))
}

// Ensure that a generator says when its events were acknowledged: the driver knows it from nobody else.
func TestDatagenSaysWhenEventsWereAcknowledged(t *testing.T) {
	args := append(startBroker(t), "datagen", "--cars", "10", "--rate", "10", "--duration", "20s", "--speedup", "20")
	said := do(t, args...)
	require.Equal(t, exitOK, said.code, said.stderr)
	lines := strings.Split(strings.TrimSpace(said.stdout), "\n")
	var published bench.Published
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &published))
	require.EqualValues(t, 200, published.Events)
	require.Positive(t, published.Acked.WithinSecond)
	require.Positive(t, published.Acked.SlowestMs)
}
