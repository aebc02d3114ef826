package eventlog

import (
	"cmp"
	"context"
	"net"
)

// dial connects to one broker, or to what Dial names in its place, and has both trust each other; ctx
// bounds the connecting alone. Every connection to a broker is made here: those of both clients, and our
// own.
func (c *Config) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout} // TCP_NODELAY is Go's default
	conn, err := d.DialContext(ctx, network, cmp.Or(c.Dial[addr], addr))
	if err != nil || !c.Security.TLS && c.Security.Mechanism == "" {
		return conn, err
	}
	return c.Security.secure(ctx, conn, addr)
}
