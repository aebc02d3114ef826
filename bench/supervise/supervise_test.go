package supervise

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func testSupervisor(t *testing.T) (*Supervisor, context.Context) {
	t.Helper()
	binary, err := os.Executable()
	require.NoError(t, err)
	s, ctx := New(t.Context(), binary, filepath.Join(t.TempDir(), "logs"))
	t.Cleanup(func() {
		now, cancel := context.WithCancel(context.Background())
		cancel() // whatever a test left running is killed
		_ = s.Close(now)
	})
	return s, ctx
}

func as(role string) []string { return []string{helperEnv + "=" + role} }

// Ensure that a component is started, says what it has to say, and ends when it is asked to.
func TestStartAndStop(t *testing.T) {
	s, ctx := testSupervisor(t)
	c, err := s.Start(ctx, "lambda serve", as("steady"))
	require.NoError(t, err)

	p := c.Process()
	found, ok := p.Facts.Await(ctx, "ready", p.Exited)
	require.True(t, ok)
	var fields struct{ N int }
	require.NoError(t, found.Into(&fields))
	require.Equal(t, 7, fields.N)

	require.NoError(t, s.Stop(ctx, c))
	require.NoError(t, ctx.Err(), "an end that was asked for fails no run")
	require.FileExists(t, filepath.Join(s.logs, "lambda-serve.log"))
}

// Ensure that a component that dies unasked ends the run, with its name and its last words.
func TestDeathFailsTheRun(t *testing.T) {
	s, ctx := testSupervisor(t)
	c, err := s.Start(ctx, "kappa process", as("dies"))
	require.NoError(t, err)

	_, err = fmt.Fprintln(c.Process().stdin.(interface{ Write([]byte) (int, error) }), "die")
	require.NoError(t, err)
	<-ctx.Done()
	require.ErrorContains(t, context.Cause(ctx), "kappa process: exit status 1")
	require.ErrorContains(t, context.Cause(ctx), "the disk is on fire")
}

// Ensure that a component that ends before it is ready says why.
func TestNeverReady(t *testing.T) {
	s, ctx := testSupervisor(t)
	_, err := s.Start(ctx, "broker", as("unready"))
	require.ErrorContains(t, err, "broker: ")
	require.ErrorContains(t, err, "port 9092 is in use")
}

// Ensure that a kill is a kill, that it fails no run, and that the component comes back with its
// accounts added up.
func TestKillAndRestart(t *testing.T) {
	s, ctx := testSupervisor(t)
	c, err := s.Start(ctx, "lambda speed", as("steady"))
	require.NoError(t, err)
	first := c.Process()

	s.Kill(c)
	require.ErrorContains(t, first.err, "killed")
	require.NoError(t, s.Restart(ctx, c))
	require.NotSame(t, first, c.Process())
	require.NoError(t, ctx.Err())

	before := c.Used().CPU
	require.NoError(t, s.Stop(ctx, c))
	require.GreaterOrEqual(t, c.Used().CPU, before)
	require.Equal(t, 2, c.Starts())
}

// Ensure that who does not want to end is ended.
func TestStubborn(t *testing.T) {
	s, ctx := testSupervisor(t)
	c, err := s.Start(ctx, "kappa serve", as("stubborn"))
	require.NoError(t, err)
	p := c.Process()

	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, s.Stop(short, c), "stop kappa serve")
	<-p.Exited
}

// Ensure that a component that ends by itself is no death, and that its facts are all read.
func TestBrief(t *testing.T) {
	s, ctx := testSupervisor(t)
	c, err := s.Launch("generator", as("brief"))
	require.NoError(t, err)
	c.ExpectEnd()
	p := c.Process()
	require.NoError(t, c.Settled(ctx))

	found, ok := p.Facts.Await(ctx, "published", p.Exited)
	require.True(t, ok)
	require.JSONEq(t, `{"event":"published","events":3}`, string(found.Raw))
	_, ok = p.Facts.Await(ctx, "ready", p.Exited)
	require.False(t, ok, "it never was")
	require.NoError(t, ctx.Err())
}

// Ensure that the end of a long log is kept in whole lines.
func TestTail(t *testing.T) {
	var kept tail
	for i := range 1000 {
		fmt.Fprintf(&kept, "line %d\n", i)
	}
	require.LessOrEqual(t, len(kept.String()), tailSize)
	require.Regexp(t, `^line \d+\n`, kept.String())
	require.Contains(t, kept.String(), "line 999")
}
