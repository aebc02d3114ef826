package doctor

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// A record is what is kept of a measured rate. It is of one machine: a home may be shared by a room.
type record struct {
	EventsPerSecond int       `json:"events_per_second"` // 0: it was measured, and none was sustained
	When            time.Time `json:"when"`
	Host            string    `json:"host"`
	Cores           int       `json:"cores"`
}

// File is where the rate is kept: beside other programs' caches, since it can be measured again, and not with
// the results, since it is a fact of the machine.
func File() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "lambdakappa", "sustained.json"), nil
}

// Sustained returns the rate that this machine was last found to sustain with both architectures at once, and
// when that was. Who puts load on a machine that does other things as well takes half of it. It is not ok when
// nobody has measured on this machine, or nothing was sustained.
func Sustained() (eventsPerSecond int, when time.Time, ok bool) { return read(File) }

func read(file func() (string, error)) (int, time.Time, bool) {
	path, err := file()
	if err != nil {
		return 0, time.Time{}, false
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, time.Time{}, false
	}
	var r record
	here := thisMachine()
	if json.Unmarshal(raw, &r) != nil || r.EventsPerSecond <= 0 || r.Host != here.Host || r.Cores != here.Cores {
		return 0, time.Time{}, false
	}
	return r.EventsPerSecond, r.When, true
}

func thisMachine() record {
	host, _ := os.Hostname()
	return record{Host: host, Cores: runtime.NumCPU()}
}

// keep writes the rate, in one step: whoever reads it sees a whole one. A nil file is [File].
func keep(file func() (string, error), eventsPerSecond int) error {
	if file == nil {
		file = File
	}
	path, err := file()
	if err != nil {
		return err
	}
	r := thisMachine()
	r.EventsPerSecond, r.When = eventsPerSecond, time.Now().UTC().Truncate(time.Second)
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("keep the rate: %w", err)
	}
	next := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := os.WriteFile(next, append(raw, '\n'), 0o644); err != nil {
		return fmt.Errorf("keep the rate: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("keep the rate: %w", err)
	}
	return nil
}
