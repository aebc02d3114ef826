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
