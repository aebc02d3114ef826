//go:build unix

package proc

import (
	"errors"
	"os"
	"syscall"
)

func alive(p *os.Process) bool { return !errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone) }

func gone(err error) bool { return errors.Is(err, syscall.ESRCH) || errors.Is(err, os.ErrProcessDone) }

// The group of a child started with ChildAttr has the child's own id.
func terminate(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGTERM) }

func kill(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }

func suspend(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGSTOP) }

func resume(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGCONT) }

// Suspends reports whether this system has [Suspend].
const Suspends = true

const syncsFolders = true
