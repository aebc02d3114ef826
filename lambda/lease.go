package lambda

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A serving process needs the old generation of the speed view for as long as it loads the batch
// view of the next one, and only it knows how long that takes. So it says by a file, its lease,
// which generation it has loaded. The speed layer keeps the old one until all have.

const (
	leasePrefix = "lease-"
	leaseEvery  = time.Second // between two renewals

	// leaseAge is how old a lease may be before its process counts as dead. That long, at most, a
	// serving process that was killed makes the speed layer keep two generations.
	leaseAge = 5 * leaseEvery
)

func (c Config) leasesDir() string { return filepath.Join(c.Dir, "serving") }

// A lease is the file of one serving process.
type lease struct{ file *os.File }

// takeLease creates a lease and removes those of processes that are dead.
func (c Config) takeLease(loaded int64) (*lease, error) {
	if err := os.MkdirAll(c.leasesDir(), 0o755); err != nil {
		return nil, fmt.Errorf("take lease: %w", err)
	}
	err := c.eachLease(func(path string, _ int64, alive bool) error {
		if alive {
			return nil
		}
		return os.Remove(path)
	})
	if err != nil {
		return nil, fmt.Errorf("take lease: %w", err)
	}
	file, err := os.CreateTemp(c.leasesDir(), leasePrefix)
	if err != nil {
		return nil, fmt.Errorf("take lease: %w", err)
	}
	l := &lease{file}
	return l, l.renew(loaded)
}

// renew says which generation the process has loaded, and that it lives.
func (l *lease) renew(loaded int64) error {
	// Always the same length: whoever reads meanwhile reads the old number or the new one.
	if _, err := l.file.WriteAt(fmt.Appendf(nil, "%019d\n", loaded), 0); err != nil {
		return fmt.Errorf("renew lease: %w", err)
	}
	return nil
}

// release ends the lease.
func (l *lease) release() error {
	return errors.Join(l.file.Close(), os.Remove(l.file.Name()))
}

// allLoaded reports whether every serving process that lives has loaded a generation, or a newer
// one.
func (c Config) allLoaded(generation int64) (bool, error) {
	all := true
	err := c.eachLease(func(_ string, loaded int64, alive bool) error {
		all = all && (loaded >= generation || !alive)
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("read leases: %w", err)
	}
	return all, nil
}

// eachLease calls f for every lease; loaded is -1 when it says nothing yet.
func (c Config) eachLease(f func(path string, loaded int64, alive bool) error) error {
	entries, err := os.ReadDir(c.leasesDir())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(c.leasesDir(), e.Name())
		text, err := os.ReadFile(path)
		if err == nil {
			var info fs.FileInfo
			if info, err = os.Stat(path); err == nil {
				err = f(path, parseLease(text), time.Since(info.ModTime()) < leaseAge)
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // released meanwhile
			return err
		}
	}
	return nil
}

func parseLease(text []byte) int64 {
	loaded, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return -1
	}
	return loaded
}
