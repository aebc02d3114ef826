//bench:only kappa-archived
package kappa

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"lambdakappa/internal/proc"
)

// What the sink leaves on disk appears in one step: it is written aside, made durable and renamed
// to its final name. A crash at any point leaves nothing but a leftover that the next start
// removes. Steps are named so that tests can crash between any two of them.

// publishFile makes the complete file at aside durable and moves it to target, whose folder is
// created when it is missing.
func (c Config) publishFile(aside, target string) error {
	if err := c.syncPath(aside); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	if err := c.step("rename " + filepath.Base(target)); err != nil {
		return err
	}
	if err := os.Rename(aside, target); err != nil {
		return err
	}
	return c.syncFolders(filepath.Dir(target))
}

// syncFolders makes the names that lead from the archive's root down to dir durable: a durable
// file in a folder that is not would be gone with it.
func (c Config) syncFolders(dir string) error {
	for root := filepath.Clean(c.Dir); ; dir = filepath.Dir(dir) {
		if err := c.syncPath(dir); err != nil || dir == root {
			return err
		}
	}
}

// syncPath makes a file's content, or a folder's entries, durable.
func (c Config) syncPath(path string) error {
	if err := c.step("sync " + path); err != nil {
		return err
	}
	if c.unsynced {
		return nil
	}
	return proc.Sync(path)
}

// removeLeftovers removes what a crash left in dir under names that begin with prefix.
func removeLeftovers(dir, prefix string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
