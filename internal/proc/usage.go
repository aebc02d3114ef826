package proc

import (
	"context"
	"fmt"

	"github.com/shirou/gopsutil/v4/process"
)

// A Usage is what one process took so far, by the kernel's own accounting. Where a Has field is
// false, the figures it speaks of are 0 and mean "not measured here".
type Usage struct {
	CPUSeconds float64 // user and system, all threads
	RSSBytes   int64   // resident memory now

	// The kernel's high-water mark of this process's resident memory (VmHWM). The ru_maxrss that
	// wait reports is something else: a child inherits it from the parent that forked it.
	PeakRSSBytes int64
	HasPeakRSS   bool

	// Bytes that this process caused to be read from and written to storage. A read that the
	// page cache answers counts nothing, so it tells about the machine's memory as much as about
	// the process; a write counts when it dirties a page.
	ReadBytes, WrittenBytes int64
	HasStorage              bool

	// Bytes that passed through system calls: files, sockets and pipes, cached or not.
	CallReadBytes, CallWrittenBytes int64
	HasCalls                        bool
}

// Read returns the usage of a process that is alive. Once a process has ended its figures are
// gone, so who wants the last ones reads now and then.
func Read(pid int) (Usage, error) {
	u, err := read(context.Background(), int32(pid))
	if err != nil {
		return Usage{}, fmt.Errorf("read usage of process %d: %w", pid, err)
	}
	return u, nil
}

func read(ctx context.Context, pid int32) (Usage, error) {
	// Not process.NewProcess, which looks at the whole system first.
	p := &process.Process{Pid: pid}
	times, err := p.TimesWithContext(ctx)
	if err != nil {
		return Usage{}, err
	}
	memory, err := p.MemoryInfoWithContext(ctx)
	if err != nil {
		return Usage{}, err
	}
	u := Usage{CPUSeconds: times.User + times.System, RSSBytes: int64(memory.RSS)}
	u.PeakRSSBytes, u.HasPeakRSS = peakRSS(pid)
	// A process of another user may hide its counters: then they are not measured.
	if io, err := p.IOCountersWithContext(ctx); err == nil {
		u.setIO(io)
	}
	return u, nil
}
