package proc

import "github.com/shirou/gopsutil/v4/process"

func peakRSS(int32) (int64, bool) { return 0, false }

// setIO takes what macOS counts: storage alone.
func (u *Usage) setIO(io *process.IOCountersStat) {
	u.ReadBytes, u.WrittenBytes = int64(io.DiskReadBytes), int64(io.DiskWriteBytes)
	u.HasStorage = true
}
