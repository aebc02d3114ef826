//go:build unix

package proc_test

import (
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v4/process"
	"github.com/stretchr/testify/require"

	"lambdakappa/internal/proc"
)

func stateOf(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	p, err := process.NewProcess(int32(cmd.Process.Pid))
	require.NoError(t, err)
	states, err := p.Status()
	require.NoError(t, err)
	return states[0]
}

// Ensure that a suspended child stands still until it is resumed, that it hears then what it was
// told meanwhile, and that one can be killed as it stands.
func TestSuspendAndResume(t *testing.T) {
	cmd, _ := start(t, "polite")
	require.NoError(t, proc.Suspend(cmd))
	stopped := func() bool { return stateOf(t, cmd) == process.Stop }
	require.Eventually(t, stopped, 5*time.Second, time.Millisecond)
	require.NoError(t, proc.Terminate(cmd))
	require.True(t, stopped(), "it does not hear")
	require.NoError(t, proc.Resume(cmd))
	_ = cmd.Wait()
	require.Equal(t, 7, cmd.ProcessState.ExitCode(), "it ended as it was asked to")
	require.NoError(t, proc.Resume(cmd), "that it has ended is no error")

	cmd, _ = start(t, "idle")
	require.NoError(t, proc.Suspend(cmd))
	require.Eventually(t, func() bool { return stateOf(t, cmd) == process.Stop }, 5*time.Second, time.Millisecond)
	require.NoError(t, proc.Kill(cmd))
	_ = cmd.Wait()
	require.Equal(t, syscall.SIGKILL, cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
}
