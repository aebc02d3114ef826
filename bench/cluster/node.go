package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"lambdakappa/internal/proc"
)

// host is where all nodes listen: on loopback alone.
const host = "127.0.0.1"

// A Node is one process of the cluster. Its methods are not safe for concurrent use; those of
// different nodes are.
type Node struct {
	ID             int  `json:"id"` // from 1
	Voter          bool `json:"voter"`
	Port           int  `json:"port"`
	ControllerPort int  `json:"controller_port,omitempty"` // of a voter

	// Of a cluster with links: where the node listens for the other nodes, and the ports of the links that
	// lead there and to its controller, by which the others know it.
	InternalPort       int `json:"internal_port,omitempty"`
	LinkPort           int `json:"link_port,omitempty"`
	ControllerLinkPort int `json:"controller_link_port,omitempty"`

	// The process, by its id and the moment of its birth: an id alone may be somebody else's by now.
	// Both are 0 while the node is down.
	PID  int32 `json:"pid"`
	Born int64 `json:"born"` // Unix ms

	LogFrom int64 `json:"log_from"` // where its log begins since it was last started

	cluster *Cluster
	exited  chan struct{} // closed when a process that this one started has ended
}

// ports are all that were promised to the node; 0 for those it has not.
func (n *Node) ports() []int {
	return []int{n.Port, n.ControllerPort, n.InternalPort, n.LinkPort, n.ControllerLinkPort}
}

// Addr is where the node's clients connect.
func (n *Node) Addr() string { return net.JoinHostPort(host, strconv.Itoa(n.Port)) }

// Name of the node, as in its folder.
func (n *Node) Name() string { return fmt.Sprintf("node-%d", n.ID) }

// Log is the file with all that the node says.
func (n *Node) Log() string { return filepath.Join(n.cluster.nodeDir(n), "server.log") }

// Start starts the node on the data it has, and does not wait until it serves; see [Cluster.Ready].
func (n *Node) Start(ctx context.Context) error {
	if n.Running() {
		return nil
	}
	if err := n.prepare(ctx); err != nil {
		return fmt.Errorf("prepare %s: %w", n.Name(), err)
	}
	if err := n.launch(); err != nil {
		return fmt.Errorf("start %s: %w", n.Name(), err)
	}
	return nil
}

// prepare writes the node's settings, and gives it an empty store when it has none.
func (n *Node) prepare(ctx context.Context) error {
	dir := n.cluster.nodeDir(n)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	settings := filepath.Join(dir, "server.properties")
	if err := os.WriteFile(settings, []byte(n.cluster.properties(n)), 0o644); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "meta.properties")); err == nil {
		return nil
	}
	said, err := n.cluster.java(ctx, "kafka.tools.StorageTool", "format", "--ignore-formatted",
		"--cluster-id", n.cluster.state.ID, "--config", settings)
	if err != nil {
		return fmt.Errorf("format its store: %w:\n%s", err, lastLines(said, 5))
	}
	return nil
}

func (n *Node) launch() error {
	c := n.cluster
	log, err := os.OpenFile(n.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() // the node has a copy
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	settings := filepath.Join(c.nodeDir(n), "server.properties")
	cmd := exec.Command(c.program, c.cfg.jvm(c.cfg.HeapMiB, "kafka.Kafka", settings)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.nodeDir(n), log, log
	cmd.SysProcAttr = proc.ChildAttr()
	if c.cfg.Detached {
		cmd.SysProcAttr = proc.DetachedAttr()
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	n.exited = exited
	pid, born := int32(cmd.Process.Pid), int64(0)
	if p, err := process.NewProcess(pid); err == nil {
		born, _ = p.CreateTime() // 0 if it has died already, as if it were down
	}
	go func() {
		_ = cmd.Wait() // its log has the reason
		close(exited)
	}()
	return c.save(func() { n.PID, n.Born, n.LogFrom = pid, born, from })
}

// clockStep is how far the birth of one and the same process may move: the system keeps it by the time since boot, and
// when that was moves with the clock. An id is not somebody else's again within so short a time.
const clockStep = 5 * time.Second

// isClosed reports whether a channel that carries nothing is closed; one that is nil is not.
func isClosed(ended <-chan struct{}) bool {
	select {
	case <-ended:
		return true
	default:
		return false
	}
}

// process is the node's process, nil when it is down.
func (n *Node) process() *process.Process {
	if n.PID == 0 || isClosed(n.exited) {
		return nil
	}
	p, err := process.NewProcess(n.PID)
	if err != nil {
		return nil
	}
	if born, err := p.CreateTime(); err != nil || max(born, n.Born)-min(born, n.Born) > clockStep.Milliseconds() {
		return nil
	}
	if states, err := p.Status(); err == nil && len(states) > 0 && states[0] == process.Zombie {
		return nil
	}
	return p
}

// Running reports whether the node's process is there, standing still or not.
func (n *Node) Running() bool { return n.process() != nil }

// Stop asks the node to hand over what it leads and to end, and waits for it; it is killed when ctx
// ends first.
func (n *Node) Stop(ctx context.Context) error {
	if n.PID == 0 {
		return nil
	}
	p := n.process()
	if p == nil {
		return n.gone()
	}
	_ = p.Resume() // one that stands still would not hear it
	if err := p.TerminateWithContext(ctx); err != nil && n.Running() {
		return fmt.Errorf("stop %s: %w", n.Name(), err)
	}
	if err := n.awaitEnd(ctx); err != nil {
		return errors.Join(fmt.Errorf("stop %s: %w; killed", n.Name(), err), n.Kill())
	}
	return n.gone()
}

// Kill ends the node at once, as a crash would (SIGKILL on Unix), and waits until it is gone.
func (n *Node) Kill() error {
	if p := n.process(); p != nil {
		if err := p.Kill(); err != nil && n.Running() {
			return fmt.Errorf("kill %s: %w", n.Name(), err)
		}
	}
	if err := n.awaitEnd(context.Background()); err != nil {
		return err
	}
	return n.gone()
}

// Suspend makes the node stand still, as on a machine that hangs; [Node.Resume] lets it go on.
func (n *Node) Suspend() error { return n.signal("suspend", (*process.Process).Suspend) }

// Resume lets a node go on that was suspended.
func (n *Node) Resume() error { return n.signal("resume", (*process.Process).Resume) }

// Fill has everything fail that the node would store, as when its disk is full: a node with a single disk
// gives up and ends. It is over with the next start; [proc.ErrNoFileLimit] says where it cannot be had.
func (n *Node) Fill() error {
	if n.process() == nil {
		return fmt.Errorf("fill the disk of %s: it is not running", n.Name())
	}
	return proc.LimitFiles(int(n.PID), 1)
}

func (n *Node) signal(what string, send func(*process.Process) error) error {
	p := n.process()
	if p == nil {
		return fmt.Errorf("%s %s: it is not running", what, n.Name())
	}
	if err := send(p); err != nil {
		return fmt.Errorf("%s %s: %w", what, n.Name(), err)
	}
	return nil
}

func (n *Node) gone() error {
	return n.cluster.save(func() { n.PID, n.Born = 0, 0 })
}

// lookEvery is how often somebody looks whether a node has ended, or is ready.
const lookEvery = 50 * time.Millisecond

func (n *Node) awaitEnd(ctx context.Context) error {
	if n.exited != nil { // ours: its end is told
		select {
		case <-n.exited:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for n.Running() {
		select {
		case <-time.After(lookEvery):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// lastWords are the lines of a node's log, since it was last started, that say why it died.
func (n *Node) lastWords() string {
	text, err := os.ReadFile(n.Log())
	if err != nil {
		return err.Error()
	}
	text = text[min(n.LogFrom, int64(len(text))):]
	var grave []byte
	for line := range bytes.Lines(text) {
		if bytes.Contains(line, []byte(" ERROR ")) || bytes.Contains(line, []byte(" FATAL ")) ||
			bytes.HasPrefix(line, []byte("Error")) || bytes.HasPrefix(line, []byte("Exception")) {
			grave = append(grave, line...)
		}
	}
	if len(grave) > 0 {
		text = grave
	}
	return lastLines(text, 5)
}

func lastLines(text []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
