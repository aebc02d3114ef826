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
				err = syscall.Setpriority(syscall.PRIO_PROCESS, id, niceness)
			}
			if err != nil && !errors.Is(err, syscall.ESRCH) { // it has ended meanwhile
				return fmt.Errorf("lower the priority: %w", err)
			}
		}
	}
	return nil
}
