package proc

import (
	"runtime"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"
)

// A Machine is where something was measured. What cannot be found out is empty or 0.
type Machine struct {
	OS        string // "linux", with the distribution where there is one
	Arch      string // as Go names it
	CPU       string // model
	Cores     int    // that this process may use
	MemBytes  uint64 // installed
	Kernel    string // version
	GoVersion string
}

// ReadMachine returns the facts of this machine.
func ReadMachine() Machine {
	m := Machine{
		OS: runtime.GOOS, Arch: runtime.GOARCH,
		Cores: runtime.GOMAXPROCS(0), GoVersion: runtime.Version(),
	}
	if cpus, err := cpu.Info(); err == nil && len(cpus) > 0 {
		m.CPU = cpus[0].ModelName
	}
	if memory, err := mem.VirtualMemory(); err == nil {
		m.MemBytes = memory.Total
	}
	if name, _, version, err := host.PlatformInformation(); err == nil && name != "" {
		m.OS += " (" + name + " " + version + ")"
	}
	if kernel, err := host.KernelVersion(); err == nil {
		m.Kernel = kernel
	}
	return m
}
