package cluster

import (
	"bufio"
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v4/process"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Ensure that a node is known by what it says first, that nothing of it is lost, and that nobody else is
// taken for one.
func TestSpeaker(t *testing.T) {
	f := func(client string, want int) {
		t.Helper()
		request := kmsg.NewRequestFormatter(kmsg.FormatterClientID(client)).AppendRequest(nil, kmsg.NewPtrApiVersionsRequest(), 7)
		said := bufio.NewReader(bytes.NewReader(request))
		id, err := speaker(said)
		if want == 0 {
			require.ErrorContains(t, err, "is no node")
			return
		}
		require.NoError(t, err)
		require.Equal(t, want, id)
		rest := make([]byte, len(request))
		n, _ := said.Read(rest)
		require.Equal(t, request, rest[:n])
	}
	f("broker-2-fetcher-0", 2)
	f("broker-12-txn-marker-sender", 12)
	f("raft-client-3", 3)
	f("AddPartitionsManager-client-4", 4)
	f("1", 1)
	f("lambdakappa", 0)
	f("consumer-2", 0)
	f("", 0)
	_, err := speaker(bufio.NewReader(bytes.NewReader([]byte{0, 0, 0, 9})))
	require.Error(t, err)
}

// Ensure that no cluster id looks like an option to Kafka's tools: one in 64 did.
func TestNewID(t *testing.T) {
	for range 2000 {
		require.Regexp(t, `^[A-Za-z0-9_][A-Za-z0-9_-]{21}$`, newID())
	}
}

// Ensure that an isolated node hears itself and no other, in either direction.
func TestCrosses(t *testing.T) {
	f := func(from, to int, want bool) {
		t.Helper()
		c := carried{from: from, to: to}
		require.Equal(t, want, c.crosses([]int{2}))
		require.False(t, c.crosses(nil))
	}
	f(1, 2, true)
	f(2, 1, true)
	f(2, 2, false)
	f(1, 3, false)
}

// Ensure that a process is known again when the clock has moved since it was born, and that nobody else who has its id
// is taken for it.
func TestRunning(t *testing.T) {
	self, err := process.NewProcess(int32(os.Getpid()))
	require.NoError(t, err)
	born, err := self.CreateTime()
	require.NoError(t, err)
	n := &Node{PID: self.Pid, Born: born + 1000}
	require.True(t, n.Running())
	n.Born = born - time.Hour.Milliseconds()
	require.False(t, n.Running())
	n.Born, n.exited = born, make(chan struct{})
	require.True(t, n.Running())
	close(n.exited)
	require.False(t, n.Running())
}

// Ensure that the reason why a node died is not sought in an earlier life.
func TestLastWords(t *testing.T) {
	c := &Cluster{cfg: Config{Dir: t.TempDir()}}
	n := &Node{ID: 1, cluster: c}
	require.NoError(t, os.MkdirAll(c.nodeDir(n), 0o755))
	before, since := "x ERROR of an earlier life\n", "x INFO starting\n# A fatal error has been detected\n"
	require.NoError(t, os.WriteFile(n.Log(), []byte(before+since), 0o644))
	require.Contains(t, n.lastWords(), "an earlier life")
	n.LogFrom = int64(len(before))
	require.Equal(t, "x INFO starting\n# A fatal error has been detected", n.lastWords())
}
