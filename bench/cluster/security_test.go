package cluster_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/cluster"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/eventlog/logtest"
)

// secret must never be in an error.
const secret = "s3cret"

// startSecured starts a node whose clients come over TLS, say who they are, and may do what they are
// allowed to. The user admin may do everything.
func startSecured(t *testing.T, ca *logtest.Authority) *cluster.Cluster {
	t.Helper()
	cert, key := ca.Sign(t, nil)
	cfg := cluster.DefaultConfig()
	cfg.Dir, cfg.Jars, cfg.Nodes, cfg.HeapMiB = t.TempDir(), logtest.Jars(t), 1, 256
	const jaas = "org.apache.kafka.common.security."
	cfg.Properties = map[string]string{
		"listener.security.protocol.map": "PLAINTEXT:SASL_SSL,CONTROLLER:PLAINTEXT",
		"ssl.keystore.type":              "PEM", "ssl.keystore.location": joined(t, key, cert),
		"ssl.truststore.type": "PEM", "ssl.truststore.location": ca.File,

		"sasl.enabled.mechanisms":              "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
		"sasl.mechanism.inter.broker.protocol": "PLAIN",
		"listener.name.plaintext.plain.sasl.jaas.config": jaas + `plain.PlainLoginModule required ` +
			`username="admin" password="admin" user_admin="admin";`,
		"listener.name.plaintext.scram-sha-256.sasl.jaas.config": jaas + "scram.ScramLoginModule required;",
		"listener.name.plaintext.scram-sha-512.sasl.jaas.config": jaas + "scram.ScramLoginModule required;",

		"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users":           "User:admin;User:ANONYMOUS", // nobody else comes by the controllers' listener
	}
	cfg.Security = eventlog.Security{
		TLS: true, CAFile: ca.File, Mechanism: eventlog.Plain, User: "admin", Password: "admin",
	}
	c, err := cluster.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Stop(context.Background())) })
	return c
}

// joined is one file with the contents of others.
func joined(t *testing.T, files ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "joined.pem")
	var all []byte
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		all = append(all, text...)
	}
	require.NoError(t, os.WriteFile(path, all, 0o600))
	return path
}

// administer runs one of Kafka's tools as the user admin.
func administer(t *testing.T, c *cluster.Cluster, ca *logtest.Authority, class string, args ...string) {
	t.Helper()
	properties := filepath.Join(t.TempDir(), "admin.properties")
	require.NoError(t, os.WriteFile(properties, []byte(strings.Join([]string{
		"security.protocol=SASL_SSL", "sasl.mechanism=PLAIN", "ssl.truststore.type=PEM",
		"ssl.truststore.location=" + ca.File,
		"sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required " +
			`username="admin" password="admin";`,
	}, "\n")), 0o600))
	_, err := c.Tool(t.Context(), class, append([]string{
		"--bootstrap-server", strings.Join(c.Brokers(), ","), "--command-config", properties,
	}, args...)...)
	require.NoError(t, err)
}

// Ensure that on Apache Kafka, too, everybody is let in over TLS who has a right password and nobody else,
// that rights that are missing are named, and that those that are asked for are enough.
func TestSecuredCluster(t *testing.T) {
	ca, other := logtest.NewAuthority(t, "authority"), logtest.NewAuthority(t, "other")
	c := startSecured(t, ca)
	open := func(s eventlog.Security) (*eventlog.Log, error) {
		return eventlog.Open(t.Context(), eventlog.Config{Brokers: c.Brokers(), Security: s})
	}
	probe := func(s eventlog.Security) error {
		l, err := open(s)
		require.NoError(t, err)
		defer l.Close()
		return l.Probe(t.Context())
	}
	refused := func(want string, s eventlog.Security) {
		t.Helper()
		_, err := open(s)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), secret)
	}
	require.NoError(t, probe(eventlog.Security{
		TLS: true, CAFile: ca.File, Mechanism: eventlog.Plain, User: "admin", Password: "admin",
	}))
	const configs = "kafka.admin.ConfigCommand"
	for _, mechanism := range []string{eventlog.ScramSHA256, eventlog.ScramSHA512} {
		administer(t, c, ca, configs, "--alter", "--entity-type", "users", "--entity-name", "alice",
			"--add-config", mechanism+"=[password="+secret+"]")
	}
	alice := eventlog.Security{
		TLS: true, CAFile: ca.File, Mechanism: eventlog.ScramSHA512, User: "alice", Password: secret,
	}
	wrong := alice
	wrong.Password = "not " + secret
	refused("check user, password and mechanism", wrong)
	wrong = alice
	wrong.CAFile = other.File
	refused("give the certificate of the authority that has signed it", wrong)
	refused("cannot be reached", eventlog.Security{})

	err := probe(alice)
	require.ErrorContains(t, err, "create topics (every topic is created by who writes it: allow CREATE on topics)")
	require.NotContains(t, err.Error(), secret)
	requireFound(t, c, ca, alice)
	administer(t, c, ca, "org.apache.kafka.tools.AclCommand", "--add", "--allow-principal", "User:alice",
		"--operation", "All", "--topic", "*", "--group", "*", "--transactional-id", "*", "--cluster")
	for _, mechanism := range []string{eventlog.ScramSHA256, eventlog.ScramSHA512} {
		alice.Mechanism = mechanism
		require.NoError(t, probe(alice))
	}
}

// requireFound requires that somebody who may not create topics goes on with one that somebody else has created, and with no other.
func requireFound(t *testing.T, c *cluster.Cluster, ca *logtest.Authority, user eventlog.Security) {
	t.Helper()
	as := func(s eventlog.Security) *eventlog.Log {
		l, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: c.Brokers(), Security: s})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, l.Close()) })
		return l
	}
	found := eventlog.TopicSpec{Name: "found", Partitions: 2}
	admin := eventlog.Security{TLS: true, CAFile: ca.File, Mechanism: eventlog.Plain, User: "admin", Password: "admin"}
	require.NoError(t, as(admin).CreateTopics(t.Context(), found))
	administer(t, c, ca, "org.apache.kafka.tools.AclCommand", "--add", "--allow-principal", "User:"+user.User,
		"--operation", "Describe", "--topic", "found")
	l := as(user)
	require.NoError(t, l.CreateTopics(t.Context(), found))
	found.Partitions = 3
	require.ErrorContains(t, l.CreateTopics(t.Context(), found), "2 partitions, not 3")
	require.Error(t, l.CreateTopics(t.Context(), eventlog.TopicSpec{Name: "nowhere", Partitions: 1}))
}
