package eventlog

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Security is how a cluster and its registry are to be trusted, and are told who asks. The zero value
// is plain text, and nobody. Secrets are never part of an error.
type Security struct {
	TLS        bool   // to the brokers
	CAFile     string // PEM; "" are the authorities that the system trusts
	CertFile   string // PEM of a client certificate, with KeyFile; "" is none
	KeyFile    string
	ServerName string // that the brokers' certificates are for, where it is not their address

	Mechanism string // of SASL: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; "" is none
	User      string
	Password  string

	RegistryUser     string // of basic authentication; "" is none
	RegistryPassword string
}

// The mechanisms of SASL.
const (
	Plain       = "PLAIN"
	ScramSHA256 = "SCRAM-SHA-256"
	ScramSHA512 = "SCRAM-SHA-512"
)

func (s *Security) validate() error {
	switch {
	case s.Mechanism != "" && s.Mechanism != Plain && s.Mechanism != ScramSHA256 && s.Mechanism != ScramSHA512:
		return fmt.Errorf("log: SASL mechanism %q: takes %s, %s or %s", s.Mechanism, Plain, ScramSHA256, ScramSHA512)
	case s.Mechanism == "" && (s.User != "" || s.Password != ""):
		return errors.New("log: a user needs a SASL mechanism: " + Plain + ", " + ScramSHA256 + " or " + ScramSHA512)
	case s.Mechanism != "" && (s.User == "" || s.Password == ""):
		return fmt.Errorf("log: SASL mechanism %s takes a user and a password", s.Mechanism)
	case (s.CertFile == "") != (s.KeyFile == ""):
		return errors.New("log: a client certificate and its key belong together: give both files")
	case !s.TLS && (s.CertFile != "" || s.ServerName != ""):
		return errors.New("log: a client certificate or a server name takes TLS to the brokers")
	}
	_, err := s.tlsConfig()
	return err
}

// String says how, and never with which secrets.
func (s Security) String() string {
	how := "PLAINTEXT"
	if s.TLS {
		how = "TLS"
	}
	if s.Mechanism != "" {
		how += ", " + s.Mechanism + " as " + s.User
	}
	return how
}

// GoString keeps the secrets out of %#v, and of whatever prints a structure that this is a part of.
func (s Security) GoString() string { return s.String() }

// tlsConfig reads the files; nil when nothing asks for TLS.
func (s *Security) tlsConfig() (*tls.Config, error) {
	if !s.TLS && s.CAFile == "" {
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.ServerName}
	if s.CAFile != "" {
		pem, err := os.ReadFile(s.CAFile)
		if err != nil {
			return nil, fmt.Errorf("log: certificates of authorities: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("log: certificates of authorities: %s holds no certificate in PEM", s.CAFile)
		}
	}
	if s.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("log: client certificate: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

// An untrusted error is one that no second try mends: one of the two does not trust the other.
type untrusted struct{ err error }

func (u *untrusted) Error() string { return u.err.Error() }
func (u *untrusted) Unwrap() error { return u.err }

// secure makes a new connection to the broker at addr one that both sides trust. It closes the
// connection when it fails.
func (s *Security) secure(ctx context.Context, conn net.Conn, addr string) (net.Conn, error) {
	secured, err := s.handshakes(ctx, conn, addr)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secured, nil
}

func (s *Security) handshakes(ctx context.Context, conn net.Conn, addr string) (net.Conn, error) {
	deadline := time.Now().Add(dialTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	if s.TLS {
		encrypted, err := s.encrypt(ctx, conn, addr)
		if err != nil {
			return nil, err
		}
		conn = encrypted
	}
	if s.Mechanism != "" {
		if err := s.authenticate(ctx, conn, addr); err != nil {
			return nil, err
		}
	}
	return conn, conn.SetDeadline(time.Time{})
}

func (s *Security) encrypt(ctx context.Context, conn net.Conn, addr string) (net.Conn, error) {
	cfg, err := s.tlsConfig()
	if err != nil {
		return nil, err
	}
	if cfg.ServerName == "" {
		if cfg.ServerName, _, err = net.SplitHostPort(addr); err != nil {
			return nil, err
		}
	}
	encrypted := tls.Client(conn, cfg)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		return nil, explainTLS(addr, err)
	}
	return encrypted, nil
}

// explainTLS says which of the two does not trust the other, and what to do.
func explainTLS(addr string, err error) error {
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var record tls.RecordHeaderError
	hint := ""
	switch {
	case errors.As(err, &authority):
		hint = "give the certificate of the authority that has signed it"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		hint = "it has to be renewed, or this machine's clock is wrong"
	case errors.As(err, &name):
		hint = "name the server that it is for"
	case errors.As(err, &record):
		hint = "it does not speak TLS: is this the plain-text listener?"
	case network(err): // to whoever does not speak TLS, a greeting is the length of a very long request
		return fmt.Errorf("TLS to %s: %w; is this the plain-text listener?", addr, err)
	default:
		hint = "does the broker want a client certificate?"
	}
	return &untrusted{fmt.Errorf("TLS to %s: %w; %s", addr, err, hint)}
}

// mechanism of the library, with the credentials.
func (s *Security) mechanism() sasl.Mechanism {
	switch s.Mechanism {
	case Plain:
		return plain.Auth{User: s.User, Pass: s.Password}.AsMechanism()
	case ScramSHA512:
		return scram.Auth{User: s.User, Pass: s.Password}.AsSha512Mechanism()
	default:
		return scram.Auth{User: s.User, Pass: s.Password}.AsSha256Mechanism()
	}
}

// authenticate tells the broker who asks, before the first request of either client: so one piece of
// code does it for both, and for our own connections.
func (s *Security) authenticate(ctx context.Context, conn net.Conn, addr string) error {
	m := s.mechanism()
	answer, err := protocol.RoundTrip(conn, 1, 1, clientID, &saslhandshake.Request{Mechanism: m.Name()})
	if err != nil {
		return fmt.Errorf("authenticate at %s: %w; is this a listener with SASL?", addr, err)
	}
	if shake := answer.(*saslhandshake.Response); shake.ErrorCode != 0 {
		return &untrusted{fmt.Errorf("authenticate at %s: %w; it takes %s, not %s",
			addr, kafka.Error(shake.ErrorCode), strings.Join(shake.Mechanisms, ", "), m.Name())}
	}
	session, say, err := m.Authenticate(ctx, addr)
	for id, done := int32(2), false; err == nil && !done; id++ {
		var heard []byte
		if heard, err = s.say(conn, id, say, addr); err != nil {
			return err
		}
		done, say, err = session.Challenge(heard)
	}
	if err != nil { // the broker has not proved that it knows the password
		return &untrusted{fmt.Errorf("authenticate at %s as %s: %w", addr, s.User, err)}
	}
	return nil
}

// say sends one message of the mechanism and returns the broker's answer.
func (s *Security) say(conn net.Conn, id int32, message []byte, addr string) ([]byte, error) {
	m, err := protocol.RoundTrip(conn, 1, id, clientID, &saslauthenticate.Request{AuthBytes: message})
	if err != nil {
		// Some brokers only hang up on whom they do not know. It may as well be one that goes down, so a
		// second try may help.
		return nil, fmt.Errorf("authenticate at %s as %s with %s: %w; check user, password and mechanism",
			addr, s.User, s.Mechanism, err)
	}
	answer := m.(*saslauthenticate.Response)
	if answer.ErrorCode != 0 {
		return nil, &untrusted{fmt.Errorf("authenticate at %s as %s with %s: %w; check user, password and mechanism",
			addr, s.User, s.Mechanism, kafka.Error(answer.ErrorCode))}
	}
	return answer.AuthBytes, nil
}
