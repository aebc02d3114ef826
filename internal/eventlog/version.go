package eventlog

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A need is a version of a request that a broker has to know, and the Apache Kafka that brought it.
type need struct {
	key     kmsg.Key
	version int16
	since   string
}

var (
	// needed by everybody, on connections of our own.
	needed = []need{{kmsg.Metadata, metadataVersion, "2.3"}, {kmsg.Fetch, fetchVersion, "2.3"}}

	// neededByTransactions: positions in a transaction that an old generation of the group cannot commit
	// (KIP-447). An older broker takes them from anybody.
	neededByTransactions = []need{{kmsg.TxnOffsetCommit, 3, "2.5"}}
)

// versions asks a broker which requests it knows.
func (l *Log) versions(ctx context.Context) (*kmsg.ApiVersionsResponse, error) {
	client, err := l.franz()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, client)
}

var errTooOld = errors.New("its brokers are too old")

// tooOld is the error of a broker that lacks one of the needs; nil when it has them all.
func tooOld(known *kmsg.ApiVersionsResponse, needs []need) error {
	has := map[int16]int16{}
	for _, k := range known.ApiKeys {
		has[k.ApiKey] = k.MaxVersion
	}
	for _, n := range needs {
		if v, ok := has[n.key.Int16()]; !ok || v < n.version {
			return fmt.Errorf("%w: they know no %s of version %d, which Apache Kafka %s and later ones do",
				errTooOld, n.key.Name(), n.version, n.since)
		}
	}
	return nil
}

// explain finds out why a broker hangs up on a request that it should know: Kafka does so when it does not,
// and says nothing.
func (l *Log) explain(ctx context.Context, err error) error {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if known, asked := l.versions(ctx); asked == nil {
		if old := tooOld(known, needed); old != nil {
			return old
		}
	}
	return err
}
