package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"lambdakappa/internal/eventlog"
)

// secured is what flags say under an environment of its own.
func secured(t *testing.T, args ...string) (eventlog.Security, *securityFlags, error) {
	t.Helper()
	f := &securityFlags{}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.add(flags)
	require.NoError(t, flags.Parse(args))
	s, err := f.security()
	return s, f, err
}

func clientProperties(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "client.properties")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// Ensure that a file is read as Kafka's own tools read it, as Java writes it and as C does.
func TestClientProperties(t *testing.T) {
	want := eventlog.Security{
		TLS: true, CAFile: "/etc/ca.pem", Mechanism: eventlog.ScramSHA512, User: "alice", Password: `p"a${ss}\`,
		RegistryUser: "carol", RegistryPassword: "a:b",
	}
	java := clientProperties(t, `
# comments are no settings
bootstrap.servers=kafka-1:9093
security.protocol=SASL_SSL
sasl.mechanism: SCRAM-SHA-512
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
    username="alice" \
    password="p\\"a${ss}\\\\";
ssl.truststore.type=PEM
ssl.truststore.location=/etc/ca.pem
basic.auth.user.info=carol:a:b
acks=all
`)
	s, _, err := secured(t, "--client-properties", java)
	require.NoError(t, err)
	require.Equal(t, want, s)

	c := clientProperties(t, `
security.protocol=SASL_SSL
sasl.mechanism=SCRAM-SHA-512
sasl.username=alice
sasl.password=p"a${ss}\\
ssl.ca.location=/etc/ca.pem
schema.registry.basic.auth.user.info=carol:a:b
`)
	s, _, err = secured(t, "--client-properties", c)
	require.NoError(t, err)
	require.Equal(t, want, s)

	open := clientProperties(t, "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.username=alice\nsasl.password=a${b\n")
	s, _, err = secured(t, "--client-properties", open)
	require.NoError(t, err)
	require.Equal(t, "a${b", s.Password)
}

// Ensure that flags are before the environment and the environment before a file, and that a process that
// is started is told the same without a secret.
func TestWhoDecides(t *testing.T) {
	file := clientProperties(t, "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.username=file\nsasl.password=in-file\n")
	t.Setenv(propertiesEnv, file)
	s, _, err := secured(t)
	require.NoError(t, err)
	require.Equal(t, eventlog.Security{Mechanism: "PLAIN", User: "file", Password: "in-file"}, s)

	t.Setenv(userEnv, "env")
	t.Setenv(passwordEnv, "in-env")
	t.Setenv(registryInfoEnv, "carol:secret")
	s, f, err := secured(t, "--tls", "--ca", "ca.pem", "--sasl", "SCRAM-SHA-256")
	require.NoError(t, err)
	require.Equal(t, eventlog.Security{
		TLS: true, CAFile: "ca.pem", Mechanism: "SCRAM-SHA-256", User: "env", Password: "in-env",
		RegistryUser: "carol", RegistryPassword: "secret",
	}, s)
	args := f.args()
	require.Equal(t, []string{"--client-properties", file, "--ca", "ca.pem", "--sasl", "SCRAM-SHA-256", "--tls"}, args)
	again, _, err := secured(t, args...)
	require.NoError(t, err)
	require.Equal(t, s, again)

	t.Setenv(propertiesEnv, "")
	s, _, err = secured(t)
	require.NoError(t, err)
	require.Empty(t, s.User, "without a mechanism nobody is asked who they are")
}

// Ensure that what would not be kept is an error, which names file and key.
func TestClientPropertiesRefusals(t *testing.T) {
	f := func(want, text string) {
		t.Helper()
		file := clientProperties(t, text)
		_, _, err := secured(t, "--client-properties", file)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, file)
		require.NotContains(t, err.Error(), "s3cret")
	}
	f("ssl.endpoint.identification.algorithm: is not known here and would not be kept", "ssl.endpoint.identification.algorithm=\n")
	f(`security.protocol: "TLS" is none of PLAINTEXT, SSL`, "security.protocol=TLS\n")
	f("ssl.truststore.type: JKS cannot be read here: turn it into PEM", "ssl.truststore.type=JKS\n")
	f(`sasl.jaas.config: takes`, "sasl.jaas.config=Module required username=\"a\" password='s3cret';\n")
	f("sasl.mechanism says who asks, and security.protocol PLAINTEXT does not",
		"sasl.mechanism=PLAIN\nsasl.username=a\nsasl.password=s3cret\n")
	f("security.protocol SSL does not", "security.protocol=SSL\nsasl.mechanism=PLAIN\nsasl.password=s3cret\n")
	f("basic.auth.user.info: takes user:password", "basic.auth.user.info=s3cret\n")
	_, _, err := secured(t, "--client-properties", filepath.Join(t.TempDir(), "none"))
	require.ErrorContains(t, err, "no such file")

	t.Setenv(registryInfoEnv, "s3cret")
	_, _, err = secured(t)
	require.ErrorContains(t, err, registryInfoEnv+": takes user:password")
}

// Ensure that whoever a cluster does not trust, or allows too little, ends with 1, and is told what is
// missing and no secret: the driver before it has started anything, and a component.
func TestRefusedByTheCluster(t *testing.T) {
	const secret = "s3cret"
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.EnableACLs(),
		kfake.Superuser(eventlog.ScramSHA256, "root", "root"), kfake.User(eventlog.ScramSHA256, "alice", secret))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	f := func(want, password string, args ...string) {
		t.Helper()
		t.Setenv(userEnv, "alice")
		t.Setenv(passwordEnv, password)
		done := do(t, append(args, "--brokers", c.ListenAddrs()[0], "--sasl", eventlog.ScramSHA256)...)
		require.Equal(t, 1, done.code)
		require.Contains(t, done.stderr, want)
		require.NotContains(t, done.stdout+done.stderr, password)
	}
	out := t.TempDir()
	bench := []string{"bench", "--scenario", "settled", "--out", out}
	f("create topics (every topic is created by who writes it: allow CREATE on topics)", secret, bench...)
	f("check user, password and mechanism", "wr0ng-"+secret, bench...)
	process := []string{"kappa", "process", "--schema-registry", "http://127.0.0.1:1"}
	f("uthorization", secret, process...)
	f("check user, password and mechanism", "wr0ng-"+secret, process...)
	left, err := os.ReadDir(out)
	require.NoError(t, err)
	require.Empty(t, left, "a run that was refused left a folder")
}
