package proc

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// DetachedAttr is how a process is started that outlives this one and its terminal.
func DetachedAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.DETACHED_PROCESS}
}
