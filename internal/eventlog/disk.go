package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// ErrRefused says that the cluster does not let us ask.
var ErrRefused = errors.New("the cluster refuses")

// Bytes are the bytes that one copy of each of our topics takes on the brokers' disks, by topic: of the
// copies of a partition the largest, since the others may be behind. What lies in a remote tier is not among
// them. It takes the right to describe the cluster. The embedded broker does not know.
func (l *Log) Bytes(ctx context.Context) (map[string]int64, error) {
	client, err := l.asker()
	if err != nil {
		return nil, err
	}
	described, err := kadm.NewClient(client).DescribeAllLogDirs(ctx, nil)
	largest := map[kadm.Partition]int64{}
	described.Each(func(d kadm.DescribedLogDir) {
		err = errors.Join(err, d.Err)
		d.Topics.Each(func(p kadm.DescribedLogDirPartition) {
			at := kadm.Partition{Topic: p.Topic, Partition: p.Partition}
			largest[at] = max(largest[at], p.Size)
		})
	})
	if errors.Is(err, kerr.ClusterAuthorizationFailed) {
		err = errors.Join(ErrRefused, err)
	}
	if err != nil {
		return nil, fmt.Errorf("ask for the size of topics: %w", err)
	}
	sizes := map[string]int64{}
	for at, size := range largest {
		if name, own := strings.CutPrefix(at.Topic, l.cfg.Prefix); own {
			sizes[name] += size
		}
	}
	return sizes, nil
}
