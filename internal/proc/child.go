package proc

import (
	"errors"
	"os"
	"os/exec"
)

// Terminate asks a child, and all it started, to end: SIGTERM, or Ctrl-Break on Windows, which
// arrives as os.Interrupt. That it has ended already is no error. The child must have been started
// with [ChildAttr].
func Terminate(cmd *exec.Cmd) error { return signalAlive(cmd, terminate) }

// Kill ends a child, and all it started, at once, as a crash would. That it has ended already is
// no error. The child must have been started with [ChildAttr].
func Kill(cmd *exec.Cmd) error { return signalAlive(cmd, kill) }

// ErrNoSuspend says that this system cannot make a process stand still.
var ErrNoSuspend = errors.New("processes cannot be stopped and continued on this system")

// Suspend makes a child, and all it started, stand still where it is (SIGSTOP), as on a machine that
// hangs: its connections stay open, and nobody is told. It cannot be asked to end until [Resume];
// [Kill] ends it as it is. On Windows it returns [ErrNoSuspend].
//
// A child that stands still when its parent dies does not stay: on Linux the kernel kills it (see
// [ChildAttr]); elsewhere its group is an orphan then, and POSIX sends it SIGHUP and SIGCONT.
func Suspend(cmd *exec.Cmd) error { return signalAlive(cmd, suspend) }

// Resume lets a child go on that was suspended; one that was not goes on as it does. That it has
// ended is no error.
func Resume(cmd *exec.Cmd) error { return signalAlive(cmd, resume) }

// signalAlive keeps signals away from a process id that may be somebody else's by now.
func signalAlive(cmd *exec.Cmd, send func(*os.Process) error) error {
	if cmd.Process == nil {
		return errors.New("process was not started")
	}
	if !alive(cmd.Process) {
		return nil
	}
	err := send(cmd.Process)
	if gone(err) {
		return nil
	}
	return err
}
