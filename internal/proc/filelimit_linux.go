package proc

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// ErrNoFileLimit is nil: this system has [LimitFiles].
var ErrNoFileLimit error

// LimitFiles has every write of a process fail from now on that would reach beyond size bytes of a file,
// as on a disk that is full. There is no way back but another process.
func LimitFiles(pid int, size uint64) error {
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: size}, nil); err != nil {
		return fmt.Errorf("limit the files of process %d: %w", pid, err)
	}
	return nil
}
