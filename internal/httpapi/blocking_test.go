package httpapi

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// The tests of this file run in virtual time, and a goroutine that is left behind fails them.

// pipes is a listener whose connections are in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// client returns a client whose connections end at p.
func (p *pipes) client() *Client {
	c := NewClient("pipe")
	c.transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		near, far := net.Pipe()
		select {
		case p.conns <- far:
			return near, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return c
}

// serving runs f against a server of a, and then ends the server.
func serving(t *testing.T, f func(t *testing.T, a *fake, c *Client, end context.CancelFunc)) {
	synctest.Test(t, func(t *testing.T) {
		a := newFake(Merged)
		ctx, end := context.WithCancel(t.Context())
		listener, served := newPipes(), make(chan error)
		go func() { served <- Serve(ctx, listener, a) }()
		c := listener.client()
		f(t, a, c, end)
		end()
		require.NoError(t, <-served)
		c.Close()
	})
}

// answer is what a blocking query gave, and how long it took.
type answer struct {
	Latest
	found bool
	err   error
	took  time.Duration
}

func block(t *testing.T, c *Client, car string, afterSeq int64, wait time.Duration) <-chan answer {
	done := make(chan answer, 1)
	go func() {
		asked := time.Now()
		l, found, err := c.Latest(t.Context(), car, afterSeq, wait, "")
		done <- answer{l, found, err, time.Since(asked)}
	}()
	return done
}

func TestABlockingQueryAnswersAsSoonAsAReadingIsVisible(t *testing.T) {
	serving(t, func(t *testing.T, a *fake, c *Client, _ context.CancelFunc) {
		a.see("car-1", 4)
		done := block(t, c, "car-1", 4, 20*time.Second)
		time.Sleep(time.Second)
		a.see("car-2", 9)
		time.Sleep(time.Second)
		a.see("car-1", 6)
		got := <-done
		require.NoError(t, got.err)
		require.Equal(t, 2*time.Second, got.took)
		require.Equal(t, []int64{6}, got.Visible)
		require.EqualValues(t, 6, got.LastSeq)
		require.Equal(t, a.stamp, got.Stamp)
		require.Equal(t, a.windows[2], got.Window)
	})
}

func TestABlockingQueryAnswersAtOnceWhatIsThere(t *testing.T) {
	serving(t, func(t *testing.T, a *fake, c *Client, _ context.CancelFunc) {
		a.see("car-1", 4)
		a.see("car-1", 6)
		got := <-block(t, c, "car-1", 3, time.Second)
		require.Zero(t, got.took)
		require.Equal(t, []int64{4, 6}, got.Visible)
		got = <-block(t, c, "car-1", 6, 0)
		require.Zero(t, got.took, "no wait was asked for")
		require.True(t, got.found)
		require.Empty(t, got.Visible)
		got = <-block(t, c, "car-1", -1, 0)
		require.EqualValues(t, 6, got.LastSeq)
		require.Empty(t, got.Visible)
	})
}

func TestABlockingQueryEndsWithItsWait(t *testing.T) {
	serving(t, func(t *testing.T, _ *fake, c *Client, _ context.CancelFunc) {
		got := <-block(t, c, "car-1", 0, MaxWait)
		require.NoError(t, got.err)
		require.False(t, got.found)
		require.Equal(t, MaxWait, got.took)
	})
}

func TestABlockingQueryDoesNotHoldUpTheEnd(t *testing.T) {
	serving(t, func(t *testing.T, a *fake, c *Client, end context.CancelFunc) {
		a.see("car-1", 4)
		done := block(t, c, "car-1", 4, MaxWait)
		time.Sleep(time.Second)
		end()
		got := <-done
		require.NoError(t, got.err)
		require.Equal(t, time.Second, got.took)
		require.EqualValues(t, 4, got.LastSeq)
	})
}

func TestAClientThatGoesAwayLeavesNothingBehind(t *testing.T) {
	serving(t, func(t *testing.T, a *fake, c *Client, _ context.CancelFunc) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err := c.Latest(ctx, "car-1", 0, MaxWait, "")
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}
