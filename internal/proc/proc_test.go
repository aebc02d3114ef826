package proc_test

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/proc"
)

// roleEnv makes the test binary behave as a child of a test.
const roleEnv = "PROC_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case "":
		os.Exit(m.Run())
	case "busy":
		busy()
	case "idle":
		idle()
	case "polite":
		polite()
	case "background":
		background()
	case "working":
		work()
	case "handicapped":
		if err := proc.Handicap(0.5); err != nil {
			panic(err)
		}
		work()
	case "parent":
		parent()
	}
}

const touched = 32 << 20

// busy touches memory, writes a file, gives the memory back and waits to be killed.
func busy() {
	b := make([]byte, touched)
	for i := range b {
		b[i] = byte(i)
	}
	f, err := os.CreateTemp("", "proc")
	if err == nil {
		os.Remove(f.Name())
		f.Write(b[:1<<20])
	}
	for start := time.Now(); time.Since(start) < 100*time.Millisecond; {
		b[0]++
	}
	idle()
}

// background gives way and works on, in threads old and new.
func background() {
	if err := proc.Background(); err != nil {
		panic(err)
	}
	for range 4 {
		go func() { runtime.LockOSThread(); select {} }()
	}
	idle()
}

// work does a fixed amount of work, of a second or so, and ends.
func work() {
	fmt.Println("ready")
	b := make([]byte, 1<<20)
	for range 2000 {
		sum := sha256.Sum256(b)
		b[0] = sum[0]
	}
}

func idle() {
	fmt.Println("ready")
	select {}
}

// polite ends when it is asked to.
func polite() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, os.Interrupt, syscall.SIGTERM)
	fmt.Println("ready")
	<-asked
	os.Exit(7)
}

// parent starts an idle child of its own, names it and waits to be killed.
func parent() {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"=idle")
	cmd.SysProcAttr = proc.ChildAttr()
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	fmt.Println(cmd.Process.Pid)
	select {}
}

// start starts this binary in a role and returns it with its first line.
func start(t *testing.T, role string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	cmd.SysProcAttr = proc.ChildAttr()
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		proc.Kill(cmd)
		cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	return cmd, lines.Text()
}

// Ensure that the figures are those of the child and not of the parent that forked it: the test
// process holds more memory than the idle child ever had.
func TestRead(t *testing.T) {
	ballast := make([]byte, 4*touched)
	for i := range ballast {
		ballast[i] = byte(i)
	}
	defer runtime.KeepAlive(ballast)
	cmd, _ := start(t, "busy")
	busy, err := proc.Read(cmd.Process.Pid)
	require.NoError(t, err)
	idleCmd, _ := start(t, "idle")
	idle, err := proc.Read(idleCmd.Process.Pid)
	require.NoError(t, err)

	require.Greater(t, busy.CPUSeconds, 0.05)
	require.Less(t, idle.CPUSeconds, busy.CPUSeconds)
	require.Positive(t, idle.RSSBytes)
	require.Equal(t, runtime.GOOS == "linux", busy.HasPeakRSS)
	if busy.HasPeakRSS {
		require.GreaterOrEqual(t, busy.PeakRSSBytes, int64(touched))
		require.GreaterOrEqual(t, busy.PeakRSSBytes, busy.RSSBytes)
		require.Less(t, idle.PeakRSSBytes, int64(touched))
	}
	if busy.HasCalls {
		require.GreaterOrEqual(t, busy.CallWrittenBytes, int64(1<<20))
	}
}

func TestReadOfAProcessThatIsGone(t *testing.T) {
	cmd, _ := start(t, "idle")
	require.NoError(t, proc.Kill(cmd))
	cmd.Wait()
	_, err := proc.Read(cmd.Process.Pid)
	require.ErrorContains(t, err, fmt.Sprint("process ", cmd.Process.Pid))
}

func TestTerminateLetsTheChildEndByItself(t *testing.T) {
	cmd, _ := start(t, "polite")
	require.NoError(t, proc.Terminate(cmd))
	cmd.Wait()
	require.Equal(t, 7, cmd.ProcessState.ExitCode())
	require.NoError(t, proc.Terminate(cmd), "asking again is no error")
	require.NoError(t, proc.Kill(cmd))
}

func TestKillBeforeStart(t *testing.T) {
	require.ErrorContains(t, proc.Kill(exec.Command("true")), "not started")
}

func TestMachine(t *testing.T) {
	m := proc.ReadMachine()
	require.NotEmpty(t, m.OS)
	require.Positive(t, m.Cores)
	require.Positive(t, m.MemBytes)
}

// Ensure that files and folders can be made durable, and that one which is not there is an error.
func TestSync(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, []byte("text"), 0o644))
	require.NoError(t, proc.Sync(file))
	require.NoError(t, proc.Sync(dir))
	require.ErrorIs(t, proc.Sync(filepath.Join(dir, "other")), os.ErrNotExist)
}
