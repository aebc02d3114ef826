package proc_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
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

// Ensure that every thread gives way, also those that are started later.
func TestBackground(t *testing.T) {
	cmd, _ := start(t, "background")
	threads, err := os.ReadDir("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/task")
	require.NoError(t, err)
	require.Greater(t, len(threads), 4)
	own, err := strconv.Atoi(niceness(t, strconv.Itoa(os.Getpid())))
	require.NoError(t, err)
	for _, thread := range threads {
		require.Equal(t, strconv.Itoa(max(10, own)), niceness(t, thread.Name()))
	}
}

// Ensure that who is nicer already stays so: another user than root may not take niceness away.
func TestBackgroundOfWhoIsNicer(t *testing.T) {
	cmd := exec.Command("nice", "-n", "15", os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"=background")
	cmd.SysProcAttr = proc.ChildAttr()
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		proc.Kill(cmd)
		cmd.Wait()
	})
	require.True(t, bufio.NewScanner(out).Scan(), "it is in the background")
	has, err := strconv.Atoi(niceness(t, strconv.Itoa(cmd.Process.Pid)))
	require.NoError(t, err)
	require.GreaterOrEqual(t, has, 15)
}

// niceness of a thread is the 19th field of its stat; the second may contain blanks.
func niceness(t *testing.T, thread string) string {
	stat, err := os.ReadFile("/proc/" + thread + "/stat")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(stat), ") ")
	return strings.Fields(rest)[19-3]
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
