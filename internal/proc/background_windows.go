package proc

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// Windows has classes instead of niceness.
func background() error {
	err := windows.SetPriorityClass(windows.CurrentProcess(), windows.BELOW_NORMAL_PRIORITY_CLASS)
	if err != nil {
		return fmt.Errorf("lower the priority: %w", err)
	}
	return nil
}
