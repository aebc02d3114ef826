// Package cluster runs a real Apache Kafka on this machine, without Docker: KRaft nodes on loopback
// from the published jars, each a Java process of its own, which can be killed, made to stand still
// and started again.
//
// In what Kafka promises it is a cluster: topics are replicated over the nodes, an acknowledgement is
// one of all in-sync replicas, leaders and controllers are elected, transactions are atomic. In what
// it costs it is none: all nodes share one machine's cores, memory and disk, and a network that loses
// nothing.
//
// The jars come from Maven (pom.xml beside this file), or are the libs folder of a release of Apache
// Kafka. Java 17 or later is needed.
package cluster
