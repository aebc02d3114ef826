package proc

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// ChildAttr is how children are started: in a process group of their own, so that Ctrl-C on the
// console reaches the parent alone and Ctrl-Break can be sent to a child. Windows cannot tie a
// child's life to its parent's this way: a child must watch for the end of its stdin.
func ChildAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

// A handle keeps its process id from being used again, so there is nothing to find out first.
func alive(*os.Process) bool { return true }

func gone(err error) bool { return errors.Is(err, os.ErrProcessDone) }

func terminate(p *os.Process) error {
	return windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(p.Pid))
}

func kill(p *os.Process) error { return p.Kill() }

func suspend(*os.Process) error { return ErrNoSuspend }

func resume(*os.Process) error { return ErrNoSuspend }

// Suspends reports whether this system has [Suspend].
const Suspends = false

const syncsFolders = false
