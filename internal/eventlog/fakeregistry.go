package eventlog

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
)

// RegistryConfig configures the embedded schema registry.
type RegistryConfig struct {
	Dir  string // data; created when missing
	Port int    // 0 takes a free one
}

// A Registry is franz-go's srfake, which lives in memory, with a file behind it: ids stand in every
// event of the log, so they must survive a restart as the log does. It listens on loopback.
type Registry struct {
	path    string
	compact func(context.Context) error // of the broker that it belongs to; nil when it runs alone
	fake    *srfake.Registry
	server  *http.Server
	addr    string

	mu sync.Mutex // one change at a time, so that the file never goes back
}

// registryFile is what Dir holds.
const registryFile = "schemas.json"

// StartRegistry starts a schema registry on what Dir holds, for a cluster that has none.
func StartRegistry(cfg RegistryConfig) (*Registry, error) {
	if cfg.Dir == "" {
		return nil, errors.New("schema registry: no folder given")
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("create schema registry folder: %w", err)
	}
	return startRegistry(filepath.Join(cfg.Dir, registryFile), cfg.Port, "--port", nil)
}

// CompactPath is where the embedded broker takes a POST to compact its topics now, beside its schema
// registry: Kafka's protocol has no such request.
const CompactPath = "/broker/compact"

// startRegistry starts a registry whose port a user sets by flag.
func startRegistry(path string, port int, flag string, compact func(context.Context) error) (*Registry, error) {
	r := &Registry{path: path, compact: compact, fake: srfake.NewRegistry()}
	if err := r.load(); err != nil {
		return nil, fmt.Errorf("load schemas: %w", err)
	}
	ln, err := listener(flag)("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, fmt.Errorf("start schema registry: %w", err)
	}
	r.addr = ln.Addr().String()
	r.server = &http.Server{Handler: r}
	go r.server.Serve(ln) // returns when the server is closed
	return r, nil
}

// URL is the registry's base URL.
func (r *Registry) URL() string { return "http://" + r.addr }

// Close stops the registry; what it has answered is on disk.
func (r *Registry) Close() error { return r.server.Close() }

// ServeHTTP answers a request that may change something only after the change is on disk.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method == http.MethodGet {
		r.fake.Handler().ServeHTTP(w, req)
		return
	}
	if req.URL.Path == CompactPath && r.compact != nil {
		if err := r.compact(req.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	answer := httptest.NewRecorder()
	r.fake.Handler().ServeHTTP(answer, req)
	if err := r.save(); err != nil {
		http.Error(w, fmt.Sprintf("save schemas: %v", err), http.StatusInternalServerError)
		return
	}
	for key, values := range answer.Header() {
		w.Header()[key] = values
	}
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes()) // an error here is the client's, who is gone
}

// save writes all schemas, in the registry's own JSON, aside and into place.
func (r *Registry) save() error {
	answer := httptest.NewRecorder()
	r.fake.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/schemas", nil))
	if old, err := os.ReadFile(r.path); err == nil && bytes.Equal(old, answer.Body.Bytes()) {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(r.path), filepath.Base(r.path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(answer.Body.Bytes())
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), r.path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func (r *Registry) load() error {
	text, err := os.ReadFile(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var schemas []sr.SubjectSchema
	if err := json.Unmarshal(text, &schemas); err != nil {
		return fmt.Errorf("%s: %w", r.path, err)
	}
	// Versions in order, because a subject that shares another's id is registered anew and takes
	// its next version.
	slices.SortFunc(schemas, func(a, b sr.SubjectSchema) int {
		return cmp.Or(cmp.Compare(a.Version, b.Version), cmp.Compare(a.ID, b.ID))
	})
	seen := map[int]bool{}
	for _, s := range schemas {
		if seen[s.ID] {
			if _, _, err := r.fake.RegisterSchema(s.Subject, s.Schema); err != nil {
				return fmt.Errorf("%s: subject %s: %w", r.path, s.Subject, err)
			}
			continue
		}
		seen[s.ID] = true
		r.fake.SeedSchema(s.Subject, s.Version, s.ID, s.Schema)
	}
	return nil
}
