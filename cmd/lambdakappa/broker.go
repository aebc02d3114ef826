package main

import (
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"lambdakappa/internal/eventlog"
)

const maxPort = 65535

func (a *app) broker() *cobra.Command {
	var cfg eventlog.BrokerConfig
	c := &cobra.Command{
		Use:   "broker --dir DIR",
		Short: "Run the embedded broker, with a schema registry",
		Long: `Run the embedded broker (kfake, a Kafka-protocol broker for tests) with a schema registry, both on
loopback, with their data in a folder. It prints its addresses on stdout once it is up:

  {"time":"…","event":"ready","addr":"127.0.0.1:34567","registry":"http://127.0.0.1:34568"}`,
		Example: `  lambdakappa broker --dir /tmp/log
  lambdakappa broker --dir /tmp/log --port 9092 --registry-port 8081

  # for hours: topics are compacted, and lose what their retention lets go
  lambdakappa broker --dir /tmp/log --port 9092 --registry-port 8081 --housekeeping 1m`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if cfg.Dir == "" {
				return usagef("--dir is missing: give the folder for the broker's data")
			}
			if max(cfg.Port, cfg.RegistryPort) > maxPort || min(cfg.Port, cfg.RegistryPort) < 0 {
				return usagef("--port and --registry-port take a port from 0 to %d", maxPort)
			}
			if cfg.Housekeeping < 0 {
				return usagef("--housekeeping %s: must not be negative; 0 is never", cfg.Housekeeping)
			}
			return a.runBroker(c, cfg)
		},
	}
	c.Flags().StringVar(&cfg.Dir, "dir", "", "`folder` for the data, created when missing (required)")
	c.Flags().IntVar(&cfg.Port, "port", 0, "`port` of the broker; 0 takes a free one")
	c.Flags().IntVar(&cfg.RegistryPort, "registry-port", 0,
		"`port` of the schema registry; 0 takes a free one")
	c.Flags().DurationVar(&cfg.Housekeeping, "housekeeping", 0,
		"compact topics and apply their retention this often; appends wait meanwhile; 0 is never")
	return c
}

func (a *app) runBroker(c *cobra.Command, cfg eventlog.BrokerConfig) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(eventlog.BrokerGCPercent)
	}
	cfg.Notify = a.notify()
	b, err := eventlog.StartBroker(cfg)
	if err != nil {
		return err
	}
	cfg.Notify("ready", "addr", b.Addr(), "registry", b.RegistryURL())
	<-c.Context().Done()
	return b.Close()
}

func (a *app) registry() *cobra.Command {
	var cfg eventlog.RegistryConfig
	c := &cobra.Command{
		Use:   "registry --dir DIR",
		Short: "Run the embedded schema registry alone, for a Kafka that has none",
		Long: `Run the embedded schema registry (srfake, which speaks Confluent's API) on loopback, with its data in a
folder: for a Kafka cluster without one. 'bench --brokers' starts one by itself. It prints its address on
stdout once it is up:

  {"time":"…","event":"ready","registry":"http://127.0.0.1:34568"}`,
		Example: `  lambdakappa registry --dir /tmp/schemas
  lambdakappa registry --dir /tmp/schemas --port 8081`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if cfg.Dir == "" {
				return usagef("--dir is missing: give the folder for the registry's data")
			}
			if cfg.Port < 0 || cfg.Port > maxPort {
				return usagef("--port takes a port from 0 to %d", maxPort)
			}
			r, err := eventlog.StartRegistry(cfg)
			if err != nil {
				return err
			}
			a.notify()("ready", "registry", r.URL())
			<-c.Context().Done()
			return r.Close()
		},
	}
	c.Flags().StringVar(&cfg.Dir, "dir", "", "`folder` for the data, created when missing (required)")
	c.Flags().IntVar(&cfg.Port, "port", 0, "`port` to listen on; 0 takes a free one")
	return c
}
