package proc_test

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/proc"
)

// Ensure that a grandchild in a group of its own dies with the child that started it, although
// nobody had time to tell it.
func TestChildrenDieWithTheirParent(t *testing.T) {
	cmd, line := start(t, "parent")
	grandchild, err := strconv.Atoi(line)
	require.NoError(t, err)
	require.True(t, running(grandchild))
	require.NoError(t, proc.Kill(cmd))
	cmd.Wait()
	require.Eventually(t, func() bool { return !running(grandchild) }, 10*time.Second, time.Millisecond)
}

// running reports whether a process runs. One that has ended may stay as a zombie when nobody
// collects orphans here.
func running(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}
