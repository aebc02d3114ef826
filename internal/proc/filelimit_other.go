//go:build !linux

package proc

import (
	"errors"
	"runtime"
)

// ErrNoFileLimit says why this system has no [LimitFiles].
var ErrNoFileLimit = errors.New(runtime.GOOS + " cannot take the disk from a process that runs")

// LimitFiles fails with [ErrNoFileLimit].
func LimitFiles(int, uint64) error { return ErrNoFileLimit }
