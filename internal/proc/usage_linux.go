package proc

import (
	"bytes"
	"os"
	"strconv"

	"github.com/shirou/gopsutil/v4/process"
)

// peakRSS reads VmHWM, which gopsutil reads too but hands out nowhere.
func peakRSS(pid int32) (int64, bool) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/status")
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(status) {
		value, ok := bytes.CutPrefix(line, []byte("VmHWM:"))
		if !ok {
			continue
		}
		kb, err := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(
			bytes.TrimSpace(value), []byte("kB")))), 10, 64)
		return kb << 10, err == nil
	}
	return 0, false // a zombie has no memory
}

// setIO takes read_bytes, write_bytes (storage) and rchar, wchar (system calls) of /proc/pid/io.
func (u *Usage) setIO(io *process.IOCountersStat) {
	u.ReadBytes, u.WrittenBytes = int64(io.DiskReadBytes), int64(io.DiskWriteBytes)
	u.CallReadBytes, u.CallWrittenBytes = int64(io.ReadBytes), int64(io.WriteBytes)
	u.HasStorage, u.HasCalls = true, true
}
