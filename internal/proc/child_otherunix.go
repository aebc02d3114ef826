//go:build unix && !linux

package proc

import "syscall"

// ChildAttr is how children are started: in a process group of their own, so that Ctrl-C on the
// terminal reaches the parent alone and a signal to the group reaches all that a child started.
// Only Linux can tie a child's life to its parent's: elsewhere a child must watch for the end of
// its stdin.
func ChildAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
