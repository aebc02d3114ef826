package eventlog

import (
	"errors"
	"fmt"
	"os"
)

// A dirLock keeps a second broker away from a folder. The kernel gives it up when its process
// dies, however that happens, so a leftover file never blocks a start.
type dirLock struct{ file *os.File }

var errLocked = errors.New("another broker is running on it; stop that one or choose another --dir")

func lockDir(path string) (*dirLock, error) {
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			return nil, fmt.Errorf("open lock: %w", err)
		}
		if err := lockFile(f); err != nil {
			f.Close()
			return nil, err
		}
		// The previous owner may have removed the file between our open and our lock.
		if current, err := os.Stat(path); err == nil && sameFile(f, current) {
			return &dirLock{f}, nil
		}
		f.Close()
	}
}

func sameFile(f *os.File, other os.FileInfo) bool {
	info, err := f.Stat()
	return err == nil && os.SameFile(info, other)
}

// unlock removes the file while it is still locked, so that nobody else's is removed.
func (l *dirLock) unlock() error {
	return errors.Join(removeLocked(l.file), closeOnce(l.file))
}

// closeOnce closes f; that it is closed already is no error.
func closeOnce(f *os.File) error {
	if err := f.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
