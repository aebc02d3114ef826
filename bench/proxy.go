package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A proxy is the network between a component and the broker, as far as the driver can shape it: it
// carries connections to one address, delays what they say, and can cut them. It is safe for
// concurrent use.
//
// It delays without throttling: whatever is said within the delay is on its way at the same time, in
// order, like on a long cable. The component's own loopback and the driver's CPU come on top, so a
// run with a proxy is compared with one that has a proxy too.
type proxy struct {
	listener net.Listener
	target   string
	delay    atomic.Int64 // ns, in each direction

	mu   sync.Mutex
	cut  bool                  // no connection lives
	open map[net.Conn]struct{} // both ends of every connection

	carrying sync.WaitGroup
}

// startProxy starts a proxy to the target on a free port of loopback.
func startProxy(ctx context.Context, target string) (*proxy, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start proxy: %w", err)
	}
	p := &proxy{listener: listener, target: target, open: map[net.Conn]struct{}{}}
	p.carrying.Go(p.accept)
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// setDelay changes the delay for what is said from now on. What is on its way stays ahead of it.
func (p *proxy) setDelay(d time.Duration) { p.delay.Store(int64(d)) }

// setCut resets all connections and every new one, until it is set to false.
func (p *proxy) setCut(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	if cut {
		for conn := range p.open {
			reset(conn)
		}
	}
}

// close ends all connections and returns when nothing is carried any more.
func (p *proxy) close() error {
	err := p.listener.Close()
	p.setCut(true)
	p.carrying.Wait()
	return err
}

func (p *proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil { // it was closed
			return
		}
		p.carrying.Go(func() { p.carry(near) })
	}
}

// carry carries one connection until either end closes it.
func (p *proxy) carry(near net.Conn) {
	far, err := net.DialTimeout("tcp", p.target, dialLimit)
	if err != nil { // the broker is away: so it is for the component
		reset(near)
		return
	}
	if !p.enter(near, far) {
		return
	}
	defer p.leave(near, far)
	delay := func() time.Duration { return time.Duration(p.delay.Load()) }
	var back sync.WaitGroup
	back.Go(func() {
		pump(near, far, delay)
		_ = near.Close()
	})
	pump(far, near, delay)
	_ = far.Close()
	back.Wait()
}

// dialLimit is how long the broker may take to accept; it is on this machine.
const dialLimit = 3 * time.Second

// enter notes the ends of a connection, or resets them while the network is cut.
func (p *proxy) enter(ends ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range ends {
		if p.cut {
			reset(conn)
			continue
		}
		p.open[conn] = struct{}{}
	}
	return !p.cut
}

func (p *proxy) leave(ends ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range ends {
		delete(p.open, conn)
		_ = conn.Close()
	}
}

// reset closes a connection so that its other end is told at once that what it has said is gone.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// A piece is what one read found, and when it has to be passed on.
type piece struct {
	bytes []byte
	due   time.Time
	whole *[pieceBytes]byte // that bytes is the beginning of
}

const (
	pieceBytes = 64 << 10
	// pieces may be on their way in one direction: 64 MB, so that a delay of 100 ms still carries
	// 640 MB/s. Beyond it the sender waits, as with a full TCP window.
	pieces = 1024
)

var pieceBuffers = sync.Pool{New: func() any { return new([pieceBytes]byte) }}

// pump passes on what src says, delayed, until src ends or dst takes nothing more.
func pump(dst io.Writer, src io.Reader, delay func() time.Duration) {
	under := make(chan piece, pieces)
	broken := make(chan struct{})
	go func() {
		defer close(under)
		for {
			whole := pieceBuffers.Get().(*[pieceBytes]byte)
			n, err := src.Read(whole[:])
			if err != nil { // neither kind of connection has read anything then
				return
			}
			select {
			case under <- piece{whole[:n], time.Now().Add(delay()), whole}:
			case <-broken:
				return
			}
		}
	}()
	defer close(broken)
	for p := range under {
		time.Sleep(time.Until(p.due)) // nothing when it is due already
		if _, err := dst.Write(p.bytes); err != nil {
			return
		}
		pieceBuffers.Put(p.whole)
	}
}
