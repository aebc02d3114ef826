package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lambdakappa/bench/cluster"
)

func (a *app) kafka() *cobra.Command {
	c := a.group("kafka", "A real Apache Kafka on this machine, without Docker", a.kafkaUp(), a.kafkaRun(), a.kafkaDown(), a.kafkaStatus())
	c.Long = `Run a real Apache Kafka on this machine: KRaft nodes on loopback, from the published jars, with Java 17
or later. 'make kafka-up' fetches the jars first; 'make kafka-jars' only fetches them.`
	c.Example = `  lambdakappa kafka up --jars .kafka/jars
  lambdakappa bench --brokers 127.0.0.1:19092,127.0.0.1:19094,127.0.0.1:19096
  lambdakappa kafka down`
	return c
}

// kafkaDir is where a cluster lives when nobody says otherwise.
const kafkaDir = ".kafka/cluster"

func (a *app) kafkaUp() *cobra.Command {
	cfg := cluster.DefaultConfig()
	cfg.Detached = true
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
			_, err := a.startCluster(c, cfg)
			return err
		},
	}
	addCluster(c.Flags(), &cfg)
	return c
}

func (a *app) kafkaRun() *cobra.Command {
	cfg := cluster.DefaultConfig()
	cfg.Links = true
	c := &cobra.Command{
		Use:   "run",
		Short: "Run the cluster until Ctrl-C, with a network between its nodes that can be cut",
		Long: `Run the cluster until Ctrl-C, then stop it and delete its data. This process carries what the nodes say to
each other, so a scenario can cut one of them off (broker-cut), which it cannot with 'kafka up'.`,
		Example: `  lambdakappa kafka run
  lambdakappa bench --cluster .kafka/cluster --scenario my-question.yaml`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			k, err := a.startCluster(c, cfg)
			if err != nil {
				return err
			}
			<-c.Context().Done()
			ctx := context.WithoutCancel(c.Context())
			// By the folder first: a scenario has killed nodes and started others, of which k does not know, and it writes down what
			// it knows.
			return errors.Join(cluster.StopAll(ctx, cfg.Dir, true), k.Stop(ctx), cluster.StopAll(ctx, cfg.Dir, false))
		},
	}
	addCluster(c.Flags(), &cfg)
	return c
}

// addCluster adds the flags of a cluster that is started.
func addCluster(flags *pflag.FlagSet, cfg *cluster.Config) {
	cfg.Dir, cfg.Port = kafkaDir, 19092
	flags.StringVar(&cfg.Dir, "dir", cfg.Dir, "`folder` for data and logs, created when missing")
	flags.StringVar(&cfg.Jars, "jars", ".kafka/jars", "`folder` with Kafka's jars")
	flags.StringVar(&cfg.Java, "java", "", "`program`; by default that of JAVA_HOME, or else on the PATH")
	flags.IntVar(&cfg.Nodes, "nodes", cfg.Nodes, "number of nodes, each broker and controller")
	flags.IntVar(&cfg.Port, "port", cfg.Port,
		"port of the first node; its controller takes the next one, the other nodes those after; 0 takes free ones")
	flags.BoolVar(&cfg.Tiered, "tiered", false, "give it a second tier, a folder, for topics with remote.storage.enable")
	flags.IntVar(&cfg.HeapMiB, "heap", cfg.HeapMiB, "`MiB` of each node")
}

// startCluster starts a cluster and says where it is.
func (a *app) startCluster(c *cobra.Command, cfg cluster.Config) (*cluster.Cluster, error) {
	if err := asMade(c.Flags(), cfg); err != nil {
		return nil, err
	}
	k, err := cluster.Start(c.Context(), cfg)
	if err != nil {
		return nil, err
	}
	brokers := strings.Join(k.Brokers(), ",")
	a.notify()("ready", "brokers", brokers)
	fmt.Fprintf(a.stderr, "make bench BROKERS=%s\n", brokers)
	return k, nil
}

// asMade refuses flags that a cluster which is there already cannot follow any more.
func asMade(flags *pflag.FlagSet, cfg cluster.Config) error {
	k, err := cluster.Find(cfg.Dir)
	if err != nil {
		return nil // there is none
	}
	voters := 0
	for _, n := range k.Nodes() {
		if n.Voter {
			voters++
		}
	}
	how := ""
	switch {
	case cfg.Tiered && !k.Tiered():
		how = "without a second tier"
	case cfg.Links && k.Nodes()[0].LinkPort == 0:
		how = "without links between its nodes"
	case cfg.Detached && k.Nodes()[0].LinkPort > 0:
		how = "with links between its nodes, which 'lambdakappa kafka run' carries"
	case flags.Changed("nodes") && cfg.Nodes != voters:
		how = fmt.Sprintf("with %d nodes", voters)
	case flags.Changed("port") && cfg.Port != 0 && cfg.Port != k.Nodes()[0].Port:
		how = fmt.Sprintf("with port %d", k.Nodes()[0].Port)
	default:
		return nil
	}
	return fmt.Errorf("the cluster in %s was made %s: take it down first (lambdakappa kafka down --dir %[1]s)", cfg.Dir, how)
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
