package proc

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// On Linux niceness belongs to a thread, and a new thread inherits it from the one that starts it.
// So a second look finds those that one of the others has started during the first.
func background() error {
	for range 2 {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("list threads: %w", err)
		}
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err == nil {
				err = lower(id)
			}
			if err != nil && !errors.Is(err, syscall.ESRCH) { // it has ended meanwhile
				return fmt.Errorf("lower the priority: %w", err)
			}
		}
	}
	return nil
}

// lower gives a thread niceness, unless it has as much already: most users may not take any away.
func lower(id int) error {
	rank, err := syscall.Getpriority(syscall.PRIO_PROCESS, id) // the kernel says 20 less its niceness
	if err != nil {
		return err
	}
	if 20-rank >= niceness {
		return nil
	}
	return syscall.Setpriority(syscall.PRIO_PROCESS, id, niceness)
}
