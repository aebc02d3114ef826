package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/doctor"
	"lambdakappa/bench/workshop"
)

// Ensure that the live page and the exercises take half of what this machine was found to sustain where that is less than
// their own rate, and say so, and else their own.
func TestHalfOfWhatDoctorHasFound(t *testing.T) {
	home := t.TempDir()
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "LocalAppData"} { // where caches lie, by system
		t.Setenv(name, home)
	}
	file, err := doctor.File()
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	host, err := os.Hostname()
	require.NoError(t, err)
	bugfix, err := workshop.Named("5") // 5,000 events/s
	require.NoError(t, err)
	f := func(sustained int, want float64, flag, says string) {
		t.Helper()
		kept := fmt.Sprintf(`{"events_per_second":%d,"when":"2026-11-30T12:00:00Z","host":%q,"cores":%d}`,
			sustained, host, runtime.NumCPU())
		require.NoError(t, os.WriteFile(file, []byte(kept), 0o644))
		var stderr bytes.Buffer
		a := &app{stderr: &stderr}
		require.Equal(t, want, a.gentleRate(2000))
		require.Contains(t, stderr.String(), says)
		require.Equal(t, says == "", stderr.Len() == 0)

		stderr.Reset()
		require.Equal(t, flag, a.gentleFlag(bugfix))
		require.Equal(t, flag == "", stderr.Len() == 0)
	}
	f(1333, 666, " --rate 666", "666 events/s, half of what 'lambdakappa doctor' has found on 2026-11-30")
	f(4000, 2000, " --rate 2000", "")
	f(36_000, 2000, "", "")
	f(0, 2000, "", "")
}
