package cluster

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"lambdakappa/internal/eventlog"
)

// A Cluster is a set of nodes. It is not safe for concurrent use.
type Cluster struct {
	cfg     Config
	program string  // java
	nodes   []*Node // in the order of their ids, which begin at 1

	stopLinks context.CancelFunc // nil without links

	changing sync.Mutex
	state    state
}

//go:embed log4j2.yaml
var log4j2 []byte

// How long a cluster may take. A node starts in 3 s on an idle core and in 20 s beside a test run.
const (
	readyLimit = 2 * time.Minute
	stopLimit  = 15 * time.Second
)

// Start starts a cluster on what Dir holds, or a new one, and waits until all of it serves. Nodes that
// are running already are left as they are. When it fails, what it has started is stopped again.
//
// The error is an [ErrNoKafka] when there is nothing here to run.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	c, err := open(cfg)
	if err != nil {
		return nil, err
	}
	if c.cfg.Links {
		err = c.openLinks()
	}
	if err == nil {
		err = c.startAll(ctx)
	}
	if err == nil {
		err = c.Ready(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, c.Stop(context.WithoutCancel(ctx)))
	}
	return c, nil
}

// open returns the cluster of a folder, with whatever nodes it has; new ones when it has none.
func open(cfg Config) (*Cluster, error) {
	cfg, err := cfg.absolute()
	if err != nil {
		return nil, err
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	c := &Cluster{cfg: cfg}
	if c.program, err = cfg.java(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(cfg.log4j(), log4j2, 0o644); err != nil {
		return nil, err
	}
	found, err := c.load()
	if err != nil || found {
		c.cfg.Links = found && c.nodes[0].LinkPort > 0 // as it was made
		return c, err
	}
	c.state.ID = newID()
	for range cfg.Nodes {
		if _, err := c.newNode(true); err != nil {
			return nil, err
		}
	}
	return c, c.save(nil)
}

// newNode adds a node that was never started.
func (c *Cluster) newNode(voter bool) (*Node, error) {
	n := &Node{ID: len(c.nodes) + 1, Voter: voter, cluster: c}
	var err error
	if n.Port, err = c.port(2 * (n.ID - 1)); err != nil {
		return nil, err
	}
	c.nodes = append(c.nodes, n)
	if voter {
		if n.ControllerPort, err = c.port(2*(n.ID-1) + 1); err != nil {
			return nil, err
		}
	}
	return n, c.linkPorts(n)
}

// linkPorts gives a node its ports for the others, where the nodes have links. A broker that joins later is
// reached directly: who carries does not know of it.
func (c *Cluster) linkPorts(n *Node) error {
	if !c.cfg.Links && c.nodes[0].LinkPort == 0 {
		return nil
	}
	var err error
	if n.InternalPort, err = c.freePort(0); err != nil {
		return err
	}
	if n.LinkPort = n.InternalPort; !n.Voter {
		return nil
	}
	if n.LinkPort, err = c.freePort(0); err != nil {
		return err
	}
	n.ControllerLinkPort, err = c.freePort(0)
	return err
}

// port is the nth one of the cluster, or a free one.
func (c *Cluster) port(nth int) (int, error) {
	want := 0
	if c.cfg.Port > 0 {
		want = c.cfg.Port + nth
	}
	return c.freePort(want)
}

// freePort is a port that nobody has; 0 is any.
func (c *Cluster) freePort(want int) (int, error) {
	ln, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(want)))
	if err != nil {
		return 0, fmt.Errorf("find a port: %w: stop what listens there, or choose another --port", err)
	}
	defer ln.Close()
	found := ln.Addr().(*net.TCPAddr).Port
	if slices.ContainsFunc(c.nodes, func(n *Node) bool { return slices.Contains(n.ports(), found) }) {
		return c.freePort(want) // free, but promised already
	}
	return found, nil
}

// startAll starts all nodes at once: none of them serves before most are there.
func (c *Cluster) startAll(ctx context.Context) error {
	var g errgroup.Group
	for _, n := range c.nodes {
		g.Go(func() error { return n.prepare(ctx) }) // a second of Java each, the first time
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, n := range c.nodes {
		if err := n.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Tiered reports whether the cluster was made with a second tier.
func (c *Cluster) Tiered() bool { return c.state.Tiered }

// TierDir is the folder of the second tier; the cluster has one when it is Tiered.
func (c *Cluster) TierDir() string { return filepath.Join(c.cfg.Dir, "tier") }

// Add lets one more broker join, which is no controller, and waits until it serves. It leads nothing
// before partitions are moved to it.
func (c *Cluster) Add(ctx context.Context) (*Node, error) {
	n, err := c.newNode(false)
	if err != nil {
		return nil, err
	}
	if err := n.Start(ctx); err != nil {
		return nil, err
	}
	return n, c.Ready(ctx)
}

// Dismiss has a broker that was added leave for good: it is stopped, forgotten by the others, and its data
// is deleted. It must hold no partition any more. It is the last that was added.
func (c *Cluster) Dismiss(ctx context.Context, n *Node) error {
	if n.Voter || c.nodes[len(c.nodes)-1] != n {
		return fmt.Errorf("dismiss %s: it is not the broker that was added last", n.Name())
	}
	if err := n.Stop(ctx); err != nil {
		return err
	}
	c.nodes = c.nodes[:len(c.nodes)-1]
	if err := c.save(nil); err != nil {
		return err
	}
	if _, err := c.Tool(ctx, "org.apache.kafka.tools.ClusterTool", "unregister",
		"--bootstrap-server", strings.Join(c.Brokers(), ","), "--id", strconv.Itoa(n.ID)); err != nil {
		return fmt.Errorf("dismiss %s: %w", n.Name(), err)
	}
	return os.RemoveAll(c.nodeDir(n))
}

// Ready waits until every node whose process is there is known as a broker to a client, and a
// controller is elected. It fails at once when one of them dies.
func (c *Cluster) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyLimit,
		fmt.Errorf("was not ready within %s; see %s", readyLimit, filepath.Join(c.cfg.Dir, "node-*", "server.log")))
	defer cancel()
	want := 0
	for _, n := range c.nodes {
		if n.PID != 0 {
			want++
		}
	}
	for {
		err := c.serves(ctx, want)
		if err == nil {
			return nil
		}
		for _, n := range c.nodes {
			if n.PID != 0 && !n.Running() {
				return fmt.Errorf("%s has ended; the last of its log:\n%s", n.Name(), n.lastWords())
			}
		}
		select {
		case <-time.After(lookEvery):
		case <-ctx.Done():
			return fmt.Errorf("the cluster %w (%w)", context.Cause(ctx), err)
		}
	}
}

// serves asks every node as a client would. The others do not tell: who has died is one of them until its
// session has expired, and in sync.
func (c *Cluster) serves(ctx context.Context, want int) error {
	for _, n := range c.nodes {
		if n.PID == 0 {
			continue
		}
		if err := n.serves(ctx, want); err != nil {
			return fmt.Errorf("%s: %w", n.Name(), err)
		}
	}
	return nil
}

func (n *Node) serves(ctx context.Context, want int) error {
	log, err := eventlog.Open(ctx, eventlog.Config{Brokers: []string{n.Addr()}, Security: n.cluster.cfg.Security})
	if err != nil {
		return err
	}
	defer log.Close()
	known, err := log.Brokers(ctx)
	if err == nil && len(known) < want {
		err = fmt.Errorf("%d of %d brokers are there", len(known), want)
	}
	return err
}

// InSync waits until every copy of every partition is up to date.
func (c *Cluster) InSync(ctx context.Context) error {
	log, err := eventlog.Open(ctx, eventlog.Config{Brokers: c.Brokers(), Security: c.cfg.Security})
	if err != nil {
		return err
	}
	defer log.Close()
	for {
		behind, err := log.OutOfSync(ctx)
		if err == nil && behind == 0 {
			return nil
		}
		select {
		case <-time.After(lookEvery):
		case <-ctx.Done():
			return fmt.Errorf("%d copies are not in sync: %w", behind, errors.Join(ctx.Err(), err))
		}
	}
}

// Brokers are the addresses of all nodes, running or not: what a client is given.
func (c *Cluster) Brokers() []string {
	var all []string
	for _, n := range c.nodes {
		all = append(all, n.Addr())
	}
	return all
}

// Nodes are all nodes, in the order of their ids.
func (c *Cluster) Nodes() []*Node { return c.nodes }

// Node returns the node of an id, nil when there is none.
func (c *Cluster) Node(id int) *Node {
	if id < 1 || id > len(c.nodes) {
		return nil
	}
	return c.nodes[id-1]
}

// NodeAt returns the node whose clients connect at addr, nil when there is none.
func (c *Cluster) NodeAt(addr string) *Node {
	for _, n := range c.nodes {
		if n.Addr() == addr {
			return n
		}
	}
	return nil
}

// Stop stops all nodes, at once, and keeps their data. One that does not end in time is killed: what
// was acknowledged is with the kernel, and the next start finds it.
func (c *Cluster) Stop(ctx context.Context) error {
	late := fmt.Errorf("did not end within %s", stopLimit)
	ctx, cancel := context.WithTimeoutCause(ctx, stopLimit, late)
	defer cancel()
	errs := make([]error, len(c.nodes))
	var g errgroup.Group
	for i, n := range c.nodes {
		g.Go(func() error {
			// The last to go finds no controllers left that would let it: it is killed, and that is all.
			if err := n.Stop(ctx); !errors.Is(err, late) || n.Running() {
				errs[i] = err
			}
			return nil
		})
	}
	_ = g.Wait()
	if c.stopLinks != nil {
		c.stopLinks()
	}
	return errors.Join(errs...)
}

// Remove deletes the folder with all that the nodes have stored. They must have been stopped.
func (c *Cluster) Remove() error {
	for _, n := range c.nodes {
		if n.Running() {
			return fmt.Errorf("remove %s: %s is running", c.cfg.Dir, n.Name())
		}
	}
	return os.RemoveAll(c.cfg.Dir)
}

func (c *Cluster) nodeDir(n *Node) string { return filepath.Join(c.cfg.Dir, n.Name()) }

// java runs one of Kafka's tools to its end and returns what it says.
func (c *Cluster) java(ctx context.Context, main string, args ...string) ([]byte, error) {
	const heapMiB = 128 // a tool does next to nothing
	return exec.CommandContext(ctx, c.program, c.cfg.jvm(heapMiB, main, args...)...).CombinedOutput()
}

// Tool runs one of Kafka's own console tools, by its class, against the cluster, and returns what it
// prints.
func (c *Cluster) Tool(ctx context.Context, class string, args ...string) (string, error) {
	said, err := c.java(ctx, class, args...)
	if err != nil {
		return string(said), fmt.Errorf("%s: %w:\n%s", class, err, lastLines(said, 5))
	}
	return string(said), nil
}
