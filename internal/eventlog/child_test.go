package eventlog_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/proc"
)

// roleEnv makes the test binary behave as a process that a test starts and kills. What it needs
// to know is in its arguments.
const roleEnv = "EVENTLOG_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case "":
		os.Exit(m.Run())
	case "broker":
		brokerMain(os.Args[1])
	case "member":
		memberMain(os.Args[1])
	}
}

// An address is what a broker process prints once it is up.
type address struct{ Broker, Registry string }

// brokerMain runs a broker until it is killed.
func brokerMain(config string) {
	var cfg eventlog.BrokerConfig
	must(json.Unmarshal([]byte(config), &cfg))
	debug.SetGCPercent(eventlog.BrokerGCPercent)
	b, err := eventlog.StartBroker(cfg)
	must(err)
	must(json.NewEncoder(os.Stdout).Encode(address{b.Addr(), b.RegistryURL()}))
	select {}
}

// memberMain holds partitions of the group until it is killed.
func memberMain(config string) {
	var cfg eventlog.Config
	must(json.Unmarshal([]byte(config), &cfg))
	l, err := eventlog.Open(context.Background(), cfg)
	must(err)
	must(l.RunGroup(context.Background(), "kappa", "cars",
		func(ctx context.Context, _ *eventlog.Member, partition int) error {
			fmt.Println(partition)
			<-ctx.Done()
			return nil
		}))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A child is a process that a test started.
type child struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func startChild(t testing.TB, role string, config any) *child {
	t.Helper()
	arg, err := json.Marshal(config)
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0], string(arg))
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	cmd.SysProcAttr = proc.ChildAttr()
	stderr := &strings.Builder{}
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c := &child{cmd: cmd, lines: bufio.NewScanner(out)}
	t.Cleanup(c.kill)
	require.True(t, c.lines.Scan(), "%s: %s", role, stderr)
	return c
}

// kill is a crash. Killing twice is once.
func (c *child) kill() {
	proc.Kill(c.cmd)
	c.cmd.Wait()
}

// startBrokerProcess starts a broker in a process of its own.
func startBrokerProcess(t testing.TB, cfg eventlog.BrokerConfig) (*child, address) {
	t.Helper()
	c := startChild(t, "broker", cfg)
	var addr address
	require.NoError(t, json.Unmarshal(c.lines.Bytes(), &addr))
	return c, addr
}

func openAt(t testing.TB, addr address) *eventlog.Log {
	t.Helper()
	l, err := eventlog.Open(t.Context(), eventlog.Config{
		Brokers: []string{addr.Broker}, Registry: addr.Registry, Prefix: "test.",
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}
