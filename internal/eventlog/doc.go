// Package eventlog is the replayable log: the only place that knows a Kafka client.
package eventlog
