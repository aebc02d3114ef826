//go:build unix

package proc

import "syscall"

// DetachedAttr is how a process is started that outlives this one and its terminal.
func DetachedAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
