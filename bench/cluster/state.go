package cluster

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// stateFile says what is in a folder, so that another process can stop what this one has started.
const stateFile = "cluster.json"

// A state is what is kept of a cluster beside its data.
type state struct {
	ID   string `json:"id"` // Kafka's cluster id
	Jars string `json:"jars"`

	// As it was made, for whoever starts a node again.
	Properties map[string]string `json:"properties,omitempty"`
	Tiered     bool              `json:"tiered,omitempty"`

	Nodes []*Node `json:"nodes"`
}

// Find returns the cluster of a folder, running or not; an error when there is none.
func Find(dir string) (*Cluster, error) {
	c := &Cluster{cfg: DefaultConfig()}
	c.cfg.Dir, c.cfg.Detached = dir, true
	cfg, err := c.cfg.absolute()
	if err != nil {
		return nil, err
	}
	c.cfg = cfg
	found, err := c.load()
	if err == nil && !found {
		err = fmt.Errorf("no cluster in %s", dir)
	}
	if err != nil {
		return nil, err
	}
	c.cfg.Jars = c.state.Jars
	c.program, err = c.cfg.java()
	return c, err
}

// load reads what is known of the folder; false when nothing is.
func (c *Cluster) load() (bool, error) {
	path := filepath.Join(c.cfg.Dir, stateFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &c.state)
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", path, err)
	}
	c.nodes = c.state.Nodes
	c.cfg.Properties, c.cfg.Tiered = c.state.Properties, c.state.Tiered
	for _, n := range c.nodes {
		n.cluster = c
	}
	return true, nil
}

// save writes what is known, aside and into place. Whatever changes it does so in change: nodes are
// stopped side by side.
func (c *Cluster) save(change func()) error {
	c.changing.Lock()
	defer c.changing.Unlock()
	if change != nil {
		change()
	}
	c.state.Jars, c.state.Nodes = c.cfg.Jars, c.nodes
	c.state.Properties, c.state.Tiered = c.cfg.Properties, c.cfg.Tiered
	text, err := json.MarshalIndent(c.state, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(c.cfg.Dir, stateFile), text)
}

// replaceFile writes a file aside and into place: whoever reads it reads all of it.
func replaceFile(path string, text []byte) error {
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// newID is a cluster id as Kafka makes them: 16 random bytes, and no dash at first, which Kafka's tools would
// take for an option.
func newID() string {
	for {
		var raw [16]byte
		_, _ = rand.Read(raw[:]) // never fails
		if id := base64.RawURLEncoding.EncodeToString(raw[:]); id[0] != '-' {
			return id
		}
	}
}

// StopAll is what ends a detached cluster from outside: it stops all nodes, and deletes their data
// unless it is kept.
func StopAll(ctx context.Context, dir string, keep bool) error {
	c, err := Find(dir)
	if err != nil {
		return err
	}
	if err := c.Stop(ctx); err != nil {
		return err
	}
	if keep {
		return nil
	}
	return c.Remove()
}
