package eventlog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"lambdakappa/event"
)

// The registry is asked once per schema id, so it may take its time; it restarts with the
// embedded broker. For an id that there is not it is asked again after a while: somebody may have sent an event before
// its schema was registered.
const (
	registryTimeout  = 3 * time.Second
	registryPatience = 5 * time.Second
	unknownFor       = 2 * time.Second
	unknownMost      = 1024 // ids; broken events have any
)

// unknownSchemas are ids that the registry did not know a moment ago. It is safe for concurrent use.
type unknownSchemas struct {
	mu    sync.Mutex
	asked map[uint32]time.Time
}

func (u *unknownSchemas) has(id uint32) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	at, known := u.asked[id]
	return known && time.Since(at) < unknownFor
}

func (u *unknownSchemas) forget(id uint32) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.asked, id)
}

func (u *unknownSchemas) note(id uint32) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.asked == nil || len(u.asked) >= unknownMost {
		u.asked = map[uint32]time.Time{}
	}
	u.asked[id] = time.Now()
}

var _ event.SchemaSource = (*Log)(nil)

// CheckRegistry returns an error for what is no URL of a schema registry. A URL with a password is none: reports and process lists
// would have it.
func CheckRegistry(base string) error {
	u, err := url.Parse(base)
	switch {
	case err == nil && u.User != nil:
		return fmt.Errorf("schema registry: the URL may have no user and no password in it, since it is in reports and process lists: " +
			"give them as user:password in LAMBDAKAPPA_REGISTRY_USER_INFO, or in --client-properties")
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return fmt.Errorf("schema registry %q is not an http:// or https:// URL", base)
	}
	return nil
}

func newRegistryClient(base string, security *Security) (*sr.Client, error) {
	if base == "" {
		return nil, nil
	}
	if err := CheckRegistry(base); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	var err error
	if transport.TLSClientConfig, err = security.tlsConfig(); err != nil {
		return nil, err
	}
	if transport.TLSClientConfig != nil {
		transport.TLSClientConfig.ServerName = "" // that is the brokers'
	}
	options := []sr.ClientOpt{
		sr.URLs(base), sr.HTTPClient(&http.Client{Timeout: registryTimeout, Transport: transport}),
	}
	if security.RegistryUser != "" {
		options = append(options, sr.BasicAuth(security.RegistryUser, security.RegistryPassword))
	}
	client, err := sr.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("schema registry %s: %w", base, err)
	}
	return client, nil
}

// RegisterSchema registers a schema under a subject and returns its id; the same text again
// returns the same id. Subjects are not prefixed: an event's schema is the same on every run.
func (l *Log) RegisterSchema(ctx context.Context, subject, schema string) (uint32, error) {
	var id int
	err := l.askRegistry(ctx, func(ctx context.Context) (err error) {
		id, err = l.registry.RegisterSchema(ctx, subject, sr.Schema{Schema: schema}, -1, -1)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("register schema %s: %w", subject, err)
	}
	l.unknown.forget(uint32(id))
	return uint32(id), nil
}

// RegisterSchemas registers the versions of a schema under a subject, the oldest first, and returns
// their ids in that order.
func (l *Log) RegisterSchemas(
	ctx context.Context, subject string, versions ...string,
) (ids []uint32, err error) {
	for _, schema := range versions {
		id, err := l.RegisterSchema(ctx, subject, schema)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// SchemaByID implements event.SchemaSource.
func (l *Log) SchemaByID(id uint32) (string, error) {
	if l.unknown.has(id) {
		return "", event.ErrNoSchema
	}
	var schema sr.Schema
	err := l.askRegistry(context.Background(), func(ctx context.Context) (err error) {
		schema, err = l.registry.SchemaByID(ctx, int(id))
		return err
	})
	var answer *sr.ResponseError
	if errors.As(err, &answer) && answer.ErrorCode == sr.ErrSchemaNotFound.Code {
		l.unknown.note(id)
		return "", event.ErrNoSchema
	}
	return schema.Schema, err
}

// askRegistry goes on for a while when there is no answer; an answer, good or bad, ends it, and so does
// a certificate that is not trusted.
func (l *Log) askRegistry(ctx context.Context, ask func(context.Context) error) error {
	if l.registry == nil {
		return errors.New("no schema registry given: set --schema-registry")
	}
	start := time.Now()
	for wait := firstBackoff; ; wait = min(2*wait, maxBackoff) {
		err := ask(ctx)
		var answer *sr.ResponseError
		if err == nil || errors.As(err, &answer) {
			return err
		}
		if stranger, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			return fmt.Errorf("schema registry %s: %w", l.cfg.Registry, stranger)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(start) > registryPatience {
			return fmt.Errorf("schema registry %s cannot be reached: %w; check --schema-registry",
				l.cfg.Registry, err)
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}
