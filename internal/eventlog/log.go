package eventlog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
)

// CarsTopic is the input: one event per reading, keyed by car_id, in the Confluent wire format.
const CarsTopic = "cars"

// IntendedHeader is the record header that carries the intended send time of an event, Unix
// nanoseconds in decimal. In milliseconds it is also the record's append time.
const IntendedHeader = "intended"

// DefaultSessionTimeout is how long a group waits for a sign of life from a member before it
// gives its partitions to others. It is the least that Apache Kafka accepts by default.
const DefaultSessionTimeout = 6 * time.Second

// Limits of every exchange with a broker.
const (
	dialTimeout    = 3 * time.Second
	requestTimeout = 10 * time.Second // on top of what the request itself asks the broker to wait

	// A leader that is cut off from the others takes what it cannot replicate, and says so after ackTimeout.
	ackTimeout     = 3 * time.Second
	produceTimeout = 2 * ackTimeout // kafka-go tells the broker half of it
)

// clientID names us in the broker's logs.
const clientID = "lambdakappa"

// Config says where the log is and which part of it is ours.
type Config struct {
	Brokers  []string // host:port; at least one
	Registry string   // URL of the schema registry; may be empty when no schema is asked for
	Prefix   string   // put before every topic and group name, so that runs can share a cluster

	// Dial says where to dial instead of what a broker is known as, host:port both: through a tunnel
	// or a proxy. Brokers name each other by their own addresses, so who wants all traffic on another
	// way has to name every one of them, not only those in Brokers.
	Dial map[string]string

	Security Security // of connections to the brokers and to the registry

	// Compression of what is appended: "" is none, "zstd" each batch as a whole. What is read may be
	// compressed in any way.
	Compression string

	// Client that appends outside of transactions; "" is KafkaGo.
	Client string

	// Assignment of a group's partitions; "" is Eager.
	Assignment Assignment

	// SessionTimeout of group members; 0 is DefaultSessionTimeout. The broker has limits of its
	// own (1 s to 5 min on the embedded one).
	SessionTimeout time.Duration
}

// A Log is a connection to the log. It is safe for concurrent use.
type Log struct {
	cfg       Config
	transport *kafka.Transport
	client    *kafka.Client
	registry  *sr.Client // nil when no registry was given
	unknown   unknownSchemas
	asked     atomic.Uint32 // how often one of cfg.Brokers was asked for metadata

	opening  sync.Mutex
	producer *kgo.Client // of FranzGo; nil until something is appended with it
	asking   *kgo.Client // for what is asked again and again; nil until then
}

// Open connects to the log. The error names the broker that could not be reached and what to do.
func Open(ctx context.Context, cfg Config) (*Log, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.SessionTimeout == 0 {
		cfg.SessionTimeout = DefaultSessionTimeout
	}
	registry, err := newRegistryClient(cfg.Registry, &cfg.Security)
	if err != nil {
		return nil, err
	}
	transport := &kafka.Transport{
		ClientID:    clientID,
		DialTimeout: dialTimeout,
		Dial:        cfg.dial,
	}
	l := &Log{
		cfg:       cfg,
		transport: transport,
		client: &kafka.Client{
			Addr: kafka.TCP(cfg.Brokers...), Transport: transport, Timeout: requestTimeout,
		},
		registry: registry,
	}
	if _, err := l.clusterMetadata(ctx, []string{}); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, l.unreachable(l.explain(ctx, err))
	}
	return l, nil
}

// Close releases all connections. Readers must be closed before.
func (l *Log) Close() error {
	l.transport.CloseIdleConnections()
	l.opening.Lock()
	defer l.opening.Unlock()
	for _, client := range []*kgo.Client{l.producer, l.asking} {
		if client != nil {
			client.Close()
		}
	}
	return nil
}

func (c Config) validate() error {
	if len(c.Brokers) == 0 {
		return errors.New("log: no broker given")
	}
	for _, b := range c.Brokers {
		if _, _, err := net.SplitHostPort(b); err != nil {
			return fmt.Errorf("log: broker %q is not host:port", b)
		}
	}
	for broker, instead := range c.Dial {
		for _, addr := range []string{broker, instead} {
			if _, _, err := net.SplitHostPort(addr); err != nil {
				return fmt.Errorf("log: dial %s=%s: %q is not host:port", broker, instead, addr)
			}
		}
	}
	if c.Prefix != "" && !legalName.MatchString(c.Prefix) {
		return fmt.Errorf("log: prefix %q: %s", c.Prefix, legalNameHint)
	}
	if c.Compression != "" && c.Compression != Zstd {
		return fmt.Errorf("log: compression %q: takes %s, or nothing", c.Compression, Zstd)
	}
	if err := c.Security.validate(); err != nil {
		return err
	}
	if c.Client != "" && c.Client != KafkaGo && c.Client != FranzGo {
		return fmt.Errorf("log: client %q: takes %s, or %s", c.Client, KafkaGo, FranzGo)
	}
	if err := c.Assignment.validate(); err != nil {
		return err
	}
	if c.SessionTimeout < 0 {
		return fmt.Errorf("log: session timeout %s must not be negative", c.SessionTimeout)
	}
	return nil
}

// Kafka's rule for topic names. Groups may be called anything, but one rule is easier to remember.
var legalName = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

const (
	legalNameHint = "only letters, digits, '.', '_' and '-' are allowed"
	maxNameLength = 249
)

// name returns the cluster's name for a topic or group of ours.
func (l *Log) name(kind, name string) (string, error) {
	full := l.cfg.Prefix + name
	switch {
	case name == "":
		return "", fmt.Errorf("%s name is empty", kind)
	case !legalName.MatchString(name):
		return "", fmt.Errorf("%s name %q: %s", kind, name, legalNameHint)
	case full == "." || full == "..":
		return "", fmt.Errorf("%s name %q is reserved", kind, full)
	case len(full) > maxNameLength:
		return "", fmt.Errorf("%s name %q is longer than %d bytes", kind, full, maxNameLength)
	}
	return full, nil
}

// unreachable wraps a network error in a sentence that says what to do about it.
func (l *Log) unreachable(err error) error {
	if distrusts(err) || errors.Is(err, errTooOld) {
		return fmt.Errorf("log %s: %w", strings.Join(l.cfg.Brokers, ","), err)
	}
	return fmt.Errorf(`log %s cannot be reached: %w; start one with "lambdakappa broker" or check --brokers`,
		strings.Join(l.cfg.Brokers, ","), err)
}
