package eventlog

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Tiered are the settings of a topic whose segments move to the cluster's second tier as soon as they are
// closed (KIP-405), and of segments as small as Kafka takes them, so that they are closed soon.
var Tiered = map[string]string{
	"remote.storage.enable": "true",
	"local.retention.bytes": "1",
	"segment.bytes":         "1048576",
}

// HasTiers reports whether the cluster has a second tier for what its log keeps long.
func (l *Log) HasTiers(ctx context.Context) (bool, error) {
	client, err := l.asker()
	if err != nil {
		return false, err
	}
	admin := kadm.NewClient(client)
	brokers, err := admin.ListBrokers(ctx)
	if err != nil || len(brokers) == 0 {
		return false, fmt.Errorf("ask for tiers: %w", err)
	}
	described, err := admin.DescribeBrokerConfigs(ctx, brokers[0].NodeID)
	if err != nil {
		return false, fmt.Errorf("ask for tiers: %w", err)
	}
	for _, broker := range described {
		if broker.Err != nil {
			return false, fmt.Errorf("ask for tiers: %w", broker.Err)
		}
		for _, c := range broker.Configs {
			if c.Key == "remote.log.storage.system.enable" {
				return c.MaybeValue() == "true", nil
			}
		}
	}
	return false, nil
}
