package workshop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"lambdakappa/bench/codesize"
	pages "lambdakappa/docs/workshop"
)

// keepFolder is where a checkout keeps what Start changes. It is no part of the source.
const keepFolder = ".workshop"

// A Checkout is a source tree in which code tasks are done. It needs no git.
type Checkout struct {
	root string
}

// OpenCheckout returns the checkout around a folder.
func OpenCheckout(dir string) (*Checkout, error) {
	root, err := codesize.Root(dir)
	if errors.Is(err, codesize.ErrNoSource) {
		return nil, errors.New("a code task changes the source: run this inside the folder that has go.mod of lambdakappa")
	}
	if err != nil {
		return nil, err
	}
	return &Checkout{root: root}, nil
}

// A begun is what .workshop/task.json says of the task that is being done. While it is there, original has the whole
// side as it was.
type begun struct {
	Task  int               `json:"task"`
	Side  string            `json:"side"`
	Files map[string]string `json:"files"` // hash of what the task begins with
}

func (c *Checkout) in(file string) string { return filepath.Join(c.root, filepath.FromSlash(file)) }
func (c *Checkout) kept(file string) string {
	return filepath.Join(c.root, keepFolder, filepath.FromSlash(file))
}

const (
	taskFile = "task.json"
	original = "original/" // the side as it was
)

// Begun returns the number of the task that was begun, 0 when none is.
func (c *Checkout) Begun() (int, error) {
	b, err := c.begun()
	if b == nil || err != nil {
		return 0, err
	}
	return b.Task, nil
}

// begun returns what was begun, nil when nothing is.
func (c *Checkout) begun() (*begun, error) {
	text, err := os.ReadFile(c.kept(taskFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what was begun: %w", err)
	}
	b := new(begun)
	if err := json.Unmarshal(text, b); err != nil {
		return nil, fmt.Errorf("read what was begun: %s: %w", c.kept(taskFile), err)
	}
	return b, nil
}

// Start brings the source into the state in which a code task begins, and returns the files that it changed. It
// changes nothing, and returns an error that names the file, when one of them is not as it knows it.
func (c *Checkout) Start(e *Exercise) ([]string, error) {
	if err := c.leave(); err != nil {
		return nil, err
	}
	edits, err := editsOf(e)
	if err != nil {
		return nil, err
	}
	sums, err := knownSums(pages.Files)
	if err != nil {
		return nil, err
	}
	b := begun{Task: e.Number, Side: e.Side(), Files: map[string]string{}}
	texts := map[string][]byte{}
	for _, file := range files(edits) {
		source, err := os.ReadFile(c.in(file))
		if err != nil {
			return nil, fmt.Errorf("start: %w", err)
		}
		if hashOf(source) != sums[file] {
			return nil, fmt.Errorf("start: %s is not as the workshop knows it, and would be changed. Put your changes aside "+
				"(a copy, or git stash), bring the file back as it was, and start again", file)
		}
		if texts[file], err = begin(source, file, edits); err != nil {
			return nil, fmt.Errorf("start: %w", err)
		}
		b.Files[file] = hashOf(texts[file])
	}
	return files(edits), c.begin(b, texts)
}

// leave ends a task that was begun, if its files are as the program has left them.
func (c *Checkout) leave() error {
	b, err := c.begun()
	if b == nil || err != nil {
		return err
	}
	changed, err := c.changed(b)
	if err != nil {
		return err
	}
	for _, file := range changed {
		if source, err := os.ReadFile(c.in(file)); err == nil && hashOf(source) == b.Files[file] {
			continue // the state in which the task began
		}
		return fmt.Errorf("start: %s has changes of yours, made since task %d began: 'workshop reset' keeps them in %s "+
			"and brings the source back as it was", file, b.Task, keepFolder)
	}
	_, err = c.Reset()
	return err
}

// begin keeps the side as it is, then says what is begun, then changes the files: so that a reset after a crash at
// any point finds all that it needs.
func (c *Checkout) begin(b begun, texts map[string][]byte) error {
	if err := os.RemoveAll(c.kept(original)); err != nil { // of a start that did not come that far
		return fmt.Errorf("start: %w", err)
	}
	side, err := c.side(b.Side)
	if err != nil {
		return err
	}
	for _, file := range side {
		if err := copyFile(c.in(file), c.kept(original+file)); err != nil {
			return fmt.Errorf("keep %s: %w", file, err)
		}
	}
	said, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	if err := writeWhole(c.kept(taskFile), append(said, '\n')); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	for file, text := range texts {
		if err := writeWhole(c.in(file), text); err != nil {
			return fmt.Errorf("start: %w", err)
		}
	}
	return nil
}

// Solve puts the source in place as it was before the task began, which is its solution, and returns where it has
// kept an attempt; "" when there was none.
func (c *Checkout) Solve() (attempt string, err error) { return c.restore() }

// Reset brings the source back as it was before the task began, byte by byte, and forgets the task. It returns where it
// has kept an attempt; "" when there was none. Nothing happens when no task was begun.
func (c *Checkout) Reset() (attempt string, err error) {
	b, err := c.begun()
	if b == nil || err != nil {
		return "", err
	}
	if attempt, err = c.restore(); err != nil {
		return attempt, err
	}
	if err := os.Remove(c.kept(taskFile)); err != nil { // first: without it, original is nothing
		return attempt, fmt.Errorf("reset: %w", err)
	}
	for _, rest := range []string{original, builtFolder} {
		if err := os.RemoveAll(c.kept(rest)); err != nil {
			return attempt, fmt.Errorf("reset: %w", err)
		}
	}
	_ = os.Remove(filepath.Join(c.root, keepFolder)) // unless there are attempts in it
	return attempt, nil
}

// restore brings every file of the side back, and keeps those that are neither as they were nor as the task began.
func (c *Checkout) restore() (attempt string, err error) {
	b, err := c.begun()
	if err != nil {
		return "", err
	}
	if b == nil {
		return "", errors.New("no code task was begun: 'workshop start N' begins one")
	}
	changed, err := c.changed(b)
	if err != nil {
		return "", err
	}
	for _, file := range changed {
		source, err := os.ReadFile(c.in(file))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return attempt, fmt.Errorf("restore: %w", err)
		}
		if err == nil && hashOf(source) != b.Files[file] {
			if attempt == "" {
				attempt = c.nextAttempt(b.Task)
			}
			if err := copyFile(c.in(file), filepath.Join(attempt, filepath.FromSlash(file))); err != nil {
				return attempt, fmt.Errorf("keep attempt: %w", err)
			}
		}
		if err := copyFile(c.kept(original+file), c.in(file)); err != nil {
			return attempt, fmt.Errorf("restore: %w", err)
		}
	}
	return attempt, nil
}

// changed are the files of the side that are not as they were, by their names in the checkout.
func (c *Checkout) changed(b *begun) ([]string, error) {
	kept, err := os.ReadDir(c.kept(original + b.Side))
	if err != nil {
		return nil, fmt.Errorf("find what was kept: %w", err)
	}
	var all []string
	for _, entry := range kept {
		file := path.Join(b.Side, entry.Name())
		was, err := os.ReadFile(c.kept(original + file))
		if err != nil {
			return nil, fmt.Errorf("find what was kept: %w", err)
		}
		is, err := os.ReadFile(c.in(file))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err != nil || !bytes.Equal(was, is) {
			all = append(all, file)
		}
	}
	return all, nil
}

// Foreign are the Go files of the side that were not there when the task began: they are somebody's, and stay.
func (c *Checkout) Foreign() ([]string, error) {
	b, err := c.begun()
	if b == nil || err != nil {
		return nil, err
	}
	now, err := c.side(b.Side)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(now, func(file string) bool {
		_, err := os.Stat(c.kept(original + file))
		return err == nil
	}), nil
}

// side are the Go files of a side.
func (c *Checkout) side(name string) ([]string, error) {
	entries, err := os.ReadDir(c.in(name))
	if err != nil {
		return nil, fmt.Errorf("find the source: %w", err)
	}
	var all []string
	for _, entry := range entries {
		if entry.Type().IsRegular() && strings.HasSuffix(entry.Name(), ".go") {
			all = append(all, path.Join(name, entry.Name()))
		}
	}
	return all, nil
}

// nextAttempt is a folder that is not there yet.
func (c *Checkout) nextAttempt(task int) string {
	for n := 1; ; n++ {
		dir := c.kept(fmt.Sprintf("attempts/%02d-%d", task, n))
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return dir
		}
	}
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return writeWhole(to, text)
}

// writeWhole writes a file with its folders: all of it, or nothing. A file that is there keeps its mode.
func writeWhole(name string, text []byte) error {
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	aside := name + ".tmp"
	if err := os.WriteFile(aside, text, mode); err != nil {
		return err
	}
	return os.Rename(aside, name)
}
