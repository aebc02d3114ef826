//go:build unix && !linux

package proc

import (
	"fmt"
	"syscall"
)

func background() error {
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, niceness); err != nil {
		return fmt.Errorf("lower the priority: %w", err)
	}
	return nil
}
