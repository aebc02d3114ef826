package supervise

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"lambdakappa/internal/proc"
)

// ChildEnv tells a process of the binary that a driver started it: it ends when its stdin does,
// so that no child outlives a driver that was killed.
const ChildEnv = "LAMBDAKAPPA_CHILD"

// HandicapEnv makes a process take that share more CPU than it needs; see [proc.Handicap].
const HandicapEnv = "LAMBDAKAPPA_HANDICAP"

// stopLimit is how long a component may take to end when it is asked to. A stop writes out what
// is pending, which takes milliseconds; after this it is killed and the run says so.
const stopLimit = 20 * time.Second

// A Process is one operating-system process of a component.
type Process struct {
	name  string
	log   string // file
	cmd   *exec.Cmd
	stdin io.Closer
	Facts *Facts
	tail  *tail

	asked  atomic.Bool   // its end was asked for
	held   atomic.Bool   // it was suspended, and not resumed
	Exited chan struct{} // closed when it has ended and all its output was read
	err    error         // how it ended; set before exited is closed
}

// startProcess starts the binary with args; stderr is appended to log. stdout carries facts.
func startProcess(binary, name, log string, env, args []string) (*Process, error) {
	if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{
		name: name, log: log, cmd: exec.Command(binary, args...), Facts: NewFacts(),
		tail: new(tail), Exited: make(chan struct{}),
	}
	p.cmd.Env = append(append(os.Environ(), ChildEnv+"=1"), env...)
	p.cmd.SysProcAttr = proc.ChildAttr()
	p.cmd.Stderr = io.MultiWriter(p.tail, file) // a disk that is full takes no last words
	stdout, err := p.cmd.StdoutPipe()
	if err == nil {
		p.stdin, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.Facts.read(stdout)
		p.err = p.cmd.Wait()
		_ = file.Close()
		close(p.Exited)
	}()
	return p, nil
}

// Ready waits for the process to say that it is up.
func (p *Process) Ready(ctx context.Context) error {
	if _, ok := p.Facts.Await(ctx, "ready", p.Exited); ok {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("start %s: %w", p.name, context.Cause(ctx))
	}
	return p.Death()
}

// ExpectEnd says whether the process ends by itself: while it may, that is nothing to tell anybody.
func (p *Process) ExpectEnd(may bool) { p.asked.Store(may) }

// Kill ends the process at once, as a crash would (SIGKILL on Unix), and waits until it is gone.
func (p *Process) Kill() {
	p.asked.Store(true)
	_ = proc.Kill(p.cmd) // also one that is suspended
	<-p.Exited
}

// Suspend makes the process stand still, as on a machine that hangs.
func (p *Process) Suspend() error {
	p.held.Store(true)
	if err := proc.Suspend(p.cmd); err != nil {
		return fmt.Errorf("suspend %s: %w", p.name, err)
	}
	return nil
}

// Resume lets it go on, if it was suspended.
func (p *Process) Resume() error {
	if !p.held.Swap(false) {
		return nil
	}
	if err := proc.Resume(p.cmd); err != nil {
		return fmt.Errorf("resume %s: %w", p.name, err)
	}
	return nil
}

// Stop asks the process to end by closing its stdin; one that is suspended goes on to hear it. It is
// killed when it takes too long, or when ctx ends first; both are errors.
func (p *Process) Stop(ctx context.Context) error {
	p.asked.Store(true)
	_ = p.Resume() // if it cannot, it is killed below
	_ = p.stdin.Close()
	late := time.NewTimer(stopLimit)
	defer late.Stop()
	select {
	case <-p.Exited:
	case <-late.C:
		p.Kill()
		return fmt.Errorf("stop %s: did not end within %s, killed", p.name, stopLimit)
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("stop %s: %w", p.name, context.Cause(ctx))
	}
	if p.err != nil {
		return p.Death()
	}
	return nil
}

// Wait waits for a process that ends by itself, such as a generator.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.Exited:
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("wait for %s: %w", p.name, context.Cause(ctx))
	}
	if p.err != nil {
		return p.Death()
	}
	return nil
}

// Death describes how a process ended that should not have, with its last log lines.
func (p *Process) Death() error {
	how := "ended unasked"
	if p.err != nil {
		how = p.err.Error()
	}
	last := p.tail.String()
	if last == "" {
		return fmt.Errorf("%s: %s, without a word in its log%s", p.name, how, p.noRoom())
	}
	return fmt.Errorf("%s: %s; its last log lines:\n%s", p.name, how, last)
}

// LastWords are the last lines of its log.
func (p *Process) LastWords() string { return p.tail.String() }

// noRoom says that nothing can be written where the log should be: the usual reason to have no words.
func (p *Process) noRoom() string {
	probe := p.log + ".room"
	defer os.Remove(probe)
	if err := os.WriteFile(probe, make([]byte, 1<<16), 0o644); err != nil {
		return fmt.Sprintf(", and nothing can be written there: %v", err)
	}
	return ""
}

// tailSize is enough for the last dozen lines of a log.
const tailSize = 2 << 10

// A tail keeps the end of what is written to it. It is safe for concurrent use.
type tail struct {
	mu   sync.Mutex
	kept []byte
	cut  bool
}

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - tailSize; over > 0 {
		t.kept, t.cut = append(t.kept[:0], t.kept[over:]...), true
	}
	return len(b), nil
}

// String returns the lines that are there as a whole.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := t.kept
	if t.cut {
		if _, rest, found := bytes.Cut(kept, []byte("\n")); found {
			kept = rest
		}
	}
	return strings.TrimSpace(string(kept))
}
