package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lambdakappa/bench/result"
)

// stampFormat writes times in names: 20261122T233000Z.
const stampFormat = "20060102T150405Z"

// A folder is what one invocation leaves: results/<time>-<name>/.
type folder struct {
	out  string // the folder of all results
	name string
	path string // out/name

	writeFile func(path string, content []byte) error // tests let the disk fill up here
}

// A folderError is a results folder that cannot be written. Nothing can go on without it.
type folderError struct {
	what string
	err  error
}

func (e *folderError) Error() string {
	return fmt.Sprintf("%s: %v (is there room in the results folder, and may it be written? "+
		"--out chooses another one)", e.what, e.err)
}

func (e *folderError) Unwrap() error { return e.err }

func (f *folder) failed(what string, err error) error { return &folderError{what, err} }

// folderName says in the name what was run.
func folderName(o Options) string {
	if len(o.Scenarios) == 0 {
		return o.Profile
	}
	var names []string
	for _, name := range o.Scenarios {
		if isFile(name) {
			name = strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
		}
		names = append(names, name)
	}
	return strings.Join(names, "+")
}

// newFolder creates a folder that was not there before: nothing is ever overwritten.
func newFolder(out, name string, now time.Time) (*folder, error) {
	f := &folder{out: out, writeFile: writeFile}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, f.failed("create results folder", err)
	}
	base := now.UTC().Format(stampFormat) + "-" + name
	for n := 1; ; n++ {
		f.name = base
		if n > 1 {
			f.name = fmt.Sprintf("%s-%d", base, n)
		}
		f.path = filepath.Join(out, f.name)
		err := os.Mkdir(f.path, 0o755)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, f.failed("create results folder", err)
		}
		return f, nil
	}
}

func writeFile(path string, content []byte) error { return os.WriteFile(path, content, 0o644) }

// workDir is where a run keeps broker data and datasets until it is over.
func (f *folder) workDir(run string) string { return filepath.Join(f.path, "work", run) }

func (f *folder) removeWork() error {
	if err := os.RemoveAll(filepath.Join(f.path, "work")); err != nil {
		return f.failed("remove run data", err)
	}
	return nil
}

// writeSummary replaces summary.json in one step: whoever reads it sees a whole one.
func (f *folder) writeSummary(s *result.Summary) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	path := filepath.Join(f.path, "summary.json")
	if err := f.writeFile(path+".tmp", append(raw, '\n')); err != nil {
		return f.failed("write summary", err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return f.failed("write summary", err)
	}
	return nil
}

// write writes a file of the results folder, with its folders.
func (f *folder) write(name string, content []byte) error {
	path := filepath.Join(f.path, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return f.failed("write "+name, err)
	}
	if err := f.writeFile(path, content); err != nil {
		return f.failed("write "+name, err)
	}
	return nil
}

// keepLogs copies the components' logs of a failed run beside its results.
func (f *folder) keepLogs(run, logs string) error {
	files, err := os.ReadDir(logs)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it failed before anything was started
	}
	if err != nil {
		return fmt.Errorf("keep logs: %w", err)
	}
	for _, file := range files {
		if err := f.copyIn(filepath.Join(logs, file.Name()), "logs/"+run+"/"+file.Name()); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) copyIn(from, name string) error {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	defer in.Close()
	raw, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	return f.write(name, raw)
}

// markLatest makes results/latest lead here: a symbolic link, or a text file with the name where
// links cannot be made (Windows without developer mode).
func (f *folder) markLatest() error {
	latest := filepath.Join(f.out, "latest")
	next := latest + "." + f.name
	err := os.Symlink(f.name, next)
	if err != nil {
		err = os.WriteFile(next, []byte(f.name+"\n"), 0o644)
	}
	if err == nil {
		err = os.Rename(next, latest)
	}
	if err != nil {
		return f.failed("mark latest results", err)
	}
	return nil
}

// reportPath is what a reader opens.
func (f *folder) reportPath() string { return filepath.Join(f.path, "report.html") }
