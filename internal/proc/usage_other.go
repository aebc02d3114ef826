//go:build !linux && !darwin

package proc

import "github.com/shirou/gopsutil/v4/process"

func peakRSS(int32) (int64, bool) { return 0, false }

// setIO takes what Windows counts: every transfer, to files and sockets alike.
func (u *Usage) setIO(io *process.IOCountersStat) {
	u.CallReadBytes, u.CallWrittenBytes = int64(io.ReadBytes), int64(io.WriteBytes)
	u.HasCalls = true
}
