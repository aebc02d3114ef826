package lambda

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A serving process needs the old generation of the speed view for as long as it loads the batch
// view of the next one, and only it knows how long that takes. So it says by a file, its lease,
// which generation it has loaded, and which it answers from. The speed layer keeps the old one until
// all have loaded the next; the batch layer removes none that is answered from.

const (
	leasePrefix = "lease-"
	leaseEvery  = time.Second // between two renewals

	// leaseAge is how old a lease may be before its process counts as dead. That long, at most, a
	// serving process that was killed makes the speed layer keep two generations.
	leaseAge = 5 * leaseEvery
)

func (c Config) leasesDir() string { return filepath.Join(c.Dir, "serving") }

// A lease is the file of one serving process.
type lease struct {
	cfg  Config
	path string
}

// A held is what a lease says: two generations.
type held struct {
	loaded int64 // the newest whose batch view the process has; -1 while it says nothing yet
	live   int64 // that it answers from
}

// takeLease creates a lease that has loaded nothing yet, and removes those of processes that are
// dead.
func (c Config) takeLease() (*lease, error) {
	if err := os.MkdirAll(c.leasesDir(), 0o755); err != nil {
		return nil, fmt.Errorf("take lease: %w", err)
	}
	err := c.eachLease(func(path string, _ held, alive bool) error {
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
	l := &lease{c, file.Name()}
	return l, errors.Join(file.Close(), l.renew(held{}))
}

// renew says what the process has, and that it lives. A process that stood still for so long that
// its lease was removed gets a new one.
func (l *lease) renew(h held) error {
	// In one write, and always of the same length: whoever reads meanwhile reads the old numbers or
	// the new ones.
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.WriteAt(fmt.Appendf(nil, "%019d %019d\n", h.loaded, h.live), 0)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return fmt.Errorf("renew lease: %w", err)
	}
	return nil
}

// release ends the lease.
func (l *lease) release() error {
	if err := os.Remove(l.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("release lease: %w", err)
	}
	return nil
}

// allLoaded reports whether every serving process that lives has loaded a generation, or a newer
// one.
func (c Config) allLoaded(generation int64) (bool, error) {
	all := true
	err := c.eachLease(func(_ string, h held, alive bool) error {
		all = all && (h.loaded >= generation || !alive)
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("read leases: %w", err)
	}
	return all, nil
}

// oldestLive returns the oldest generation that a serving process which lives answers from, false
// when there is none.
func (c Config) oldestLive() (oldest int64, ok bool, err error) {
	err = c.eachLease(func(_ string, h held, alive bool) error {
		if alive && (!ok || h.live < oldest) {
			oldest, ok = h.live, true
		}
		return nil
	})
	if err != nil {
		return 0, false, fmt.Errorf("read leases: %w", err)
	}
	return oldest, ok, nil
}

// eachLease calls f for every lease.
func (c Config) eachLease(f func(path string, h held, alive bool) error) error {
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

func parseLease(text []byte) held {
	var h held
	if _, err := fmt.Sscanf(string(text), "%d %d\n", &h.loaded, &h.live); err != nil {
		return held{loaded: -1}
	}
	return h
}
