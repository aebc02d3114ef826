package proc

import (
	"context"
	"fmt"

	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/net"
	"github.com/shirou/gopsutil/v4/process"
)

// Memory is what is installed, and what a process could have of it now without making others swap.
func Memory() (installed, available uint64, err error) {
	m, err := mem.VirtualMemory()
	if err != nil {
		return 0, 0, fmt.Errorf("read memory: %w", err)
	}
	return m.Total, m.Available, nil
}

// DiskFree is how many bytes this user may still write where a folder lies.
func DiskFree(folder string) (uint64, error) {
	u, err := disk.Usage(folder)
	if err != nil {
		return 0, fmt.Errorf("read free room of %s: %w", folder, err)
	}
	return u.Free, nil
}

// An Owner is a process that holds a port.
type Owner struct {
	PID  int
	Name string // "" when the system does not tell
}

// PortOwner finds who listens on a TCP port of this machine; false when nobody does, or when the system
// does not say whose it is, as of another user's process.
func PortOwner(ctx context.Context, port int) (Owner, bool) {
	all, err := net.ConnectionsWithContext(ctx, "tcp")
	if err != nil {
		return Owner{}, false
	}
	for _, c := range all {
		if c.Status != "LISTEN" || int(c.Laddr.Port) != port || c.Pid == 0 {
			continue
		}
		name, _ := (&process.Process{Pid: c.Pid}).NameWithContext(ctx)
		return Owner{PID: int(c.Pid), Name: name}, true
	}
	return Owner{}, false
}
