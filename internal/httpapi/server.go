package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

// The limits of a server that trusts nobody but expects only readers of its own machine.
const (
	readHeaderTimeout = 5 * time.Second      // a reader that has connected and says nothing
	idleTimeout       = 2 * time.Minute      // between two requests of one connection
	writeTimeout      = 5 * time.Minute      // the largest view on a slow connection, and MaxWait
	maxHeaderBytes    = 16 << 10             // a request is one line and a few headers
	shutdownGrace     = 2 * time.Second      // for answers that are being written when ctx ends
	portInUseWindows  = syscall.Errno(10048) // WSAEADDRINUSE, which package syscall does not map
)

// Listen listens on a TCP address, such as 127.0.0.1:0 for any free port on loopback.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, portInUseWindows) {
		_, port, _ := net.SplitHostPort(addr)
		return nil, fmt.Errorf("listen on %s: port %s is in use; stop the process that holds it, "+
			"choose another port, or 0 for a free one: %w", addr, port, err)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
}

// Serve serves a's answers on l until ctx ends, and closes l. It returns nil when ctx has ended.
//
// Blocking queries end with ctx and answer what is there, so they do not hold up the end; answers
// that are being written then get two more seconds.
func Serve(ctx context.Context, l net.Listener, a Answers) error {
	server := &http.Server{
		Handler:           Handler(a),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		WriteTimeout:      writeTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// No ReadTimeout: it would cut off a blocking query, whose connection is silent by nature.
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		shutdown(ctx, server)
	})
	err := server.Serve(l)
	if stop() {
		_ = server.Close()
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	}
	<-stopped
	return nil
}

// shutdown ends the server, after shutdownGrace by force.
func shutdown(ended context.Context, server *http.Server) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ended), shutdownGrace)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close()
	}
}
