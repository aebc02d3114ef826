package eventlog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// BrokerConfig configures the embedded broker.
type BrokerConfig struct {
	Dir          string // data; created when missing
	Port         int    // Kafka protocol; 0 takes a free one
	RegistryPort int    // schema registry; 0 takes a free one

	// Housekeeping is between two times that topics are compacted and retention is applied. No produce is answered
	// meanwhile, so that 0, the default, is never: what is measured is not to meet it.
	Housekeeping time.Duration

	// Notify is told when house was kept, and when that failed. It may be nil.
	Notify func(fact string, fields ...any) `json:"-"`
}

// What Dir holds.
const (
	brokerLockFile = "broker.lock"
	brokerLogDir   = "log"
)

// A Broker is the embedded broker (franz-go's kfake) with a schema registry, on loopback.
type Broker struct {
	cluster  *kfake.Cluster
	client   *kgo.Client // for what the broker asks of itself, as any client may
	roll     *rollCall
	registry *Registry
	lock     *dirLock

	compactor compactor

	stopHousekeeping func() // returns when it has stopped; nil when nobody keeps house
}

// StartBroker starts a broker on what Dir holds.
func StartBroker(cfg BrokerConfig) (_ *Broker, err error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	b := &Broker{}
	b.compactor.broker = b
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("create broker folder: %w", err)
	}
	if b.lock, err = lockDir(filepath.Join(cfg.Dir, brokerLockFile)); err != nil {
		return nil, fmt.Errorf("broker folder %s: %w", cfg.Dir, err)
	}
	if b.cluster, err = startCluster(filepath.Join(cfg.Dir, brokerLogDir), cfg.Port); err != nil {
		return nil, err
	}
	if b.client, err = kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.ClientID(clientID)); err != nil {
		return nil, err
	}
	b.roll = callRoll(b.cluster, b.client)
	b.registry, err = startRegistry(filepath.Join(cfg.Dir, registryFile), cfg.RegistryPort, "--registry-port", b.Compact)
	if err != nil {
		return nil, err
	}
	if cfg.Housekeeping > 0 {
		if err = b.startHousekeeping(cfg); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *Broker) startHousekeeping(cfg BrokerConfig) error {
	h, err := newHousekeeper(b, cfg.Dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { h.run(ctx, cfg.Housekeeping, cfg.Notify) })
	b.stopHousekeeping = func() {
		cancel()
		running.Wait()
	}
	return nil
}

func (c BrokerConfig) validate() error {
	if c.Dir == "" {
		return errors.New("broker: no folder given")
	}
	if c.Housekeeping < 0 {
		return fmt.Errorf("broker: housekeeping %s: must not be negative; 0 is never", c.Housekeeping)
	}
	for _, p := range []struct {
		flag string
		port int
	}{{"port", c.Port}, {"registry-port", c.RegistryPort}} {
		if p.port < 0 || p.port > 65535 {
			return fmt.Errorf("broker: --%s %d is not between 0 and 65535", p.flag, p.port)
		}
	}
	return nil
}

// BrokerGCPercent is what a process that runs nothing but a broker should pass to
// debug.SetGCPercent. Its live heap is a few MB while every fetch makes some of garbage, so that by
// default it mostly collects: with 400, fetching takes 167 ns of its CPU per event, with 100 it is
// 265 ns (BenchmarkFetchDecode/partitions=4).
const BrokerGCPercent = 400

// minSessionTimeout lets a workshop or a test notice a dead member sooner than after
// DefaultSessionTimeout, the least that Apache Kafka allows.
const minSessionTimeout = time.Second

// startCluster starts kfake. Its SyncWrites (an fsync per batch) stays off, as in Kafka's own
// default: what was acknowledged survives SIGKILL of the broker either way, because the kernel has
// it; only a crash of the machine could lose it. An append would take 2 to 5 ms instead of 0.05 ms
// (BenchmarkSyncWrites, virtual disk).
func startCluster(dir string, port int) (*kfake.Cluster, error) {
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.Ports(port),
		kfake.ListenFn(listener("--port")),
		kfake.DataDir(dir),
		kfake.GroupMinSessionTimeout(minSessionTimeout),
		kfake.BrokerConfigs(map[string]string{
			// Compaction and retention stall every produce while they run, once an hour. They
			// run when Compact is called, or by a housekeeper, and else never: the interval is 24 days.
			"log.cleaner.backoff.ms": "2073600000",
			"message.max.bytes":      fmt.Sprint(maxBatchBytes),
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	return cluster, nil
}

// listener returns a net.Listen whose error says which flag to change when a port is taken.
func listener(flag string) func(network, address string) (net.Listener, error) {
	return func(network, address string) (net.Listener, error) {
		ln, err := net.Listen(network, address)
		if err != nil {
			return nil, fmt.Errorf("%w: stop what listens there or choose another %s (0 takes a free one)",
				err, flag)
		}
		return ln, nil
	}
}

// Addr is the broker's host:port.
func (b *Broker) Addr() string { return b.cluster.ListenAddrs()[0] }

// RegistryURL is the schema registry's base URL.
func (b *Broker) RegistryURL() string { return b.registry.URL() }

// Close stops the broker; acknowledged data is on disk.
func (b *Broker) Close() error {
	if b.stopHousekeeping != nil {
		b.stopHousekeeping()
	}
	b.compactor.close()
	if b.roll != nil {
		b.roll.close()
	}
	if b.client != nil {
		b.client.Close()
	}
	if b.cluster != nil {
		b.cluster.Close()
	}
	var err error
	if b.registry != nil {
		err = b.registry.Close()
	}
	if b.lock != nil {
		err = errors.Join(err, b.lock.unlock())
	}
	return err
}
