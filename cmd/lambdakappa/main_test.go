package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/supervise"
	"lambdakappa/internal/proc"
)

// asProgram makes the test binary the program itself, so that tests can start it as a process.
const asProgram = "LAMBDAKAPPA_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// limit ends a test that waits for something that never comes.
const limit = 30 * time.Second

// ended is how a command ended.
type ended struct {
	code           int
	stdout, stderr string
}

// do runs the program to its end, without a process.
func do(t *testing.T, args ...string) ended {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, args, strings.NewReader(""), &stdout, &stderr)
	require.NoError(t, ctx.Err(), "%v did not end", args)
	return ended{code, stdout.String(), stderr.String()}
}

// running is a command that goes on until it is stopped.
type running struct {
	facts <-chan map[string]any // closed when it has ended; more than it ever prints fit in
	stop  context.CancelFunc
	ended <-chan ended
}

// start runs the program beside the test.
func start(t *testing.T, stdin io.Reader, args ...string) *running {
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	facts, done := make(chan map[string]any, 1000), make(chan ended, 1)
	go func() {
		var stderr bytes.Buffer
		code := run(ctx, args, stdin, in, &stderr)
		done <- ended{code: code, stderr: stderr.String()}
		in.Close()
	}()
	go func() {
		defer close(facts)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			fact := map[string]any{"line": lines.Text()}
			_ = json.Unmarshal(lines.Bytes(), &fact)
			facts <- fact
		}
	}()
	t.Cleanup(cancel)
	return &running{facts: facts, stop: cancel, ended: done}
}

// await returns the next fact of that name. There must be nothing but facts on stdout.
func (r *running) await(t *testing.T, name string) map[string]any {
	t.Helper()
	for fact := range r.facts {
		require.Contains(t, fact, "event", fact["line"])
		if fact["event"] == name {
			return fact
		}
	}
	require.Fail(t, "no fact", "%s; it ended: %+v", name, <-r.ended)
	return nil
}

// startBroker starts a broker and returns the flags that lead there.
func startBroker(t *testing.T) []string {
	b := start(t, nil, "broker", "--dir", t.TempDir())
	fact := b.await(t, "ready")
	t.Cleanup(func() {
		b.stop()
		require.Equal(t, ended{}, <-b.ended)
	})
	return []string{"--brokers", fact["addr"].(string), "--schema-registry", fact["registry"].(string)}
}

// Ensure that every component comes up, answers to the end of its context, and says nothing else.
func TestComponentsComeUpAndEndInOrder(t *testing.T) {
	log := startBroker(t)
	dir := t.TempDir()
	events := append(log, "datagen", "--cars", "10", "--rate", "10", "--duration", "30s", "--speedup", "0")
	require.Equal(t, exitOK, do(t, events...).code)
	for _, command := range []string{
		"lambda ingest", "lambda batch", "lambda speed", "lambda serve",
		"kappa process", "kappa serve", "kappa replay --version v2", "kappa sink",
	} {
		t.Run(command, func(t *testing.T) {
			args := append(strings.Fields(command), log...)
			if strings.HasPrefix(command, "lambda") || command == "kappa sink" {
				args = append(args, "--dir", dir)
			}
			c := start(t, nil, args...)
			c.await(t, "ready")
			c.stop()
			require.Equal(t, ended{}, <-c.ended)
		})
	}
}

func TestServeNamesThePortThatIsInUse(t *testing.T) {
	log := startBroker(t)
	first := start(t, nil, append(log, "kappa", "serve")...)
	addr := first.await(t, "listening")["addr"].(string)
	second := do(t, append(log, "kappa", "serve", "--listen", addr)...)
	require.Equal(t, exitFailed, second.code)
	_, port, _ := strings.Cut(addr, ":")
	require.Contains(t, second.stderr, "port "+port+" is in use; stop the process that holds it")
	first.stop()
	<-first.ended
}

func TestTheBrokerNamesThePortThatIsInUse(t *testing.T) {
	_, port, _ := strings.Cut(startBroker(t)[1], ":")
	second := do(t, "broker", "--dir", t.TempDir(), "--port", port)
	require.Equal(t, exitFailed, second.code)
	require.Contains(t, second.stderr, ":"+port+": ")
	require.Contains(t, second.stderr, "choose another --port")
}

func TestAnUnreachableBrokerIsNamed(t *testing.T) {
	for _, command := range []string{"lambda speed", "kappa process", "datagen"} {
		args := append(strings.Fields(command),
			"--brokers", "127.0.0.1:1", "--schema-registry", "http://127.0.0.1:2")
		if command == "lambda speed" {
			args = append(args, "--dir", t.TempDir())
		}
		got := do(t, args...)
		require.Equal(t, exitFailed, got.code)
		require.Contains(t, got.stderr, "log 127.0.0.1:1 cannot be reached")
		require.Contains(t, got.stderr, "check --brokers")
		require.Equal(t, 1, strings.Count(got.stderr, "\n"), "one line, no stack trace: %s", got.stderr)
	}
}

// Ensure that no child outlives its driver: when the driver dies, the pipe to stdin ends.
func TestAChildEndsWithItsStdin(t *testing.T) {
	t.Setenv(supervise.ChildEnv, "1")
	stdin, driver := io.Pipe()
	child := start(t, stdin, "broker", "--dir", t.TempDir())
	child.await(t, "ready")
	require.NoError(t, driver.Close())
	require.Equal(t, ended{}, <-child.ended)
}

func TestASignalEndsAProcessInOrder(t *testing.T) {
	c := exec.Command(os.Args[0], "broker", "--dir", t.TempDir())
	c.Env = append(os.Environ(), asProgram+"=1")
	c.SysProcAttr = proc.ChildAttr()
	var stderr safeBuffer
	c.Stderr = &stderr
	stdout, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, `"event":"ready"`)
	require.NoError(t, proc.Terminate(c))
	require.NoError(t, c.Wait(), "exit code 0")
	require.Empty(t, stderr.String())
}

// safeBuffer is a buffer that a process and a test share.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
