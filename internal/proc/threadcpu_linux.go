package proc

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadCPU is what the calling thread took so far.
func threadCPU(time.Time) time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_THREAD, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
