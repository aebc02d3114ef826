package eventlog_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/eventlog/logtest"
)

// secret must never be in an error.
const secret = "s3cret-ä\"\\"

// securedBroker returns the address of a broker with these options.
func securedBroker(t *testing.T, options ...kfake.Opt) string {
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, options...)...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c.ListenAddrs()[0]
}

// refusingBroker returns the address of a broker that answers, as Apache Kafka does, that it does not take
// the credentials. The embedded one just hangs up.
func refusingBroker(t *testing.T, options ...kfake.Opt) string {
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, options...)...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		answer := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		answer.ErrorCode = kerr.SaslAuthenticationFailed.Code
		return answer, nil, true
	})
	return c.ListenAddrs()[0]
}

func withTLS(t *testing.T, cert, key string, clients *x509.CertPool) kfake.Opt {
	pair, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	cfg := &tls.Config{Certificates: []tls.Certificate{pair}}
	if clients != nil {
		cfg.ClientAuth, cfg.ClientCAs = tls.RequireAndVerifyClientCert, clients
	}
	return kfake.TLS(cfg)
}

// requireWorks uses every kind of connection: both clients', and our own.
func requireWorks(t *testing.T, addr string, s eventlog.Security) {
	t.Helper()
	l, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: []string{addr}, Security: s})
	require.NoError(t, err)
	defer l.Close()
	require.NoError(t, l.Probe(t.Context()))
}

// Ensure that all clients authenticate by every mechanism, over TLS and without it, and with a client
// certificate.
func TestSecuredBrokers(t *testing.T) {
	ca := logtest.NewAuthority(t, "authority")
	cert, key := ca.Sign(t, nil)
	mine, myKey := ca.Sign(t, nil)
	for _, mechanism := range []string{eventlog.Plain, eventlog.ScramSHA256, eventlog.ScramSHA512} {
		s := eventlog.Security{Mechanism: mechanism, User: "alice", Password: secret}
		sasl := []kfake.Opt{kfake.EnableSASL(), kfake.Superuser(mechanism, "alice", secret)}
		t.Run(mechanism, func(t *testing.T) {
			requireWorks(t, securedBroker(t, sasl...), s)
		})
		t.Run(mechanism+" over TLS", func(t *testing.T) {
			s.TLS, s.CAFile = true, ca.File
			requireWorks(t, securedBroker(t, append(sasl, withTLS(t, cert, key, nil))...), s)
		})
	}
	t.Run("client certificate", func(t *testing.T) {
		addr := securedBroker(t, withTLS(t, cert, key, ca.Pool()))
		requireWorks(t, addr, eventlog.Security{TLS: true, CAFile: ca.File, CertFile: mine, KeyFile: myKey})
	})
	t.Run("another name", func(t *testing.T) {
		cert, key := ca.Sign(t, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"kafka.example"} })
		addr := securedBroker(t, withTLS(t, cert, key, nil))
		requireWorks(t, addr, eventlog.Security{TLS: true, CAFile: ca.File, ServerName: "kafka.example"})
	})
}

// Ensure that whoever is not trusted is told why and what to do, at once, without a secret.
func TestDistrust(t *testing.T) {
	ca, other := logtest.NewAuthority(t, "authority"), logtest.NewAuthority(t, "other")
	cert, key := ca.Sign(t, nil)
	expired, expiredKey := ca.Sign(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	named, namedKey := ca.Sign(t, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"kafka.example"} })
	stranger, strangerKey := other.Sign(t, nil)
	sasl := []kfake.Opt{kfake.EnableSASL(), kfake.Superuser(eventlog.ScramSHA256, "alice", secret)}
	alice := eventlog.Security{Mechanism: eventlog.ScramSHA256, User: "alice", Password: secret}
	f := func(want string, addr string, s eventlog.Security) {
		t.Helper()
		began := time.Now()
		_, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: []string{addr}, Security: s})
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), secret)
		require.Less(t, time.Since(began), 10*time.Second, "it was tried again and again")
	}
	authenticated := securedBroker(t, sasl...)
	wrong := alice
	wrong.Password = secret + "!"
	f("check user, password and mechanism", authenticated, wrong)
	wrong = alice
	wrong.User = "bob"
	f("as bob with SCRAM-SHA-256", authenticated, wrong)
	f("cannot be reached", authenticated, eventlog.Security{})
	f("as alice with SCRAM-SHA-256: [58] SASL Authentication Failed", refusingBroker(t, sasl...), alice)

	over := func(cert, key string, clients *x509.CertPool) string {
		return securedBroker(t, withTLS(t, cert, key, clients))
	}
	f("give the certificate of the authority that has signed it", over(cert, key, nil), eventlog.Security{TLS: true, CAFile: other.File})
	f("it has to be renewed", over(expired, expiredKey, nil), eventlog.Security{TLS: true, CAFile: ca.File})
	f("name the server that it is for", over(named, namedKey, nil), eventlog.Security{TLS: true, CAFile: ca.File})
	f("is this the plain-text listener?", securedBroker(t), eventlog.Security{TLS: true, CAFile: ca.File})
	f("tls:", over(cert, key, ca.Pool()), eventlog.Security{TLS: true, CAFile: ca.File})
	f("tls:", over(cert, key, ca.Pool()), eventlog.Security{TLS: true, CAFile: ca.File, CertFile: stranger, KeyFile: strangerKey})
	f("cannot be reached", over(cert, key, nil), eventlog.Security{})
}

// Ensure that what cannot work is refused before anybody is dialled, and that no secret is printed.
func TestSecurityRefusals(t *testing.T) {
	f := func(want string, s eventlog.Security) {
		t.Helper()
		_, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: []string{"127.0.0.1:1"}, Security: s})
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), secret)
	}
	f(`SASL mechanism "GSSAPI": takes PLAIN`, eventlog.Security{Mechanism: "GSSAPI", User: "a", Password: secret})
	f("a user needs a SASL mechanism", eventlog.Security{User: "a", Password: secret})
	f("takes a user and a password", eventlog.Security{Mechanism: eventlog.Plain, Password: secret})
	f("belong together", eventlog.Security{TLS: true, CertFile: "cert.pem"})
	f("takes TLS to the brokers", eventlog.Security{CertFile: "cert.pem", KeyFile: "key.pem"})
	f("no such file", eventlog.Security{TLS: true, CAFile: filepath.Join(t.TempDir(), "none.pem")})
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	f("holds no certificate in PEM", eventlog.Security{TLS: true, CAFile: empty})

	s := eventlog.Security{TLS: true, Mechanism: eventlog.Plain, User: "alice", Password: secret, RegistryPassword: secret}
	for _, format := range []string{"%v", "%+v", "%s", "%#v"} {
		require.NotContains(t, fmt.Sprintf(format, s), secret)
		require.NotContains(t, fmt.Sprintf(format, eventlog.Config{Security: s}), secret)
	}
	require.Equal(t, "TLS, PLAIN as alice", s.String())
}

// Ensure that a registry is asked with its own user, over TLS.
func TestSecuredRegistry(t *testing.T) {
	b := startBroker(t)
	var asked string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "carol" || password != secret {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		asked = r.URL.Path
		fmt.Fprint(w, `{"id":7}`)
	}))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	logtest.WritePEM(t, ca, "CERTIFICATE", server.Certificate().Raw)
	register := func(s eventlog.Security) error {
		l, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: []string{b.Addr()}, Registry: server.URL, Security: s})
		require.NoError(t, err)
		defer l.Close()
		id, err := l.RegisterSchema(t.Context(), "cars-value", `"string"`)
		if err == nil {
			require.EqualValues(t, 7, id)
		}
		return err
	}
	require.NoError(t, register(eventlog.Security{CAFile: ca, RegistryUser: "carol", RegistryPassword: secret}))
	require.Contains(t, asked, "cars-value")
	err := register(eventlog.Security{CAFile: ca, RegistryUser: "carol", RegistryPassword: "wrong"})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "wrong")
	require.ErrorContains(t, register(eventlog.Security{}), "certificate")
}
