package proc

import "syscall"

// ChildAttr is how children are started: in a process group of their own, so that Ctrl-C on the
// terminal reaches the parent alone and a signal to the group reaches all that a child started,
// and killed by the kernel when the parent dies, however that happens.
func ChildAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
