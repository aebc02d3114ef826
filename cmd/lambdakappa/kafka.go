package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lambdakappa/bench/cluster"
)

func (a *app) kafka() *cobra.Command {
	c := a.group("kafka", "A real Apache Kafka on this machine, without Docker", a.kafkaUp(), a.kafkaDown(), a.kafkaStatus())
	c.Long = `Run a real Apache Kafka on this machine: KRaft nodes on loopback, from the published jars, with Java 17
or later. 'make kafka-up' and 'make kafka-down' fetch the jars first.`
	c.Example = `  lambdakappa kafka up --jars .kafka/jars
  lambdakappa bench --brokers 127.0.0.1:19092,127.0.0.1:19094,127.0.0.1:19096
  lambdakappa kafka down`
	return c
}

// kafkaDir is where a cluster lives when nobody says otherwise.
const kafkaDir = ".kafka/cluster"

func (a *app) kafkaUp() *cobra.Command {
	cfg := cluster.DefaultConfig()
	cfg.Dir, cfg.Port, cfg.Detached = kafkaDir, 19092, true
	c := &cobra.Command{
		Use:   "up",
		Short: "Start the cluster and leave it running",
		Long: `Start the cluster and leave it running. It prints its brokers on stdout once all of it serves:

  {"time":"…","event":"ready","brokers":"127.0.0.1:19092,127.0.0.1:19094,127.0.0.1:19096"}

A cluster that was stopped with its data goes on with it; nodes that run already are left as they are.`,
		Example: `  lambdakappa kafka up --jars .kafka/jars
  lambdakappa kafka up --jars kafka_2.13-4.3.1/libs --nodes 1 --dir /tmp/kafka`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			k, err := cluster.Start(c.Context(), cfg)
			if err != nil {
				return err
			}
			brokers := strings.Join(k.Brokers(), ",")
			a.notify()("ready", "brokers", brokers)
			fmt.Fprintf(a.stderr, "make bench BROKERS=%s\n", brokers)
			return nil
		},
	}
	c.Flags().StringVar(&cfg.Dir, "dir", cfg.Dir, "`folder` for data and logs, created when missing")
	c.Flags().StringVar(&cfg.Jars, "jars", ".kafka/jars", "`folder` with Kafka's jars")
	c.Flags().StringVar(&cfg.Java, "java", "", "`program`; by default that of JAVA_HOME, or else on the PATH")
	c.Flags().IntVar(&cfg.Nodes, "nodes", cfg.Nodes, "of the cluster, each broker and controller")
	c.Flags().IntVar(&cfg.Port, "port", cfg.Port, "of the first node, with one more for its controller; the others follow; 0 takes free ones")
	c.Flags().IntVar(&cfg.HeapMiB, "heap", cfg.HeapMiB, "`MiB` of each node")
	return c
}

func (a *app) kafkaDown() *cobra.Command {
	dir, keep := kafkaDir, false
	c := &cobra.Command{
		Use:   "down",
		Short: "Stop the cluster and delete its data",
		Example: `  lambdakappa kafka down
  lambdakappa kafka down --keep`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return cluster.StopAll(context.WithoutCancel(c.Context()), dir, keep)
		},
	}
	c.Flags().StringVar(&dir, "dir", dir, "`folder` of the cluster")
	c.Flags().BoolVar(&keep, "keep", false, "keep the data for the next 'up'")
	return c
}

func (a *app) kafkaStatus() *cobra.Command {
	dir := kafkaDir
	c := &cobra.Command{
		Use:     "status",
		Short:   "Say which nodes run, and where",
		Example: `  lambdakappa kafka status`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			k, err := cluster.Find(dir)
			if err != nil {
				return err
			}
			for _, n := range k.Nodes() {
				how := "down"
				if n.Running() {
					how = fmt.Sprintf("process %d, since %s", n.PID, time.UnixMilli(n.Born).UTC().Format(time.RFC3339))
				}
				fmt.Fprintf(a.stdout, "%s  %s  %s  log %s\n", n.Name(), n.Addr(), how, n.Log())
			}
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", dir, "`folder` of the cluster")
	return c
}
