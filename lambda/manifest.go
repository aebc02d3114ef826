package lambda

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"lambdakappa/event"
	"lambdakappa/view"
)

// A Manifest describes one published generation of the batch view: views/gen-000007/manifest.json.
type Manifest struct {
	Generation int64       `json:"generation"` // from 1
	Version    string      `json:"version"`
	Views      view.Set    `json:"views"` // that it has; the speed layer follows
	Rules      event.Rules `json:"rules"`
	Logic      string      `json:"logic"` // that computed it; it has no say in what was computed

	Mistake string `json:"mistake,omitempty"` // that was made on purpose, see [Mistakes]

	// Base is the generation that an incremental run went on from; 0 is a run over everything.
	Base       int64          `json:"base"`
	Partitions []PartManifest `json:"partitions"` // by partition number
	Counters   view.Counters  `json:"counters"`   // sum over the partitions

	Rows    int64 `json:"rows"`    // of the master dataset that were read
	Windows int64 `json:"windows"` // rows of the view
	Alerts  int64 `json:"alerts"`  // rows of the view
	//bench:change view
	Trips   int64    `json:"trips"`   // rows of the view
	Columns []string `json:"columns"` // that were read of every row
	ReadMS  int64    `json:"read_ms"`
	WriteMS int64    `json:"write_ms"`
}

// PartManifest describes the part of one partition. The batch view reflects the offsets
// [0, Boundary) of it.
type PartManifest struct {
	Boundary     int64           `json:"boundary"`
	Watermark    event.Watermark `json:"watermark"`     // of those offsets, Unix ms
	NewestAppend int64           `json:"newest_append"` // of those offsets, Unix ms; 0 when there are none
	Counters     view.Counters   `json:"counters"`      // of those offsets; nothing is ever dropped late

	// KeptFrom is the event time, Unix ms, from which on the view has the rows; 0 is all of them.
	KeptFrom int64 `json:"kept_from,omitempty"`
}

// boundary returns the boundary of a partition: the first offset that the batch view does not
// cover. It is 0 when the batch view has nothing of the partition: the input did not have it then,
// or it was empty, or all of it was gone from the log before anyone read it.
func (m *Manifest) boundary(partition int) int64 {
	if partition >= len(m.Partitions) {
		return 0
	}
	return m.Partitions[partition].Boundary
}

// watermark returns the watermark of a partition at its boundary.
func (m *Manifest) watermark(partition int) event.Watermark {
	if partition >= len(m.Partitions) {
		return event.NoWatermark
	}
	return m.Partitions[partition].Watermark
}

// keptFrom returns the event time from which on the batch view has the rows of a partition.
func (m *Manifest) keptFrom(partition int) int64 {
	if partition >= len(m.Partitions) {
		return 0
	}
	return m.Partitions[partition].KeptFrom
}

// newestAppend returns the newest append time of a partition's offsets before the boundary.
func (m *Manifest) newestAppend(partition int) int64 {
	if partition >= len(m.Partitions) {
		return 0
	}
	return m.Partitions[partition].NewestAppend
}

// boundaries lists the boundary of every partition.
func (m *Manifest) boundaries() []int64 {
	boundaries := make([]int64, len(m.Partitions))
	for p := range m.Partitions {
		boundaries[p] = m.boundary(p)
	}
	return boundaries
}

// keepGenerations is how many generations stay on disk. A speed layer that comes back goes on
// from the newest whose boundary its side outputs have passed; with none left it reads the whole
// log (see handoverFor, also for a log that was cut).
const keepGenerations = 4

func (c Config) viewsDir() string { return filepath.Join(c.Dir, "views") }

func (c Config) generationDir(generation int64) string {
	return generationDir(c.viewsDir(), generation)
}

func generationDir(dir string, generation int64) string {
	return filepath.Join(dir, fmt.Sprintf("gen-%06d", generation))
}

// generations lists the generations on disk, ascending.
func (c Config) generations() ([]int64, error) { return generationsIn(c.viewsDir()) }

func generationsIn(dir string) ([]int64, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var generations []int64
	for _, e := range entries {
		var g int64
		if n, _ := fmt.Sscanf(e.Name(), "gen-%d", &g); n == 1 {
			generations = append(generations, g)
		}
	}
	slices.Sort(generations)
	return generations, nil
}

// loadManifest reads the manifest of one generation.
func (c Config) loadManifest(generation int64) (*Manifest, error) {
	path := filepath.Join(c.generationDir(generation), "manifest.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &Manifest{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if err := checkVersion(m.Version); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return m, nil
}

// newestManifest returns the manifest of the newest generation; nil when there is none.
func (c Config) newestManifest() (*Manifest, error) {
	generations, err := c.generations()
	if err != nil || len(generations) == 0 {
		return nil, err
	}
	return c.loadManifest(generations[len(generations)-1])
}

// publish writes the manifest into the complete folder aside, moves it to its place and removes
// generations that are too old to be of use.
func (c Config) publish(m *Manifest, aside string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(aside, "manifest.json")
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return err
	}
	if err := c.publishDir(aside, c.generationDir(m.Generation)); err != nil {
		return err
	}
	return c.removeOldGenerations()
}

// removeOldGenerations removes all but the newest, as far as nobody answers from them or from older
// ones: who answers from a generation must find it when it starts again. It renames before it
// removes: whoever reads a generation finds it complete or not at all.
func (c Config) removeOldGenerations() error {
	generations, err := c.generations()
	if err != nil {
		return err
	}
	live, served, err := c.oldestLive()
	if err != nil {
		return err
	}
	for len(generations) > keepGenerations && (!served || generations[0] < live) {
		dir := c.generationDir(generations[0])
		aside := filepath.Join(c.viewsDir(), leftoverPrefix+filepath.Base(dir))
		if err := errors.Join(os.Rename(dir, aside), os.RemoveAll(aside)); err != nil {
			return fmt.Errorf("remove generation %d: %w", generations[0], err)
		}
		generations = generations[1:]
	}
	return nil
}

// leftoverPrefix begins the names of folders that are not, or no longer, part of views/.
const leftoverPrefix = "tmp-"
