package eventlog

import (
	"cmp"
	"context"
	"net"
)

// dial connects to one broker, or to what Dial names in its place; ctx bounds the connecting alone.
// Every connection to a broker is made here: those of both clients, and our own.
func (c *Config) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout} // TCP_NODELAY is Go's default
	return d.DialContext(ctx, network, cmp.Or(c.Dial[addr], addr))
}
