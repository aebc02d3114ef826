//go:build !linux

package proc

import "time"

// threadCPU takes the clock for the CPU that a thread took, where the system does not say: on a busy
// machine that burns less than it should.
func threadCPU(since time.Time) time.Duration { return time.Since(since) }
