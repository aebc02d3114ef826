package eventlog

// BrokerConfig configures the embedded broker.
type BrokerConfig struct {
	Dir          string // data; created when missing
	Port         int    // Kafka protocol; 0 takes a free one
	RegistryPort int    // schema registry; 0 takes a free one
}

// A Broker is the embedded broker (franz-go's kfake) with a schema registry, on loopback.
type Broker struct{}

// StartBroker starts a broker on what Dir holds.
func StartBroker(cfg BrokerConfig) (*Broker, error) { panic("unwritten") }

// Addr is the broker's host:port.
func (b *Broker) Addr() string { panic("unwritten") }

// RegistryURL is the schema registry's base URL.
func (b *Broker) RegistryURL() string { panic("unwritten") }

// Close stops the broker; acknowledged data is on disk.
func (b *Broker) Close() error { panic("unwritten") }
