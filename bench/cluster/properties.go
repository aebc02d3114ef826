package cluster

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// properties is the server.properties of a node.
//
// What the answers depend on is spelled out: three copies, two of them acknowledged, no topic that
// nobody created. Beyond that Kafka's own defaults hold, but for the sizes of its two internal topics
// (50 partitions each would mean 300 files on a laptop), the wait before a group's first rebalance, which
// is good for nothing where all members start within a second, the least session timeout, so that
// tests that kill need not wait for 6 s each time, and how often the nodes look what they may forget and
// compact, so that runs of a minute see it.
func (c *Cluster) properties(n *Node) string {
	copies := min(3, c.cfg.Nodes)
	all := map[string]string{
		"node.id":                        fmt.Sprint(n.ID),
		"process.roles":                  n.roles(),
		"controller.quorum.voters":       c.voters(),
		"controller.listener.names":      "CONTROLLER",
		"inter.broker.listener.name":     n.interBroker(),
		"listener.security.protocol.map": n.protocols(),
		"listeners":                      n.listeners(n.InternalPort, n.ControllerPort),
		"advertised.listeners":           n.advertised(),
		"log.dirs":                       filepath.ToSlash(filepath.Join(c.nodeDir(n), "data")),

		"auto.create.topics.enable":      "false",
		"default.replication.factor":     fmt.Sprint(copies),
		"min.insync.replicas":            fmt.Sprint(acknowledged(copies)),
		"unclean.leader.election.enable": "false",

		"offsets.topic.num.partitions":             "8",
		"offsets.topic.replication.factor":         fmt.Sprint(copies),
		"transaction.state.log.num.partitions":     "8",
		"transaction.state.log.replication.factor": fmt.Sprint(copies),
		"transaction.state.log.min.isr":            fmt.Sprint(acknowledged(copies)),
		"log.initial.task.delay.ms":                "1000",
		"log.retention.check.interval.ms":          "1000",
		"log.cleaner.backoff.ms":                   "1000",
		"group.initial.rebalance.delay.ms":         "0",
		"group.min.session.timeout.ms":             "1000",
	}
	if c.cfg.Tiered {
		maps.Copy(all, c.tiers(n, copies))
	}
	maps.Copy(all, c.cfg.Properties)
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&text, "%s=%s\n", key, all[key])
	}
	return text.String()
}

// tiers are the settings of a second tier in a folder that all nodes share, and that they look at every second.
func (c *Cluster) tiers(n *Node, copies int) map[string]string {
	return map[string]string{
		"remote.log.storage.system.enable":                         "true",
		"remote.log.storage.manager.class.name":                    "org.apache.kafka.server.log.remote.storage.LocalTieredStorage",
		"remote.log.storage.manager.impl.prefix":                   "tier.",
		"tier.dir":                                                 filepath.ToSlash(c.TierDir()),
		"remote.log.metadata.manager.listener.name":                n.interBroker(),
		"remote.log.manager.task.interval.ms":                      "1000",
		"rlmm.config.remote.log.metadata.topic.replication.factor": fmt.Sprint(copies),
		"rlmm.config.remote.log.metadata.topic.num.partitions":     "8",
	}
}

// acknowledged is how many copies an acknowledgement takes: one may be away, where there are three.
func acknowledged(copies int) int { return max(1, copies-1) }

// voters are the controllers, which are known from the start.
func (c *Cluster) voters() string {
	var all []string
	for _, n := range c.nodes {
		if n.Voter {
			all = append(all, fmt.Sprintf("%d@%s:%d", n.ID, host, cmp.Or(n.ControllerLinkPort, n.ControllerPort)))
		}
	}
	return strings.Join(all, ",")
}

func (n *Node) roles() string {
	if n.Voter {
		return "broker,controller"
	}
	return "broker"
}

// interBroker is the listener for the other nodes: that for clients, where there are no links.
func (n *Node) interBroker() string {
	if n.InternalPort > 0 {
		return "INTERNAL"
	}
	return "PLAINTEXT"
}

func (n *Node) protocols() string {
	all := "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
	if n.InternalPort > 0 {
		all += ",INTERNAL:PLAINTEXT"
	}
	return all
}

// advertised is how the node is known: to clients by its own address, to other nodes by its links.
func (n *Node) advertised() string {
	if n.InternalPort == 0 {
		return "PLAINTEXT://" + n.Addr()
	}
	return n.listeners(n.LinkPort, n.ControllerLinkPort)
}

func (n *Node) listeners(internal, controller int) string {
	all := "PLAINTEXT://" + n.Addr()
	if internal > 0 {
		all += ",INTERNAL://" + address(internal)
	}
	if controller > 0 {
		all += ",CONTROLLER://" + address(controller)
	}
	return all
}
