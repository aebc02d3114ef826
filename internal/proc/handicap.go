package proc

import (
	"crypto/sha256"
	"fmt"
	"os"
	"runtime"
	"time"
)

// handicapTick is how often a handicap is paid: ten jiffies, the kernel's grain of accounting.
const handicapTick = 100 * time.Millisecond

// Handicap makes this process take a share more CPU than its work takes, 0.2 for a fifth, for as long
// as it runs. It exists to check a benchmark: a slowdown of known size has to be found. It returns an
// error when the system does not say what a process takes.
func Handicap(share float64) error {
	if share <= 0 || share > 10 {
		return fmt.Errorf("handicap %v: must be above 0 and at most 10", share)
	}
	if _, err := Read(os.Getpid()); err != nil {
		return fmt.Errorf("handicap: %w", err)
	}
	go pay(share)
	return nil
}

// pay burns what is owed: the process's whole use w + b, with b burned so far, shall be w (1 + share).
// It has a thread of its own, so that what it burns can be told from what the process works.
func pay(share float64) {
	runtime.LockOSThread()
	began := time.Now()
	for range time.Tick(handicapTick) {
		u, err := Read(os.Getpid())
		if err != nil {
			return
		}
		before := threadCPU(began)
		work := time.Duration(u.CPUSeconds*float64(time.Second)) - before
		for threadCPU(began) < time.Duration(share*float64(work)) {
			sha256.Sum256(make([]byte, 1<<16)) // some 0.05 ms
		}
	}
}
