package proc_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/proc"
)

func TestMemory(t *testing.T) {
	installed, available, err := proc.Memory()
	require.NoError(t, err)
	require.Positive(t, available)
	require.Less(t, available, installed)
}

func TestDiskFree(t *testing.T) {
	free, err := proc.DiskFree(t.TempDir())
	require.NoError(t, err)
	require.Positive(t, free)
	gone := filepath.Join(t.TempDir(), "gone")
	_, err = proc.DiskFree(gone)
	require.ErrorContains(t, err, gone)
}

// Ensure that who holds a port is named, and nobody once it is free.
func TestPortOwner(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	owner, found := proc.PortOwner(t.Context(), port)
	require.True(t, found)
	require.Equal(t, os.Getpid(), owner.PID)
	require.NotEmpty(t, owner.Name)
	require.NoError(t, l.Close())
	_, found = proc.PortOwner(t.Context(), port)
	require.False(t, found)
}
