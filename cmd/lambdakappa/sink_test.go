package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/fleetreport"
	"lambdakappa/internal/proc"
)

// Ensure that a sink that is killed as a process, and that others take over from when the group has
// missed it, archives every event exactly once.
func TestASinkThatIsKilledArchivesExactlyOnce(t *testing.T) {
	const events = 12_000
	log, dir := startBroker(t), t.TempDir()
	generator := append(log, "datagen", "--cars", "20", "--rate", "200", "--duration", "60s",
		"--start", "2026-11-22T23:30:00Z", "--speedup", "0")
	require.Equal(t, exitOK, do(t, generator...).code)
	for _, fact := range []string{"archived", "assigned"} { // with some on disk, and in the middle
		sink := startSink(t, log, dir)
		sink.await(t, fact)
		require.NoError(t, sink.Process.Kill())
		_ = sink.Wait() // it says that it was killed
	}
	last := startSink(t, log, dir)
	var report fleetreport.Report
	require.Eventually(t, func() bool {
		got := do(t, "fleet-report", "--dir", dir, "--format", "json")
		require.Equal(t, exitOK, got.code, got.stderr)
		require.NoError(t, json.Unmarshal([]byte(got.stdout), &report))
		return report.Events >= events
	}, limit, 20*time.Millisecond)
	require.EqualValues(t, events, report.Events)
	require.EqualValues(t, events, report.Readings)
	last.await(t, "assigned") // the one before may have archived everything: this one may not even listen yet
	require.NoError(t, proc.Terminate(last.Cmd))
	require.NoError(t, last.Wait(), "asked to end, it ends in order")
}

// sinkProcess is a sink as a process.
type sinkProcess struct {
	*exec.Cmd
	facts *bufio.Scanner
}

func startSink(t *testing.T, log []string, dir string) *sinkProcess {
	t.Helper()
	args := append([]string{"kappa", "sink", "--dir", dir, "--roll-interval", "30ms"}, log...)
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asProgram+"=1")
	c.SysProcAttr = proc.ChildAttr()
	stdout, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill() })
	return &sinkProcess{c, bufio.NewScanner(stdout)}
}

// await reads facts until one of that name.
func (s *sinkProcess) await(t *testing.T, name string) {
	t.Helper()
	for s.facts.Scan() {
		if strings.Contains(s.facts.Text(), `"event":"`+name+`"`) {
			return
		}
	}
	require.Fail(t, "the sink has ended")
}
