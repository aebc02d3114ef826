package cluster

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// links are the network between the nodes of a cluster that was started with [Config.Links]: every node is
// known to the others by an address of theirs, and what is said there is carried to the node. Clients do
// not come this way, so that a node can be isolated from the others and not from them, which is the harder
// case: it goes on taking what it can no longer replicate.
//
// Who is isolated stands in a file of the cluster's folder, so that any process may isolate a node
// ([Node.Isolate]) while another one carries.
type links struct {
	dir string

	mu       sync.Mutex
	isolated []int             // ids
	carried  map[*carried]bool // every connection that is open
}

// A carried is a connection of one node to another, or to itself.
type carried struct {
	from, to int
	near     net.Conn
}

// isolatedFile holds the ids of isolated nodes; none when it is missing.
const isolatedFile = "isolated.json"

// openLinks begins to carry what the nodes say to each other, which has to be before they start, and goes on
// until Stop.
func (c *Cluster) openLinks() error {
	ctx, stop := context.WithCancel(context.Background())
	c.stopLinks = stop
	l := &links{dir: c.cfg.Dir, carried: map[*carried]bool{}}
	for _, n := range c.nodes {
		if err := l.listen(ctx, n.ID, n.LinkPort, n.InternalPort); err != nil {
			return err
		}
		if err := l.listen(ctx, n.ID, n.ControllerLinkPort, n.ControllerPort); err != nil {
			return err
		}
	}
	go l.watch(ctx)
	return nil
}

// listen carries what comes to one port of loopback to another, where node to listens.
func (l *links) listen(ctx context.Context, to, from, target int) error {
	if from == 0 {
		return nil // no controller
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", address(from))
	if err != nil {
		return fmt.Errorf("carry for node %d: %w", to, err)
	}
	context.AfterFunc(ctx, func() { _ = ln.Close() })
	go func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return // it was closed
			}
			go l.carry(&carried{to: to, near: near}, address(target))
		}
	}()
	return nil
}

func address(port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// carry carries one connection until either end closes it, or one of its nodes is isolated.
func (l *links) carry(c *carried, target string) {
	defer c.near.Close()
	said := bufio.NewReader(c.near)
	var err error
	if c.from, err = speaker(said); err != nil {
		l.note(err)
		return
	}
	if !l.enter(c) {
		return
	}
	defer l.leave(c)
	far, err := net.DialTimeout("tcp", target, time.Second)
	if err != nil { // the node is down: so it is for the others
		return
	}
	defer far.Close()
	go func() {
		_, _ = io.Copy(c.near, far)
		_ = c.near.Close()
	}()
	_, _ = io.Copy(far, said)
}

// note writes down why a connection was not carried, where whoever misses it will look.
func (l *links) note(why error) {
	f, err := os.OpenFile(filepath.Join(l.dir, "links.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		fmt.Fprintf(f, "%s %v\n", time.Now().UTC().Format(time.RFC3339), why)
		_ = f.Close()
	}
}

// enter notes a connection; false when it may not be.
func (l *links) enter(c *carried) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.crosses(l.isolated) {
		return false
	}
	l.carried[c] = true
	return true
}

func (l *links) leave(c *carried) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.carried, c)
}

// crosses reports whether one of two ends is isolated. A node always hears itself.
func (c *carried) crosses(isolated []int) bool {
	return c.from != c.to && (slices.Contains(isolated, c.from) || slices.Contains(isolated, c.to))
}

// watch looks who is isolated, and ends the connections that cross; in the end all of them.
func (l *links) watch(ctx context.Context) {
	for ctx.Err() == nil {
		if isolated, err := readIsolated(l.dir); err == nil { // else it is being written
			l.mu.Lock()
			l.isolated = isolated
			l.mu.Unlock()
			l.cut(func(c *carried) bool { return c.crosses(isolated) })
		}
		select {
		case <-time.After(lookEvery):
		case <-ctx.Done():
		}
	}
	l.cut(func(*carried) bool { return true })
}

func (l *links) cut(which func(*carried) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.carried {
		if which(c) {
			_ = c.near.Close()
		}
	}
}

// A node names itself in the client id of every request: the broker of a fetcher or of a marker of
// transactions ("broker-2-fetcher-0"), of a partition that joins a transaction, and of what it asks the
// controllers ("2"), and the controllers among themselves.
var clientOf = regexp.MustCompile(`^(?:broker-|AddPartitionsManager-client-|raft-client-)?(\d+)(?:-|$)`)

// speaker is the id of the node that has opened a connection, from the head of its first request, which
// stays unread.
func speaker(said *bufio.Reader) (int, error) {
	const head = 4 + 2 + 2 + 4 + 2 // size, key, version, correlation id, length of the client id
	raw, err := said.Peek(head)
	if err != nil {
		return 0, err
	}
	raw, err = said.Peek(head + int(max(0, int16(binary.BigEndian.Uint16(raw[head-2:])))))
	if err != nil {
		return 0, err
	}
	m := clientOf.FindSubmatch(raw[head:])
	if m == nil {
		return 0, fmt.Errorf("client %q is no node", raw[head:])
	}
	return strconv.Atoi(string(m[1]))
}

func readIsolated(dir string) (ids []int, err error) {
	text, err := os.ReadFile(filepath.Join(dir, isolatedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.NewDecoder(bytes.NewReader(text)).Decode(&ids)
	}
	if err != nil {
		return nil, fmt.Errorf("who is isolated: %w", err)
	}
	return ids, nil
}

// Isolate cuts the node off from all others, and not from clients; [Node.Rejoin] ends it. It takes a cluster
// with links.
func (n *Node) Isolate() error {
	return n.changeIsolated(func(ids []int) []int { return append(ids, n.ID) })
}

// Rejoin has the others hear a node again that was isolated.
func (n *Node) Rejoin() error {
	return n.changeIsolated(func(ids []int) []int {
		return slices.DeleteFunc(ids, func(id int) bool { return id == n.ID })
	})
}

func (n *Node) changeIsolated(change func([]int) []int) error {
	dir := n.cluster.cfg.Dir
	if n.LinkPort == 0 {
		return fmt.Errorf("isolate %s: the cluster in %s has no links between its nodes", n.Name(), dir)
	}
	ids, err := readIsolated(dir)
	if err != nil {
		return err
	}
	text, err := json.Marshal(change(ids))
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, isolatedFile), text)
}
