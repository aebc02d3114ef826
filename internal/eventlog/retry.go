package eventlog

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// How long a call goes on trying. A broker that was killed is back within seconds; one that hangs or is
// cut off has its partitions led by others when its session (9 s by default) has expired, and later when it
// was the controller, who has to be replaced first. A topic that does not exist will not appear, but one
// that was just created may be unknown to some broker yet.
const (
	patience        = 30 * time.Second
	missingPatience = 2 * time.Second
	firstBackoff    = 10 * time.Millisecond
	maxBackoff      = 500 * time.Millisecond
)

// retry calls f until it succeeds, fails for good, or has failed for longer than patience. The
// error of a broker that stays away says what to do.
func (l *Log) retry(ctx context.Context, f func(ctx context.Context) error) error {
	start := time.Now()
	var lost loss
	for wait := firstBackoff; ; wait = min(2*wait, maxBackoff) {
		err := f(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !retriable(err) || lost.forGood(err) || time.Since(start) > patience {
			if network(err) {
				return l.unreachable(err)
			}
			return err
		}
		l.forgetCluster()
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// forgetCluster drops kafka-go's connections and its picture of the cluster: it caches metadata
// for up to 6 s and has no other way to look again (a topic that another process created is
// unknown to it until then). Requests in flight keep their connection.
func (l *Log) forgetCluster() { l.transport.CloseIdleConnections() }

// pause waits, or returns ctx's error as soon as it ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// retriable reports whether the same request may succeed a little later.
func retriable(err error) bool {
	if distrusts(err) {
		return false
	}
	var k kafka.Error
	if errors.As(err, &k) {
		// kafka-go's ListOffsets turns any transport error into Unknown.
		return k.Temporary() || k == kafka.BrokerNotAvailable || k == kafka.Unknown
	}
	return network(err)
}

// distrusts reports whether one of the two ends does not trust the other. A broker that refuses a client's
// certificate may say so only in answer to the first request.
func distrusts(err error) bool {
	var distrust *untrusted
	var op *net.OpError
	return errors.As(err, &distrust) || errors.As(err, &op) && op.Op == "remote error" // an alert of TLS
}

// missing reports whether the topic or partition does not exist, as far as a broker knows.
func missing(err error) bool { return errors.Is(err, kafka.UnknownTopicOrPartition) }

// unpictured reports whether kafka-go did not find where to send a request in its picture of the cluster,
// which may be old, and is empty where the broker hangs that was asked for it.
func unpictured(err error) bool {
	return errors.Is(err, protocol.ErrNoTopic) || errors.Is(err, protocol.ErrNoPartition) ||
		errors.Is(err, protocol.ErrNoLeader)
}

// network reports whether err is about the connection and not about the request. The deadline is
// our own requestTimeout: callers look at their context first.
func network(err error) bool {
	var k kafka.Error
	if errors.As(err, &k) { // it looks like a net.Error
		return false
	}
	var n net.Error
	return errors.As(err, &n) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.DeadlineExceeded) || unpictured(err)
}

// A loss tells a topic that was deleted from one that a broker does not know for a moment.
type loss struct{ since time.Time }

// forGood reports whether err and every error before it for missingPatience said that the topic or
// partition does not exist.
func (l *loss) forGood(err error) bool {
	if !missing(err) {
		l.since = time.Time{}
		return false
	}
	if l.since.IsZero() {
		l.since = time.Now()
	}
	return time.Since(l.since) > missingPatience
}
