//go:build unix && !linux

package proc

import (
	"fmt"
	"syscall"
)

// background takes nothing away from a process that is nicer already: most users may not.
func background() error {
	has, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err == nil && has >= niceness {
		return nil
	}
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, niceness); err != nil {
		return fmt.Errorf("lower the priority: %w", err)
	}
	return nil
}
